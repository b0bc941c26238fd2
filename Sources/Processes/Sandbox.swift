// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import SystemPackage

/// What a program sees of this machine. Only this file knows bubblewrap's arguments.
///
/// A sandbox is killed, not sent SIGTERM. After SIGTERM, bubblewrap can end before the process that it has just started
/// is tied to it; and that process ignores SIGTERM as the first of its namespace. It cannot ignore SIGKILL.
package struct Sandbox: Sendable {
  /// What is at a path. Later ones hide earlier ones.
  package enum Mount: Sendable {
    /// The whole machine as it is, devices and all.
    case machine
    case readOnly(FilePath, at: FilePath)
    /// A file or folder of this machine at its own place, where there is one.
    case readOnlyIfThere(FilePath)
    case writable(FilePath, at: FilePath)
    /// A folder with a layer of its own on top. A sandbox has one at most.
    case layered(Layers, at: FilePath)
    case empty(FilePath)
    /// /dev, with what every program needs.
    case devices
    /// A device of this machine, where there is one and the caller may use it.
    case device(FilePath)
    /// /proc, of the processes that the sandbox has.
    case processes
  }

  /// Folders that are not changed, each on top of the next, and a layer that takes all changes.
  ///
  /// The layer is mounted in a mount namespace of its own, around the sandbox: nothing stays mounted, whatever happens.
  package struct Layers: Sendable {
    package static let folders = ["upper", "work", "merged"]

    package var lowers: [FilePath]
    /// Where the folders of the layer are.
    package var scratch: FilePath
    /// A command that changes the layer before the sandbox is made. The command of the sandbox is appended to it.
    package var preparation: [String]
    /// Whether the caller, who is not root, becomes root in a user namespace.
    package var mapsUser: Bool

    package init(on lowers: [FilePath], in scratch: FilePath, preparation: [String] = [], mapsUser: Bool = false) {
      self.lowers = lowers
      self.scratch = scratch
      self.preparation = preparation
      self.mapsUser = mapsUser
    }

    /// The last line of standard error when the layer could not be mounted.
    package static let unmountable = "lrelease: the layer cannot be mounted"

    /// The folder with its layer.
    package var merged: FilePath { scratch.appending("merged") }

    fileprivate var words: [String] {
      ["unshare"] + (mapsUser ? ["--user", "--map-root-user"] : [])
        + ["--mount", "--propagation", "private", "sh", "-c", Script(PackageResources.overlay_sh).text, "sh"]
        + Layers.folders.map { scratch.appending($0).string } + ["\(lowers.count)"] + lowers.map(\.string) + preparation
    }
  }

  /// What a sandbox does not share with this machine.
  package struct Namespaces: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// With only a loopback interface.
    package static let network = Namespaces(rawValue: 1)
    /// Its processes end with the first of them.
    package static let processes = Namespaces(rawValue: 2)
    package static let ipc = Namespaces(rawValue: 4)
    package static let hostName = Namespaces(rawValue: 8)
    /// All that the kernel has, users among them where it allows that.
    package static let all = Namespaces(rawValue: 31)

    fileprivate var arguments: [String] {
      if self == .all { return ["--unshare-all"] }
      let names: [(Namespaces, String)] = [(.network, "net"), (.processes, "pid"), (.ipc, "ipc"), (.hostName, "uts")]
      return names.filter { contains($0.0) }.map { "--unshare-\($0.1)" }
    }
  }

  package enum Capabilities: Sendable {
    /// Those that bubblewrap leaves.
    case usual
    case none
    case these([String])
    case all
  }

  package var mounts: [Mount]
  package var namespaces: Namespaces
  package var capabilities: Capabilities
  package var hostName: String?
  /// The user that the program sees itself as; nil for the caller.
  package var user: (id: UInt32, group: UInt32)?
  /// All variables that the program has; nil for those of every command.
  package var environment: [String: String]?
  package var directory: FilePath?
  /// Whether the terminal is out of its reach.
  package var hasOwnSession: Bool
  /// Whether it is killed when lrelease is, which then can end nothing itself.
  package var diesWithUs: Bool
  /// Words of a command that is run in the sandbox and runs the program.
  private var entry: [String] = []
  /// Whether messages name the program instead of bubblewrap.
  private var isTransparent = false

  package init(
    _ mounts: [Mount], namespaces: Namespaces = [], capabilities: Capabilities = .usual, hostName: String? = nil,
    user: (id: UInt32, group: UInt32)? = nil, environment: [String: String]? = nil, directory: FilePath? = nil,
    hasOwnSession: Bool = false, diesWithUs: Bool = true
  ) {
    self.mounts = mounts
    self.namespaces = namespaces
    self.capabilities = capabilities
    self.hostName = hostName
    self.user = user
    self.environment = environment
    self.directory = directory
    self.hasOwnSession = hasOwnSession
    self.diesWithUs = diesWithUs
  }

  /// No isolation: the program sees and may do what the caller can, but is killed when lrelease is. Costs a few
  /// milliseconds.
  package static let tiedToUs: Sandbox = {
    var sandbox = Sandbox([.machine], capabilities: .all)
    sandbox.isTransparent = true
    return sandbox
  }()

  /// The same for a program that mounts file systems and starts daemons: nothing stays mounted or running.
  package static let leavingNothing: Sandbox = {
    var sandbox = tiedToUs
    sandbox.entry = [
      "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
    ]
    return sandbox
  }()

  /// The command that runs a program in this sandbox.
  package func command(_ program: String, _ arguments: [String]) -> Command {
    let around = mounts.flatMap { mount -> [String] in
      if case .layered(let layers, _) = mount { layers.words } else { [] }
    }
    let inside = entry + [program] + arguments
    let words = around + ["bwrap"] + self.arguments + ["--"] + inside
    var command = Command(words[0], Array(words.dropFirst()))
    command.teardown = .kill
    if isTransparent { command.inner = inside[0] }
    return command
  }

  private var arguments: [String] {
    var words = mounts.flatMap(\.arguments) + namespaces.arguments
    switch capabilities {
    case .usual: break
    case .none: words += ["--cap-drop", "ALL"]
    // For root, bubblewrap keeps all that are not dropped.
    case .these(let names): words += ["--cap-drop", "ALL"] + names.flatMap { ["--cap-add", $0] }
    case .all: words += ["--cap-add", "ALL"]
    }
    if let hostName { words += ["--hostname", hostName] }
    if let user { words += ["--uid", "\(user.id)", "--gid", "\(user.group)"] }
    if diesWithUs { words.append("--die-with-parent") }
    if hasOwnSession { words.append("--new-session") }
    if let directory { words += ["--chdir", directory.string] }
    if let environment {
      words.append("--clearenv")
      for (name, value) in environment.sorted(by: { $0.key < $1.key }) { words += ["--setenv", name, value] }
    }
    return words
  }
}

extension Sandbox.Mount {
  /// Where root can change this machine by writing to /proc, even without capabilities: a program that the kernel starts
  /// (`sys/kernel/core_pattern`) would be root outside. Bubblewrap protects these for other users only.
  private static var settings: [String] {
    guard geteuid() == 0 else { return [] }
    return ["acpi", "bus", "fs", "irq", "mtrr", "scsi", "sys", "sysrq-trigger"].flatMap {
      ["--ro-bind-try", "/proc/\($0)", "/proc/\($0)"]
    }
  }

  fileprivate var arguments: [String] {
    switch self {
    case .machine: ["--dev-bind", "/", "/"]
    case .readOnly(let path, let place): ["--ro-bind", path.string, place.string]
    case .readOnlyIfThere(let path): ["--ro-bind-try", path.string, path.string]
    case .writable(let path, let place): ["--bind", path.string, place.string]
    case .layered(let layers, let place): ["--bind", layers.merged.string, place.string]
    case .empty(let place): ["--tmpfs", place.string]
    case .devices: ["--dev", "/dev"]
    case .device(let path): ["--dev-bind-try", path.string, path.string]
    case .processes: ["--proc", "/proc"] + Sandbox.Mount.settings
    }
  }
}
