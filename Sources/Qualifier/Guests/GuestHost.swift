// SPDX-License-Identifier: GPL-2.0-only

/// How guests run on this machine; shared by all cases.
package struct GuestHost: Sendable {
  let emulator: Emulator
  /// The script of a guest, which runs the steps and reports.
  let steps: [UInt8]
  /// nil for the limit of the manifest.
  let limits: VirtualMachine.Limits?

  package init() { self.init(emulator: Emulator()) }

  init(emulator: Emulator, steps: [UInt8] = Self.steps, limits: VirtualMachine.Limits? = nil) {
    self.emulator = emulator
    self.steps = steps
    self.limits = limits
  }

  static let steps = PackageResources.steps_sh
}
