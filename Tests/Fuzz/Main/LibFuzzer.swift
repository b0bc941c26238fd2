// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc

// libFuzzer around a reader. Source: LLVM's docs/LibFuzzer.rst, and compiler-rt's lib/fuzzer/FuzzerInterface.h.

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ room: Int) -> Int

/// LRELEASE_FUZZ_READER names the reader; the arguments are libFuzzer's. `make fuzz` builds and runs it.
@main enum LibFuzzer {
  fileprivate static let reader: FuzzReader = {
    let name = environmentVariable("LRELEASE_FUZZ_READER") ?? ""
    guard let reader = FuzzReader.named(name) else {
      fatalError("LRELEASE_FUZZ_READER must be one of \(FuzzReader.all.map { $0.name }), not '\(name)'")
    }
    return reader
  }()

  static func main() {
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(
      runDriver(&count, &arguments) { data, size in
        let bytes = Array(UnsafeBufferPointer(start: data, count: size))
        if let fault = LibFuzzer.reader.fault(bytes) { fatalError("find: \(fault)") }
        return 0
      })
  }
}

/// Changes an input as libFuzzer does, and mends what would end the reading at once.
@_cdecl("LLVMFuzzerCustomMutator")
public func changeInput(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ room: Int, _ seed: CUnsignedInt) -> Int {
  let count = mutate(data, size, room)
  // Also inputs with wrong checksums must be tried.
  guard let mend = LibFuzzer.reader.mend, seed % 8 != 0 else { return count }
  var bytes = Array(UnsafeBufferPointer(start: data, count: count))
  mend(&bytes)
  for (index, byte) in bytes.enumerated() { data[index] = byte }
  return bytes.count
}
