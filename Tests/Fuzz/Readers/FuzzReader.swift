// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import SystemPackage

/// A reader of what strangers write, as the fuzzers and the test that replays their inputs drive it.
struct FuzzReader: Sendable {
  /// The name of its folders in corpus/ and finds/, and of its dictionary.
  let name: String
  /// Reads an input, and demands of what was accepted that it is what it should be.
  ///
  /// - Throws: `ReleaseError` or `Diagnostics` where the input is refused; anything else is a find.
  private let read: @Sendable ([UInt8]) throws -> Void
  /// Makes a changed input worth reading, where a reader would stop at once at a checksum that is wrong.
  let mend: (@Sendable (inout [UInt8]) -> Void)?

  init(
    _ name: String, mend: (@Sendable (inout [UInt8]) -> Void)? = nil,
    _ read: @escaping @Sendable ([UInt8]) throws -> Void
  ) {
    self.name = name
    self.read = read
    self.mend = mend
  }

  static let all = [
    manifest, target, series, patch, archive, path, address, version, plan, verdict, records, origins, sums, control,
    status, tag, rpm, code,
  ]

  static func named(_ name: String) -> FuzzReader? { all.first { $0.name == name } }

  /// Why an input is a find; nil for one that was read or refused as it should be.
  func fault(_ bytes: [UInt8]) -> String? {
    do {
      try read(bytes)
      return nil
    } catch let error as ReleaseError {
      return error.description.contains("\n") ? "the message has two lines: \(error)" : nil
    } catch let errors as Diagnostics {
      return errors.findings.contains { $0.description.contains("\n") } ? "a message has two lines: \(errors)" : nil
    } catch {
      return "\(error)"
    }
  }
}

/// An input was accepted that should not have been, or was not read as what it says.
struct Find: Error, CustomStringConvertible {
  let description: String
}

/// Demands something of what was accepted.
func demand(_ condition: Bool, _ words: @autoclosure () -> String) throws {
  if !condition { throw Find(description: words()) }
}

/// Runs `body` with a file that holds `bytes`, for readers that take a path.
func withFile<R>(_ bytes: [UInt8], named name: String, _ body: (FilePath) throws -> R) throws -> R {
  let folder = Files.temporaryFolder.appending("lrelease-fuzz-\(getpid())")
  try Files.makeFolder(folder)
  let path = folder.appending(name)
  try Files.remove(path)
  try Files.write(bytes, to: path)
  defer { try? Files.remove(folder) }
  return try body(path)
}
