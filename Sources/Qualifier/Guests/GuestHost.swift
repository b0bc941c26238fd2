// SPDX-License-Identifier: GPL-2.0-only

/// How guests are run on this machine. Whoever tries cases has one for all of them.
package struct GuestHost: Sendable {
  let emulator: Emulator
  /// The script of a guest, which tries things and reports.
  let steps: [UInt8]
  /// nil for what the manifest allows.
  let limits: VirtualMachine.Limits?

  package init() { self.init(emulator: Emulator()) }

  init(emulator: Emulator, steps: [UInt8] = Self.steps, limits: VirtualMachine.Limits? = nil) {
    self.emulator = emulator
    self.steps = steps
    self.limits = limits
  }

  static let steps = PackageResources.steps_sh
}
