// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model

/// What a kernel has written to its console.
///
/// Lines of the kernel begin with its time stamp, since guests boot with `printk.time=1`. A program that writes to
/// /dev/console too is not the kernel.
package struct KernelLog: Sendable {
  /// The messages of the kernel, without their time stamps.
  package let lines: [String]
  /// The last line of the console, whoever wrote it.
  package let lastLine: String?

  package init(_ bytes: [UInt8]) {
    var kernel: [String] = []
    var last: String?
    for line in bytes.lines {
      if let message = Self.message(in: line) { kernel.append(message) }
      let text = String(decoding: Self.plain(line), as: UTF8.self).trimmed
      if !text.isEmpty { last = text }
    }
    lines = kernel
    lastLine = last
  }

  /// A line without carriage returns and escape characters.
  private static func plain(_ line: some Collection<UInt8>) -> [UInt8] { line.filter { $0 != 0x0d && $0 != 0x1b } }

  /// The message of the kernel in a line: what follows `[   12.345678] `, also with a caller as in `[    1.2][   T12] `.
  ///
  /// It need not begin the line: a program may have written to the console without ending its line.
  private static func message(in line: some Collection<UInt8>) -> String? {
    let bytes = plain(line)
    var from = bytes.startIndex
    while let open = bytes[from...].firstIndex(of: UInt8(ascii: "[")) {
      if let end = endOfStamp(bytes, at: open) {
        let text = String(decoding: bytes[end...], as: UTF8.self).trimmed
        return text.isEmpty ? nil : text
      }
      from = open + 1
    }
    return nil
  }

  private static func endOfStamp(_ bytes: [UInt8], at open: Int) -> Int? {
    func isDigit(_ index: Int) -> Bool { index < bytes.count && (0x30...0x39).contains(bytes[index]) }
    func skip(_ index: inout Int, while condition: (Int) -> Bool) -> Int {
      let start = index
      while index < bytes.count, condition(index) { index += 1 }
      return index - start
    }
    var index = open + 1
    _ = skip(&index) { bytes[$0] == 0x20 }
    guard skip(&index, while: isDigit) > 0, index < bytes.count, bytes[index] == UInt8(ascii: ".") else { return nil }
    index += 1
    guard skip(&index, while: isDigit) > 0, index < bytes.count, bytes[index] == UInt8(ascii: "]") else { return nil }
    index += 1
    // The task or processor, with CONFIG_PRINTK_CALLER.
    var caller = index + 1
    if index < bytes.count, bytes[index] == UInt8(ascii: "[") {
      _ = skip(&caller) { bytes[$0] == 0x20 }
      if caller < bytes.count, [UInt8(ascii: "T"), UInt8(ascii: "C")].contains(bytes[caller]) {
        caller += 1
        if skip(&caller, while: isDigit) > 0, caller < bytes.count, bytes[caller] == UInt8(ascii: "]") {
          index = caller + 1
        }
      }
    }
    return index
  }

  // MARK: the marks of the steps

  /// How the steps of the guest mark their progress in the kernel's log.
  private static let mark = "lrelease: "

  /// The messages since the modules were first loaded; all, if that is not in the log.
  ///
  /// What the kernel says of the machine while it boots is not the fault of a module.
  private var sinceLoad: ArraySlice<String> {
    lines.firstIndex { $0 == Self.mark + "begin load" }.map { lines[($0 + 1)...] } ?? lines[...]
  }

  /// Whether the log goes on to the last mark, so that no message of a step is lost.
  package var isComplete: Bool {
    lines.contains(Self.mark + "begin load") && lines.last { $0.hasPrefix(Self.mark) } == Self.mark + "end"
  }

  // MARK: faults

  /// The first message that reports a fault, with the function where it happened; a fatal fault takes precedence over
  /// one after which the kernel goes on.
  package var firstFault: String? { firstFault(own: []) }

  /// - Parameter own: the complaints of the release's own modules.
  package func firstFault(own: [ExtendedExpression]) -> String? {
    let messages = Array(sinceLoad)
    let kinds = messages.map { KernelFault.kind(of: $0) }
    if let index = kinds.firstIndex(of: .fatal) ?? kinds.firstIndex(of: .fault) {
      return told(messages, index)
    }
    return own.compactMap { $0.firstIndex(in: messages) }.min().map { messages[$0] }
  }

  /// A fault with what the kernel says before and after it.
  private func told(_ messages: [String], _ index: Int) -> String {
    let message = messages[index]
    if message.contains("Kernel panic") { return message }
    if message.contains("+0x") {
      // WARN() prints its own message between the line of scissors and the place.
      let before = messages[..<index].suffix(3)
      guard message.hasPrefix("WARNING: "), let cut = before.lastIndex(where: { $0.contains("[ cut here ]") }),
        cut + 1 < index
      else { return message }
      return "\(message): \(messages[(cut + 1)..<index].joined(separator: " "))"
    }
    // "RIP: 0010:samplefs_init+0x5/0x1000 [samplefs]" comes a few lines later, if at all.
    guard let place = messages[index...].prefix(20).first(where: { $0.contains("RIP: 0010:") }),
      let mark = place.firstRange(of: "RIP: 0010:")
    else { return message }
    return "\(message) in \(place[mark.upperBound...])"
  }
}
