// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Glibc
import Groundwork
import SystemPackage

/// What a root file system of a distribution is made of. One recipe makes one root, which is kept.
package struct RootRecipe: Sendable, Hashable, Codable {
  /// Suites of Debian's archive, the base first: `["bookworm", "bookworm-security"]`.
  package var suites: [String]
  package var components: [String]
  package var packages: [String]

  package init(suites: [String], components: [String] = ["main"], packages: [String]) {
    self.suites = suites
    self.components = components
    self.packages = packages.sorted()
  }

  /// Names the root in the cache.
  package var key: String { get throws { String(SHA256Digest(of: Array(try JSON.encode(self))).hex.prefix(16)) } }
}

/// A root file system of a distribution: a folder in the cache that is never written to again.
package struct Root: Sendable {
  package let path: FilePath
  /// The tail of this machine's PATH must not decide what a root finds.
  private static let environment = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
    "TZ": "UTC", "DEBIAN_FRONTEND": "noninteractive",
  ]

  /// The root of a recipe, made with mmdebstrap when the cache does not have it.
  ///
  /// - Throws: `ReleaseError` with code `missingTool` without mmdebstrap, `failed` with the last line that it wrote.
  package init(_ recipe: RootRecipe, cache: FilePath, progress: Progress) async throws {
    guard geteuid() == 0 else {
      throw ReleaseError(
        .failed, doing: "making a root of \(recipe.suites[0])", reason: "that needs the rights of root",
        advice: "run as root")
    }
    path = try cache.appending("\(recipe.suites[0])-\(recipe.key)")
    if Files.exists(path) { return }
    try Files.makeFolder(cache)
    let lines = try DebianArchive().lines(suites: recipe.suites, components: recipe.components)
    let part = FilePath("\(path).partial")
    let lock = open("\(part).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else { throw ReleaseError(errno: errno, doing: "locking \(part)") }
    defer { close(lock) }
    if Files.exists(path) { return }
    try Files.remove(part)
    let doing = "making a root of \(recipe.suites[0])"
    let place = path
    do {
      try await progress.step(doing) {
        _ = try await Command(
          "mmdebstrap",
          [
            "--quiet", "--mode=root", "--variant=apt", "--format=directory",
            "--aptopt=APT::Install-Recommends \"false\"", "--include=\(recipe.packages.joined(separator: ","))",
            recipe.suites[0], part.string, "-",
          ]
        ).check(input: Array((lines.joined(separator: "\n") + "\n").utf8), doing: doing)
        guard rename(part.string, place.string) == 0 else { throw ReleaseError(errno: errno, doing: doing) }
      }
    } catch {
      try? Files.remove(part)
      throw error
    }
  }

  /// Uses the root: what `body` changes in it goes when `body` has returned.
  package func use<R: Sendable>(_ body: (RootSession) async throws -> R) async throws -> R {
    let root = path
    return try await withScratch { scratch in
      for layer in ["upper", "work", "merged"] { try Files.makeFolder(scratch.appending(layer)) }
      return try await body(RootSession(root: root, scratch: scratch, environment: Root.environment))
    }
  }
}

/// A root with a layer of its own on top, for one piece of work.
///
/// Each command gets the layers mounted in a mount namespace of its own and processes in a process namespace of its own,
/// so that nothing stays mounted or running, whatever happens to it.
package struct RootSession: Sendable {
  let root: FilePath
  let scratch: FilePath
  let environment: [String: String]

  /// A file that a command in this session has made or changed, seen from outside; what the root came with is not here.
  package func written(_ path: String) -> FilePath {
    scratch.appending("upper").pushing(FilePath(String(path.drop { $0 == "/" })))
  }

  /// Runs a command in the root.
  ///
  /// - Parameters:
  ///   - folders: folders of this machine → where the root has them, to read only.
  ///   - network: whether it sees this machine's network; else it has a loopback interface and nothing besides.
  package func run(
    _ command: [String], folders: [String: FilePath] = [:], network: Bool = false,
    environment more: [String: String] = [:], doing: String
  ) async throws -> Command.Outcome {
    let layers = [root.string] + ["upper", "work", "merged"].map { scratch.appending($0).string }
    let mount = #"mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4" && shift 4 && exec "$@""#
    var sandbox = [
      "bwrap", "--bind", layers[3], "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run",
      "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "lrelease", "--die-with-parent",
      "--cap-add", "ALL", "--chdir", "/", "--clearenv",
    ]
    if network {
      sandbox += ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]
    } else {
      sandbox.append("--unshare-net")
    }
    for (place, folder) in folders.sorted(by: { $0.key < $1.key }) { sandbox += ["--ro-bind", folder.string, place] }
    for (name, value) in environment.merging(more, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }) {
      sandbox += ["--setenv", name, value]
    }
    return try await Command(
      "unshare",
      ["--mount", "--propagation", "private", "sh", "-c", mount, "sh"] + layers + sandbox + ["--"] + command
    ).run(doing: doing)
  }
}
