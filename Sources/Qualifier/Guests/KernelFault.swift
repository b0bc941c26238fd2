// SPDX-License-Identifier: GPL-2.0-only

/// The words with which a kernel reports a fault.
///
/// Where a word begins a message, it must begin it: "DEBUG: " is no "BUG: ", and what a driver or a mitigation prints after
/// its own name ("RETBleed: WARNING: …") is not WARN().
enum KernelFault {
  /// The kernel stops, or kills the process that it happened to.
  case fatal
  /// It goes on.
  case fault

  /// What a message of the kernel reports; nil for a harmless one.
  static func kind(of message: String) -> KernelFault? {
    if isFatal(message) { return .fatal }
    return isFault(message) ? .fault : nil
  }

  // MARK: fatal faults

  /// Source: kernel/panic.c, lib/bug.c, arch/x86/mm/fault.c, arch/x86/kernel/traps.c and dumpstack.c, arch/arm64/mm/fault.c.
  private static func isFatal(_ message: String) -> Bool {
    let starts = [
      "Kernel panic - ", "kernel BUG at ", "Oops: ", "Oops - ", "general protection fault", "Internal error: ",
      "Unable to handle kernel ", "PANIC: double fault", "double fault: ",
    ]
    return starts.contains(where: message.hasPrefix) || hasWord("BUG: ", in: message)
      || hasWord("kernel BUG at ", in: message) || hasDieCount(message)
  }

  /// "invalid opcode: 0000 [#1] PREEMPT SMP", which every Oops has, whatever it is called.
  private static func hasDieCount(_ message: String) -> Bool {
    guard let mark = message.firstRange(of: " [#") else { return false }
    let rest = message[mark.upperBound...].utf8
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    let code = message[..<mark.lowerBound].utf8.reversed().prefix { $0 != 0x20 }
    return !digits.isEmpty && rest.dropFirst(digits.count).first == UInt8(ascii: "]") && code.count >= 4
      && code.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Whether a word stands in a message and is not the end of another.
  private static func hasWord(_ word: String, in message: String) -> Bool {
    var from = message.startIndex
    while let found = message[from...].firstRange(of: word) {
      guard found.lowerBound > message.startIndex else { return true }
      let before = message[message.index(before: found.lowerBound)]
      // "[Firmware Bug]: " and "DEBUG: " are no bugs of the kernel, "watchdog: BUG: soft lockup" is one.
      if !before.isLetter, !before.isNumber, before != "_", before != "-" { return true }
      from = found.upperBound
    }
    return false
  }

  // MARK: other faults

  private static func isFault(_ message: String) -> Bool {
    starts.contains(where: message.hasPrefix) || parts.contains(where: message.contains)
      || combinations.contains { $0.allSatisfy(message.contains) }
  }

  private static let starts = [
    // WARN(), and lockdep: "possible circular locking dependency detected", "suspicious RCU usage", "inconsistent lock
    // state". Source: kernel/panic.c, kernel/locking/lockdep.c.
    "WARNING: ",
    // Lockdep before 5.x, and without an annotation. Source: kernel/locking/lockdep.c.
    "INFO: possible ", "INFO: suspicious RCU usage", "INFO: inconsistent lock state",
    "INFO: trying to register non-static key",
    // Source: lib/ubsan.c, lib/refcount.c, lib/list_debug.c, mm/slab_common.c.
    "UBSAN: ", "refcount_t: ", "list_add corruption", "list_del corruption", "slab error in ",
    // Source: net/core/dev.c, net/core/net_namespace.c.
    "unregister_netdevice: waiting for ", "Unregister pernet subsys failed",
    // Source: fs/super.c, fs/sysfs/dir.c, lib/kobject.c.
    "VFS: Busy inodes after unmount", "sysfs: cannot create duplicate filename", "kobject_add_internal failed for ",
  ]

  private static let parts = [
    // Source: kernel/watchdog.c and watchdog_perf.c.
    "Watchdog detected hard LOCKUP", "soft lockup - CPU#",
    // Source: kernel/rcu/tree_stall.h.
    "self-detected stall on CPU", "detected stalls on CPUs", "detected expedited stalls", "kthread starved for ",
    // Source: mm/slab_common.c, before 5.17 without WARN().
    "Slab cache still has objects", "Objects remaining in ",
    "Attempted to kill init", "possible circular locking dependency detected", "possible recursive locking detected",
    // BUG_ON() of lockdep in its frame of stars: "[ BUG: Invalid wait context ]".
    "[ BUG: ",
  ]

  private static let combinations = [
    // SLUB: "BUG kmalloc-64 (Tainted: G    B   OE     ): Poison overwritten". Source: mm/slub.c, slab_bug().
    ["BUG ", " (Tainted: ", "): "], ["BUG ", " (Not tainted): "],
    // Source: kernel/hung_task.c.
    ["INFO: task ", " blocked for more than "], ["INFO: task ", " blocked in I/O wait for more than "],
    // Source: mm/kmemleak.c.
    ["kmemleak: ", " new suspected memory leaks"],
  ]
}
