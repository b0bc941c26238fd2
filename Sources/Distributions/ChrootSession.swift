// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// A chroot with a layer of its own on top, for one piece of work.
///
/// Each command gets the layers mounted in a mount namespace of its own and processes in a process namespace of its own,
/// so that nothing stays mounted or running, whatever happens to it.
package struct ChrootSession: Sendable {
  /// The folders of the chroot, each on top of the next.
  let lowers: [FilePath]
  package let scratch: FilePath
  let environment: [String: String]

  /// What package managers, their scripts and compilers need: rights over files and users of the chroot. Without the
  /// others, no device can be made or opened, no module loaded, no setting of this machine's kernel changed.
  private static let capabilities = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
    "CAP_SETFCAP", "CAP_SYS_CHROOT", "CAP_AUDIT_WRITE",
  ]

  /// Whether the changes have filled the disk of the session.
  package var isFull: Bool { Files.isFull(scratch) }

  /// A file that a command in this session has made or changed, seen from outside; not what the chroot came with.
  package func written(_ path: String) -> FilePath {
    scratch.appending("upper").pushing(FilePath(String(path.drop { $0 == "/" })))
  }

  /// A file of the chroot as the commands of this session see it, seen from outside; nil when there is none.
  package func found(_ path: String) -> FilePath? {
    let inner = FilePath(String(path.drop { $0 == "/" }))
    return ([scratch.appending("upper")] + lowers).map { $0.pushing(inner) }.first { Files.exists($0) }
  }

  /// Runs a command in the chroot.
  ///
  /// - Parameters:
  ///   - folders: where the chroot has folders and files of this machine, to read only.
  ///   - mounts: what else it has of this machine.
  ///   - network: whether it sees this machine's network; otherwise it has only a loopback interface.
  package func run(
    _ command: [String], folders: [String: FilePath] = [:], mounts: [Sandbox.Mount] = [], network: Bool = false,
    environment more: [String: String] = [:], doing: String
  ) async throws -> Command.Outcome {
    var sandbox = Sandbox(
      [.layered(Sandbox.Layers(on: lowers, in: scratch), at: "/"), .devices, .processes, .empty("/run")] + mounts,
      namespaces: [.processes, .ipc, .hostName], capabilities: .these(ChrootSession.capabilities), hostName: "lrelease",
      environment: environment.merging(more, uniquingKeysWith: { $1 }), directory: "/")
    if !network { sandbox.namespaces.insert(.network) }
    for (place, folder) in folders.sorted(by: { $0.key < $1.key }) {
      sandbox.mounts.append(.readOnly(folder, at: FilePath(place)))
    }
    let outcome = try await sandbox.command(command[0], Array(command.dropFirst())).run(doing: doing)
    let lines = outcome.errors.lines.map { $0.trimmed }.filter { !$0.isEmpty }
    guard lines.last == Sandbox.Layers.unmountable else { return outcome }
    // mount(8) ends with where to read more.
    let why = lines.first { $0.hasPrefix("mount: ") } ?? ""
    throw ReleaseError(
      .failed, doing: doing,
      reason:
        "no layer can be mounted in \(scratch.removingLastComponent()), a file system of the kind \(Files.fileSystem(of: scratch)) (\(why))",
      advice: "set TMPDIR to a folder on ext4, xfs, btrfs or tmpfs")
  }
}
