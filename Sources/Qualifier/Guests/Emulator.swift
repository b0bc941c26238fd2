// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import Synchronization
import SystemPackage

/// The programs of QEMU, and whether hardware virtualisation works on this machine.
package final class Emulator: Sendable {
  private let folder: FilePath?
  /// Whether `/dev/kvm` works: it may exist and still crash every guest. nil before the first guest.
  private let kvmWorks: Mutex<Bool?>
  /// What is known of its programs.
  private let confinements = Mutex<[String: EmulatorConfinement]>([:])

  /// - Parameter folder: the folder of its programs; nil for the PATH.
  package init(folder: FilePath? = nil) {
    self.folder = folder
    kvmWorks = Mutex(access("/dev/kvm", R_OK | W_OK) == 0 ? nil : false)
  }

  func program(_ name: String) -> String { folder?.appending(name).string ?? name }

  var mayHaveKVM: Bool { kvmWorks.withLock { $0 } != false }

  /// Remembers whether a guest booted with kvm. One success counts for all: another kernel may be at fault.
  func remember(kvmWorked: Bool) {
    kvmWorks.withLock { known in
      if kvmWorked || known == nil { known = kvmWorked }
    }
  }

  /// How a program is confined, as far as this QEMU can be.
  ///
  /// - Throws: `ReleaseError` if it is not installed.
  func confinement(of name: String, doing: String) async throws -> EmulatorConfinement {
    if let known = confinements.withLock({ $0[name] }) { return known }
    let program = program(name)
    let help = try await Command(program, ["-help"]).run(doing: doing)
    let confinement = EmulatorConfinement(program, help: help.succeeded ? help.text : "")
    if help.succeeded { confinements.withLock { $0[name] = confinement } }
    return confinement
  }
}

/// What a QEMU process may do: a guest that breaks out of its virtual machine is in here.
///
/// It sees this machine read-only, without its processes and its network. Once its files are open it becomes a user that
/// nobody else is, without capabilities, and may start no program.
struct EmulatorConfinement: Sendable {
  private let program: String
  private let options: [String]
  /// Whether two guests can have a network of their own: since QEMU 7.2.
  let hasStreams: Bool

  /// - Parameter help: what the program prints for `-help`, which depends on its version and how it was built.
  init(_ program: String, help: String) {
    self.program = program
    hasStreams = help.contains("\n-netdev stream,")
    var options: [String] = []
    if help.contains("\n-sandbox ") {
      // With elevateprivileges denied, QEMU could not become that user. Bubblewrap sees to it that nobody gains privileges.
      options += ["-sandbox", "on,obsolete=deny,spawn=deny,resourcecontrol=deny"]
    }
    if geteuid() == 0 {
      if help.contains("\n-runas ") {
        options += ["-runas", "\(Self.user):\(Self.user)"]
      } else if help.contains("\n-run-with ") {
        options += ["-run-with", "user=\(Self.user):\(Self.user)"]
      }
    }
    self.options = options
  }

  /// A number from those that systemd keeps for users that exist only while a service runs: no files belong to it.
  /// Source: systemd's docs/UIDS-GIDS.md.
  private static var user: UInt32 { 61184 + UInt32(getpid()) % 4336 }

  /// - Parameters:
  ///   - folder: where it reads and writes, without links on the way.
  ///   - network: where the socket to another guest is, which its arguments name by a path from there; nil for none.
  func command(_ arguments: [String], in folder: FilePath, network: FilePath? = nil) -> Command {
    var sandbox = Sandbox(
      [.readOnly("/", at: "/"), .devices, .device("/dev/kvm"), .processes, .writable(folder, at: folder)],
      namespaces: [.processes, .network, .ipc, .hostName], capabilities: .these(["CAP_SETUID", "CAP_SETGID"]))
    if let network {
      sandbox.mounts.append(.writable(network, at: network))
      sandbox.directory = network
    }
    var command = sandbox.command(program, options + arguments)
    command.inner = program
    return command
  }
}
