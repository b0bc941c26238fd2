// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Qualifier

@Suite struct KernelLogTests {
  @Test(arguments: [
    (
      "[    1.234567] WARNING: CPU: 0 PID: 1 at fs/inode.c:1 f+0x1/0x2",
      "WARNING: CPU: 0 PID: 1 at fs/inode.c:1 f+0x1/0x2"
    ),
    (
      "[    0.1] ok\r\n[   12.000001][ T1] BUG: kernel NULL pointer dereference", "BUG: kernel NULL pointer dereference"
    ),
    ("[    2.5] Kernel panic - not syncing: x", "Kernel panic - not syncing: x"),
  ])
  func faultsAreFound(text: String, line: String) {
    let log = KernelLog(Array(text.utf8))
    #expect(log.firstFault == line || log.firstFault?.hasSuffix(line) == true, "\(log.firstFault ?? "none")")
  }

  @Test func anOrdinaryBootHasNone() {
    let text = """
      [    0.000000] Linux version 6.1.0-56-amd64
      [    0.1] Kernel command line: console=ttyS0 panic=-1 oops=panic
      [    0.2] clocksource: refined-jiffies: mask: 0xffffffff
      [    0.3] sample: loading out-of-tree module taints kernel.
      """
    #expect(KernelLog(Array(text.utf8)).firstFault == nil)
  }
}
