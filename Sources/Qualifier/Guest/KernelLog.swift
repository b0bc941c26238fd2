// SPDX-License-Identifier: GPL-2.0-only

import Groundwork

/// What a kernel wrote on its console.
package struct KernelLog: Sendable {
  package let lines: [String]

  package init(_ bytes: [UInt8]) {
    lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map { line in
      // "[    1.234567] " in front, and what a terminal would take for a command.
      var text = line.filter { $0 != "\r" && $0 != "\u{1b}" }[...]
      if text.first == "[", let end = text.firstIndex(of: "]"),
        text[..<end].dropFirst().allSatisfy({ $0.isNumber || $0 == "." || $0 == " " || $0 == "T" || $0 == "C" })
      {
        text = text[text.index(after: end)...]
      }
      return text.trimmed
    }
  }

  /// What a kernel says when something is broken in it. Source: lib/bug.c, kernel/panic.c, arch/x86/mm/fault.c,
  /// kernel/hung_task.c, kernel/rcu/tree_stall.h, lib/Kconfig.kasan.
  private static let marks = [
    "Kernel panic", "BUG: ", "kernel BUG at", "Oops: ", "general protection fault", "WARNING: ",
    "Unable to handle kernel",
    "rcu: INFO: rcu_", "blocked for more than", "UBSAN: ", "KASAN: ", "Unregister pernet subsys failed",
    "Attempted to kill init",
  ]

  /// The first line that tells of something broken.
  package var firstFault: String? {
    lines.first { line in
      Self.marks.contains { line.contains($0) }
    }
  }

  package var panic: String? { lines.first { $0.contains("Kernel panic") } }
}
