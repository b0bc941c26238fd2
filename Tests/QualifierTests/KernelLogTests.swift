// SPDX-License-Identifier: GPL-2.0-only

import Model
import Testing

@testable import Qualifier

@Suite struct KernelLogTests {
  private func fault(_ text: String, own: [String] = []) -> String? {
    KernelLog(Array(text.utf8)).firstFault(own: own.compactMap { ExtendedExpression($0) })
  }

  @Test(arguments: [
    // WARN(), as it is written up to 6.18 and since.
    "WARNING: CPU: 0 PID: 1 at fs/inode.c:1 f+0x1/0x2",
    "WARNING: fs/sample/super.c:97 at samplefs_fill+0x1a/0x40 [samplefs], CPU#0: modprobe/71",
    "BUG: kernel NULL pointer dereference, address: 0000000000000008",
    "BUG: unable to handle page fault for address: ffffc90000123000", "kernel BUG at fs/sample/super.c:2!",
    "Kernel panic - not syncing: sysrq triggered crash",
    "Oops: 0000 [#1] PREEMPT SMP NOPTI", "Oops: Oops: 0002 [#1] SMP NOPTI",
    "Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP",
    "general protection fault, probably for non-canonical address 0x6b6b6b6b6b6b6b6b: 0000 [#1] PREEMPT SMP",
    "invalid opcode: 0000 [#1] PREEMPT SMP PTI", "stack segment: 0000 [#1] SMP",
    "Internal error: Oops: 0000000096000004 [#1] SMP",
    "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008",
    // SLUB, and slabs that are not empty.
    "BUG kmalloc-64 (Tainted: G           OE     ): Poison overwritten",
    "BUG samplefs_inode (Not tainted): Objects remaining in samplefs_inode on __kmem_cache_shutdown()",
    "BUG dentry (Tainted: G    B   W  OE      6.1.0-56-amd64 #1): Object already free",
    "kmem_cache_destroy samplefs_inode: Slab cache still has objects when called from samplefs_exit+0x1d/0x9d0",
    "Slab cache still has objects",
    "slab error in kmem_cache_destroy(): cache `samplefs_inode': Can't free all objects",
    // Lockdep, old and new.
    "WARNING: possible circular locking dependency detected", "WARNING: possible recursive locking detected",
    "WARNING: suspicious RCU usage", "WARNING: inconsistent lock state", "WARNING: bad unlock balance detected!",
    "WARNING: possible irq lock inversion dependency detected", "WARNING: held lock freed!",
    "INFO: possible circular locking dependency detected", "[ INFO: possible recursive locking detected ]",
    "INFO: suspicious RCU usage. ", "INFO: trying to register non-static key.", "[ BUG: Invalid wait context ]",
    // Lockups, stalls and hung tasks.
    "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [modprobe:71]",
    "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1", "watchdog: Watchdog detected hard LOCKUP on cpu 0",
    "NMI watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:1:38]",
    "rcu: INFO: rcu_preempt self-detected stall on CPU", "INFO: rcu_sched self-detected stall on CPU { 0}",
    "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:",
    "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... } 21 jiffies s: 97 root: 0x1/.",
    "rcu: rcu_preempt kthread starved for 5250 jiffies! g1045 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=1",
    "INFO: task mount:112 blocked for more than 120 seconds.",
    "INFO: task mount:112 blocked in I/O wait for more than 120 seconds.",
    "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!",
    // Checkers of memory and races.
    "kmemleak: 12 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
    "BUG: KASAN: slab-use-after-free in samplefs_fill+0x1a/0x40 [samplefs]", "BUG: KFENCE: memory corruption in kfree",
    "BUG: KCSAN: data-race in samplefs_read / samplefs_write", "BUG: KMSAN: uninit-value in samplefs_fill+0x1a/0x40",
    "UBSAN: array-index-out-of-bounds in fs/sample/super.c:12:3", "refcount_t: underflow; use-after-free.",
    "list_del corruption. prev->next should be ffff888003a4d010, but was dead000000000122",
    "list_add corruption. next->prev should be prev (ffff8880), but was 0000000000000000. (next=ffff8881).",
    // What is called where it must not be, or left behind.
    "BUG: scheduling while atomic: modprobe/71/0x00000002",
    "BUG: sleeping function called from invalid context at mm/slab.h:420",
    "BUG: Bad page state in process modprobe  pfn:03a4d",
    "BUG: Dentry 00000000f2 still in use (1) [unmount of samplefs]",
    "unregister_netdevice: waiting for lo to become free. Usage count = 2",
    "VFS: Busy inodes after unmount of none. Self-destruct in 5 seconds.  Have a nice day...",
    "sysfs: cannot create duplicate filename '/bus/virtio/drivers/sample'",
    "kobject_add_internal failed for sample with -EEXIST, don't try to register things with the same name in the same directory.",
  ])
  func faultsAreFound(message: String) {
    let calm = "[    1.000000] lrelease: begin load\n[    1.5] samplefs: loading out-of-tree module taints kernel.\n"
    for stamp in ["[    2.500000] ", "[   12.000001][ T1] ", "[  123.456789][    C0] "] {
      #expect(fault(calm + stamp + message + "\r\n[    9.0] later\n") == message.trimmingSpaces)
    }
    // A program that says the same is not the kernel, and neither is a kernel that still boots.
    #expect(fault(calm + message + "\n") == nil)
    #expect(fault("[    0.500000] \(message)\n\(calm)") == nil)
    #expect(fault("[    0.500000] \(message)\n") == message.trimmingSpaces)
  }

  @Test(arguments: [
    "Linux version 6.1.0-56-amd64", "Kernel command line: console=ttyS0 panic=-1 oops=panic",
    "samplefs: loading out-of-tree module taints kernel.",
    "samplefs: module verification failed: signature and/or required key missing - tainting kernel",
    "clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable because the skew is too large:",
    "RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks, data leaks possible!",
    "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!",
    "[Firmware Bug]: TSC doesn't count with P0 frequency!", "ACPI BIOS Error (bug): Could not resolve symbol [\\_SB]",
    "DEBUG: samplefs: 3 inodes", "samplefs: DEBUG: nothing", "printk: console [ttyS0] enabled",
    "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
    "NMI watchdog: Perf NMI watchdog permanently disabled",
    "INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.234 msecs",
    "perf: interrupt took too long (2501 > 2500), lowering kernel.perf_event_max_sample_rate to 79750",
    "workqueue: drain_local_pages_wq hogged CPU for >10000us 4 times, consider switching to WQ_UNBOUND",
    "kmemleak: Kernel memory leak detector initialized (mem pool available: 15706)",
    "kfence: initialized - using 2097152 bytes for 255 objects at 0x(____ptrval____)-0x(____ptrval____)",
    "kasan: KernelAddressSanitizer initialized", "rcu: Hierarchical RCU implementation.",
    "rcu: \tRCU CPU stall warnings timeout set to 60 (rcu_cpu_stall_timeout).",
    "traps: probe[81] general protection fault ip:7f21 sp:7ffc error:0 in libc.so.6[7f20+155000]",
    "probe[81]: segfault at 8 ip 00005581 sp 00007ffe error 4 in probe[5581+1000]",
    "Warning: unable to open an initial console.", "Lockdep is turned off.", "slub_debug: poison on",
    "samplefs: a BUGGY server was found", "hrtimer: interrupt took 12345678 ns", "lrelease: begin smoke",
    "unregister_netdevice is called", "refcount is 3", "Out of order: the list_add corruption test is not run",
    "sysrq: Trigger a crash", "pci 0000:00:01.0: BAR [#1] is assigned", "x86/mm: 3 of 8 pages are bad [#2]",
  ])
  func harmlessLines(message: String) {
    #expect(fault("[    1.000000] lrelease: begin load\n[    2.500000] \(message)\n") == nil)
  }

  /// A message says most with what stands around it.
  @Test func whatAFaultIsToldWith() {
    let warning = """
      [    3.0] ------------[ cut here ]------------
      [    3.1] refcount_t: underflow; use-after-free.
      [    3.2] WARNING: CPU: 0 PID: 71 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
      """
    #expect(fault(warning) == "refcount_t: underflow; use-after-free.")
    #expect(
      fault(warning.replacing("refcount_t: underflow", with: "samplefs: 3 inodes left"))
        == "WARNING: CPU: 0 PID: 71 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110: "
        + "samplefs: 3 inodes left; use-after-free.")
    let oops = """
      [    1.0] WARNING: CPU: 0 PID: 9 at drivers/x.c:1 x_probe+0x1/0x2
      [    9.0] BUG: kernel NULL pointer dereference, address: 0000000000000008
      [    9.1] #PF: supervisor read access in kernel mode
      [    9.2] RIP: 0010:broken_init+0x5/0x1000 [samplefs]
      [    9.3] Kernel panic - not syncing: Fatal exception
      """
    #expect(
      fault(oops)
        == "BUG: kernel NULL pointer dereference, address: 0000000000000008 in broken_init+0x5/0x1000 [samplefs]")
  }

  /// A kernel's line counts behind what a program has left without an end, too.
  @Test func linesOfTwoWriters() {
    #expect(fault("mkfs: 40 %[    2.500000] BUG: Bad page state\n") == "BUG: Bad page state")
    #expect(fault("[x] [1] [2.] [.3] BUG: a\n[    ] BUG: b\n[1.2 BUG: c\n") == nil)
    let log = KernelLog(Array("SeaBIOS\u{1b}[0m\r\n[    0.0] a\r\n\r\n[    0.1]  b \r\nend of it".utf8))
    #expect(log.lines == ["a", "b"] && log.lastLine == "end of it")
  }

  @Test func aWholeLog() {
    func isComplete(_ lines: String...) -> Bool {
      KernelLog(Array(lines.map { "[    1.0] \($0)\n" }.joined().utf8)).isComplete
    }
    #expect(isComplete("lrelease: begin load", "x", "lrelease: end", "reboot: Restarting system"))
    #expect(!isComplete("lrelease: begin load", "x") && !isComplete("lrelease: end") && !isComplete())
    #expect(!isComplete("lrelease: begin load", "lrelease: end", "lrelease: begin smoke"))
  }

  /// What the modules of a release themselves complain of.
  @Test func ownComplaints() {
    let log = """
      [    1.0] LustreError: 1:0:(a.c:1:f()) obd_memory max: 9, leaked: 4
      [    2.0] lrelease: begin load
      [    3.0] Lustre: 71:0:(b.c:1:g()) obd_memory max: 64212, leaked: 0
      [    4.0] LustreError: 99:0:(class_obd.c:901:obdclass_exit()) obd_memory max: 64212, leaked: 128
      [    5.0] LNetError: 99:0:(module.c:1:x()) Portals memory leaked: 64 bytes
      """
    let own = ["Portals memory leaked: [1-9]", "obd_memory max: [0-9]+, leaked: [1-9]"]
    #expect(
      fault(log, own: own) == "LustreError: 99:0:(class_obd.c:901:obdclass_exit()) obd_memory max: 64212, leaked: 128")
    #expect(fault(log, own: ["never"]) == nil && fault(log) == nil)
    #expect(fault(log + "\n[    6.0] BUG: x", own: own) == "BUG: x")
  }

  @Test(arguments: [
    ("leaked: [1-9]", nil), ("^(a|b)+$", nil), ("a\\{", nil), ("\\.ko", nil), ("", "empty"), ("a{2}", "repetition"),
    ("(a)\\1", "back references"), ("[a", "Unmatched"), ("(a", "Unmatched"), ("*", "Invalid"), ("a*", "every line"),
    ("x|", "every line"), ("a\tb", "control"), (String(repeating: "a", count: 301), "300 bytes"),
  ])
  func expressions(text: String, problem: String?) {
    let found = ExtendedExpression.problem(in: text)
    #expect(problem.map { found?.contains($0) == true } ?? (found == nil), "\(text): \(found ?? "none")")
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
