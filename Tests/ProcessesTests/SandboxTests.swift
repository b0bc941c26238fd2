// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite struct SandboxTests {
  /// Walls as the prepare step and the worker of rpm have them.
  private let walls = Sandbox(
    [.readOnly("/", at: "/"), .devices, .processes, .empty("/tmp")], namespaces: .all, capabilities: .none,
    environment: ["PATH": "/usr/bin:/bin", "A": "1"], directory: "/tmp", hasOwnSession: true)

  private func output(_ sandbox: Sandbox, _ script: String) async throws -> String {
    try await sandbox.command("sh", ["-c", script]).check(doing: "testing").text.trimmed
  }

  @Test func networkIsOff() async throws {
    #expect(try await output(walls, "tail -n +3 /proc/net/dev | cut -d: -f1").trimmed == "lo")
    #expect(try await output(walls, "tail -n +2 /proc/net/route") == "")
  }

  @Test func theEnvironmentIsItsOwn() async throws {
    let outcome = try await walls.command("env", []).check(doing: "testing")
    let variables = outcome.text.split(separator: "\n").sorted()
    #expect(variables == ["A=1", "PATH=/usr/bin:/bin", "PWD=/tmp"])
    let usual = try await Sandbox([.machine]).command("env", []).check(doing: "testing").text
    for (name, value) in Command.plainEnvironment { #expect(usual.contains("\(name)=\(value)\n")) }
  }

  @Test func theRootIsReadOnly() async throws {
    try await withScratch { scratch in
      var sandbox = walls
      sandbox.mounts.append(.writable(scratch, at: "/tmp/own"))
      let script = "for f in /file /etc/file /usr/file /tmp/file /tmp/own/file; do (: >$f) 2>/dev/null && echo $f; done"
      let written = try await output(sandbox, "\(script); :")
      #expect(written == "/tmp/file\n/tmp/own/file")
      #expect(Files.exists(scratch.appending("file")) && !Files.exists("/tmp/file"))
      sandbox.mounts.append(.readOnly(scratch, at: "/tmp/own"))
      let refused = try await output(sandbox, "(: >/tmp/own/more) 2>/dev/null || echo no")
      #expect(refused == "no")
    }
  }

  @Test func processesUserAndHostNameAreItsOwn() async throws {
    var sandbox = walls
    sandbox.user = (0, 0)
    sandbox.hostName = "elsewhere"
    let script = "id -u; id -g; uname -n; pwd; cd /proc; ls -d [0-9]* | wc -l; grep CapEff self/status | cut -f2"
    let lines = try await output(sandbox, script).split(separator: "\n")
    #expect(lines.prefix(4) == ["0", "0", "elsewhere", "/tmp"])
    #expect(Int(lines[4]) ?? 99 < 8)
    #expect(lines[5] == "0000000000000000")
  }

  /// The options of an overlay are cut at commas and colons.
  @Test(arguments: ["plain", "with space", "a,b", "a:b", "a\\b", "-o ro", "a'b\"c", "ä$HOME"])
  func onlyTheLayerOfAFolderChanges(name: String) async throws {
    try await withScratch { outer in
      let scratch = outer.appending(name)
      let root = outer.appending("of,\(name)").appending("root")
      try Files.makeFolder(root)
      for folder in [String]() + Sandbox.Layers.folders { try Files.makeFolder(scratch.appending(folder)) }
      try Files.write(Array("old\n".utf8), to: root.appending("file"))
      // An overlay cannot be mounted everywhere, such as in a container on a file system that is an overlay itself.
      let isUser = geteuid() != 0
      let layers = Sandbox.Layers(
        on: [root], in: scratch,
        preparation: ["sh", "-c", "echo made >\"$0/made\" && exec \"$@\"", "\(scratch)/merged"],
        mapsUser: isUser)
      let sandbox = Sandbox([.readOnly("/", at: "/"), .layered(layers, at: "/mnt")], directory: "/mnt")
      let command = sandbox.command("sh", ["-c", "cat made; echo new >file; rm made; ls"])
      let outcome = try await command.run(doing: "testing")
      if !outcome.succeeded, outcome.errors.contains("mount: ") { return }
      #expect(outcome.text == "made\nfile\n", "\(outcome.errors)")
      #expect(try Files.read(root.appending("file")) == Array("old\n".utf8))
      #expect(try Files.read(scratch.appending("upper/file")) == Array("new\n".utf8))
      #expect(try Files.names(in: scratch.appending("merged")).isEmpty)
    }
  }

  @Test(arguments: ["walls", "tied", "leaving nothing"])
  func itDiesWithTheParent(kind: String) async throws {
    let sandbox = ["tied": Sandbox.tiedToUs, "leaving nothing": Sandbox.leavingNothing][kind] ?? walls
    if kind == "leaving nothing" && geteuid() != 0 { return }
    try await Workshop.use { workshop in
      let command = sandbox.command("sleep", ["314.15"])
      let words = ([command.program] + command.arguments).map(Script.quote).joined(separator: " ")
      let child = try Child(workshop, ["-c", "\(words) & wait"], program: "/bin/sh")
      func sleepers() throws -> [pid_t] {
        try child.descendants().filter { $0.value == "sleep 314.15 " }.map(\.key)
      }
      #expect(try await child.wait { try !sleepers().isEmpty }, "\(child.errorText)")
      let started = try sleepers()
      kill(child.pid, SIGKILL)
      for _ in 0..<1000 where started.contains(where: { kill($0, 0) == 0 }) {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(started.allSatisfy { kill($0, 0) != 0 })
    }
  }

  @Test func aCancelledOneIsKilled() async throws {
    try await withScratch { scratch in
      var sandbox = walls
      sandbox.mounts.append(.writable(scratch, at: "/tmp/own"))
      let script = "trap '' TERM INT; : >own/started; sleep 271.8; : >own/survived"
      let command = sandbox.command("sh", ["-c", script])
      let task = Task { try await command.run(doing: "testing") }
      while !Files.exists(scratch.appending("started")) { try await Task.sleep(for: .milliseconds(5)) }
      let start = ContinuousClock.now
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(ContinuousClock.now - start < .seconds(60))
      #expect(!Files.exists(scratch.appending("survived")))
    }
  }

  @Test func nothingIsSaidTwice() {
    let full = Sandbox(
      walls.mounts, namespaces: [.network, .processes, .ipc, .hostName], capabilities: .all, hostName: "a",
      user: (0, 0), environment: ["A": "1", "B": "2"], directory: "/tmp", hasOwnSession: true)
    for sandbox in [walls, full, .tiedToUs, .leavingNothing] {
      let arguments = sandbox.command("true", []).arguments
      // What is given once for each place or name.
      let several = ["--ro-bind", "--ro-bind-try", "--tmpfs", "--setenv"]
      let options = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") && !several.contains($0) }
      #expect(Set(options).count == options.count, "\(options)")
      #expect(arguments.last == "true")
    }
    let options = full.command("true", []).arguments.filter { $0.hasPrefix("--unshare-") }
    #expect(options == ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts"])
  }

  @Test func aProgramThatIsTiedToUsIsNamedWhenItIsMissing() async throws {
    let error = await #expect(throws: (any Error).self) {
      _ = try await Sandbox.tiedToUs.command("no-such-program-here", []).run(doing: "testing")
    }
    #expect("\(error as Any)".contains("the program no-such-program-here is not installed"))
    let command = Sandbox.tiedToUs.command("sh", ["-c", "echo why >&2; exit 3"])
    #expect(command.name == "sh")
    #expect(try await command.run(doing: "testing").status == .exited(3))
  }
}
