// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Glibc
import Groundwork
import SystemPackage

/// What a root file system of a distribution is made of. One recipe makes one root, which is kept.
package struct RootRecipe: Sendable, Hashable, Codable {
  package struct Repository: Sendable, Hashable, Codable {
    package var name: String
    package var url: String
  }

  /// Suites of Debian's archive, the base first: `["bookworm", "bookworm-security"]`.
  package var suites: [String]
  package var components: [String]
  /// The archive; nil for the one that this machine gets Debian from.
  package var mirror: String?
  /// Of an RPM distribution.
  package var repositories: [Repository]
  package var releasever: String?
  package var packages: [String]
  /// A control file of Debian whose build dependencies are installed too.
  package var buildDependencies: String?
  /// Packages that lie in `/later` with what they need, to be installed when the root is used.
  package var later: [String]?

  package init(
    suites: [String] = [], components: [String] = ["main"], mirror: String? = nil, repositories: [Repository] = [],
    releasever: String? = nil, packages: [String], buildDependencies: String? = nil
  ) {
    self.suites = suites
    self.components = components
    self.mirror = mirror
    self.repositories = repositories
    self.releasever = releasever
    self.packages = packages.sorted()
    self.buildDependencies = buildDependencies
  }

  /// What people call it.
  package var title: String { suites.first ?? repositories.first?.name ?? "nothing" }

  /// Names the root in the cache.
  package var key: String {
    get throws { "\(title)-\(SHA256Digest(of: Array(try JSON.encode(self))).hex.prefix(16))" }
  }
}

/// A root file system of a distribution: a folder in the cache that is never written to again.
package struct Root: Sendable {
  package let path: FilePath
  /// The tail of this machine's PATH must not decide what a root finds.
  private static let environment = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
    "TZ": "UTC", "DEBIAN_FRONTEND": "noninteractive",
  ]

  private static let needsSpace = "free some space, or give another --cache"

  /// The root of a recipe, made with mmdebstrap or dnf when the cache does not have it.
  ///
  /// - Throws: `ReleaseError` with code `missingTool` without the program, `failed` with the last line that it wrote.
  package init(_ recipe: RootRecipe, cache: FilePath, progress: Progress) async throws {
    let doing = "making a root of \(recipe.title)"
    guard geteuid() == 0 else {
      throw ReleaseError(.failed, doing: doing, reason: "that needs the rights of root", advice: "run as root")
    }
    path = cache.appending(try recipe.key)
    if Files.exists(path) { return }
    try Files.makeFolder(cache)
    let lock = open("\(path).partial.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw ReleaseError(errno: errno, doing: "writing \(cache)") }
    defer { close(lock) }
    // Whoever makes the same root meanwhile, here or in another process, takes minutes: no thread may stand still for it.
    while flock(lock, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw ReleaseError(
          errno: errno, doing: "locking \(path)", advice: "give a --cache on a file system that has locks")
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    if Files.exists(path) { return }
    // Where a network file system has locks that other machines do not see, each still writes a folder of its own, and
    // the first that is complete becomes the root.
    let part = FilePath("\(path).\(Root.machine).partial")
    try Files.remove(part)
    let place = path
    do {
      try await progress.step(doing) {
        if recipe.repositories.isEmpty {
          try await Root.mmdebstrap(recipe, part, doing: doing)
        } else {
          try await Root.dnf(recipe, part, doing: doing)
        }
        if rename(part.string, place.string) == 0 { return }
        let problem = errno
        guard Files.exists(place) else { throw ReleaseError(errno: problem, doing: doing) }
        try Files.remove(part)
      }
    } catch {
      let isFull = error is ReleaseError && Files.isFull(part)
      try? Files.remove(part)
      throw isFull ? ReleaseError(errno: ENOSPC, doing: doing, advice: Root.needsSpace) : error
    }
  }

  private static var machine: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Runs what makes a root in a mount and process namespace of its own, so that nothing stays mounted or running.
  private static func make(_ words: [String], input: [UInt8] = [], doing: String) async throws {
    var command = Command(
      "unshare",
      ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--"] + words)
    command.endsWithUs = true
    let outcome = try await command.run(input: input, doing: doing)
    guard !outcome.succeeded else { return }
    let program = words[0]
    if outcome.status == .exited(127) {
      throw ReleaseError(
        .missingTool, doing: doing, reason: "the program \(program) is not installed",
        advice: "on Debian: apt-get install \(program)")
    }
    // What apt or dnf said first; the last line only says that it did not work.
    let cause =
      outcome.errors.split(separator: "\n").map { $0.trimmed }.first {
        ["E: ", "Error: "].contains(where: $0.hasPrefix) || $0.contains(" Depends: ") && $0.contains(" but ")
      } ?? outcome.complaint
    let advice: String? =
      if ["No space left", "enough free space"].contains(where: cause.contains) {
        Root.needsSpace
      } else if ["fetch", "download"].contains(where: cause.contains) {
        "is its archive reachable?"
      } else {
        nil
      }
    throw ReleaseError(.failed, doing: doing, reason: "\(program): \(cause)", advice: advice)
  }

  private static func mmdebstrap(_ recipe: RootRecipe, _ part: FilePath, doing: String) async throws {
    let lines: [String]
    var options: [String] = []
    if let mirror = recipe.mirror {
      lines = recipe.suites.map { "deb \(mirror) \($0) \(recipe.components.joined(separator: " "))" }
    } else {
      let archive = try DebianArchive()
      lines = try archive.lines(suites: recipe.suites, components: recipe.components)
      options = try await archive.options().map { "--aptopt=\($0)" }
    }
    var arguments = [
      "mmdebstrap", "--verbose", "--mode=root", "--variant=apt", "--format=directory",
      "--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Retries \"1\"",
      "--include=\(recipe.packages.joined(separator: ","))",
    ]
    arguments += options
    try await withScratch { scratch in
      if let control = recipe.buildDependencies {
        try Files.makeFolder(scratch.appending("build-dependencies/debian"))
        try Files.write(Array(control.utf8), to: scratch.appending("build-dependencies/debian/control"))
        arguments += [
          "--customize-hook=copy-in \(scratch)/build-dependencies /tmp",
          "--customize-hook=chroot \"$1\" apt-get build-dep --yes --quiet /tmp/build-dependencies",
          "--customize-hook=rm -r \"$1/tmp/build-dependencies\"",
        ]
      }
      if let later = recipe.later, !later.isEmpty {
        arguments += [
          "--customize-hook=mkdir -p \"$1/later/partial\"",
          "--customize-hook=chroot \"$1\" apt-get install --yes --quiet --download-only "
            + "-o Dir::Cache::archives=/later \(later.joined(separator: " "))",
          "--customize-hook=rm -rf \"$1/later/partial\" \"$1/later/lock\"",
        ]
      }
      arguments += [recipe.suites[0], part.string, "-"]
      try await make(arguments, input: Array((lines.joined(separator: "\n") + "\n").utf8), doing: doing)
    }
  }

  private static func dnf(_ recipe: RootRecipe, _ part: FilePath, doing: String) async throws {
    try await withScratch { scratch in
      let configuration = recipe.repositories.map {
        "[\($0.name)]\nname=\($0.name)\nbaseurl=\($0.url)\ngpgcheck=1\n"
      }
      try Files.makeFolder(scratch.appending("repos"))
      try Files.write(Array(configuration.joined(separator: "\n").utf8), to: scratch.appending("repos/lrelease.repo"))
      try await make(
        [
          "dnf", "--assumeyes", "--quiet", "--installroot=\(part)", "--setopt=reposdir=\(scratch)/repos",
          "--setopt=install_weak_deps=False", "--setopt=cachedir=\(scratch)/cache",
          "--releasever=\(recipe.releasever ?? "")", "install",
        ] + recipe.packages, doing: doing)
      if let later = recipe.later, !later.isEmpty {
        try await make(
          [
            "dnf", "--assumeyes", "--quiet", "--installroot=\(part)", "--setopt=reposdir=\(scratch)/repos",
            "--releasever=\(recipe.releasever ?? "")", "download", "--resolve", "--destdir=\(part)/later",
          ] + later, doing: doing)
      }
    }
  }

  /// Uses the root: what `body` changes in it goes when `body` has returned.
  package func use<R: Sendable>(_ body: (RootSession) async throws -> R) async throws -> R {
    let root = path
    return try await withScratch { scratch in
      for layer in ["upper", "work", "merged"] { try Files.makeFolder(scratch.appending(layer)) }
      // It becomes the root of the root, for users in it too, whatever the umask is here.
      chmod(scratch.appending("upper").string, 0o755)
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

  /// Whether what was changed has filled the disk that the session is on.
  package var isFull: Bool { Files.isFull(scratch) }

  /// A file that a command in this session has made or changed, seen from outside; what the root came with is not here.
  package func written(_ path: String) -> FilePath {
    scratch.appending("upper").pushing(FilePath(String(path.drop { $0 == "/" })))
  }

  /// A file of the root as the commands of this session see it, seen from outside; nil when there is none.
  package func found(_ path: String) -> FilePath? {
    let inner = FilePath(String(path.drop { $0 == "/" }))
    return [scratch.appending("upper").pushing(inner), root.pushing(inner)].first { Files.exists($0) }
  }

  /// Runs a command in the root.
  ///
  /// - Parameters:
  ///   - folders: where the root has folders and files of this machine, to read only.
  ///   - network: whether it sees this machine's network; else it has a loopback interface and nothing besides.
  package func run(
    _ command: [String], folders: [String: FilePath] = [:], network: Bool = false,
    environment more: [String: String] = [:], doing: String
  ) async throws -> Command.Outcome {
    let layers = [root.string] + ["upper", "work", "merged"].map { scratch.appending($0).string }
    let mount = #"mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4" && shift 4 && exec "$@""#
    var sandbox = [
      "bwrap", "--bind", layers[3], "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run",
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
