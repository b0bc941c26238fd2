// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// The console output of a kernel.
package struct KernelLog: Sendable {
  package let lines: [String]

  package init(_ bytes: [UInt8]) {
    lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map { line in
      // Strips the leading "[    1.234567] " and terminal control sequences.
      var text = line.filter { $0 != "\r" && $0 != "\u{1b}" }[...]
      if text.first == "[", let end = text.firstIndex(of: "]"),
        text[..<end].dropFirst().allSatisfy({ $0.isNumber || $0 == "." || $0 == " " || $0 == "T" || $0 == "C" })
      {
        text = text[text.index(after: end)...]
      }
      return text.trimmed
    }.filter { !$0.isEmpty }
  }

  /// Kernel messages that report a fault. Source: lib/bug.c, kernel/panic.c, arch/x86/mm/fault.c,
  /// kernel/hung_task.c, kernel/rcu/tree_stall.h, lib/Kconfig.kasan.
  private static let marks = [
    "Kernel panic", "BUG: ", "kernel BUG at", "Oops: ", "general protection fault", "WARNING: ",
    "Unable to handle kernel",
    "rcu: INFO: rcu_", "blocked for more than", "UBSAN: ", "KASAN: ", "Unregister pernet subsys failed",
    "Attempted to kill init",
  ]

  /// Messages after which the kernel stops.
  private static let ends = [
    "Kernel panic", "BUG: ", "kernel BUG at", "Oops: ", "general protection fault", "Unable to handle kernel",
  ]

  /// The first line that reports a fault, with the function where it happened; a fatal fault takes precedence over a
  /// warning.
  package var firstFault: String? {
    func first(_ marks: [String]) -> Int? { lines.firstIndex { line in marks.contains { line.contains($0) } } }
    guard let index = first(Self.ends) ?? first(Self.marks) else { return nil }
    let line = lines[index]
    // "RIP: 0010:samplefs_init+0x5/0x1000 [samplefs]" comes a few lines later, and is missing for a panic.
    guard !line.contains("Kernel panic"), !line.contains("+0x"),
      let place = lines[index...].prefix(20).first(where: { $0.contains("RIP: 0010:") }),
      let mark = place.firstRange(of: "RIP: 0010:")
    else { return line }
    return "\(line) in \(place[mark.upperBound...])"
  }
}
