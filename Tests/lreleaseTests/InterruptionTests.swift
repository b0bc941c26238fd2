// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// Ctrl-C and SIGTERM in each phase of a cut: one line, status 130, no file and no child left.
@Suite(.serialized) struct InterruptionTests {
  enum Phase: String, CaseIterable {
    case fetching, reading, checkingSignature, preparing, writingTarball, writingDeb, writingRPM
  }

  /// How the signal comes: a terminal gives Ctrl-C to the whole process group, `kill` and systemd give SIGTERM.
  enum Stop: CaseIterable { case controlC, terminate, hangUp }

  @Test(arguments: Phase.allCases) func controlC(phase: Phase) async throws { try await stop(phase, .controlC) }

  @Test(arguments: [Phase.reading, .preparing, .writingTarball, .writingRPM])
  func terminate(phase: Phase) async throws { try await stop(phase, .terminate) }

  @Test func hangUp() async throws { try await stop(.preparing, .hangUp) }

  private func stop(_ phase: Phase, _ stop: Stop) async throws {
    // On a busy machine, a cut can be through before we have seen the phase.
    for _ in 0..<5 {
      if try await isStopped(phase, stop) { return }
    }
    Issue.record("\(phase) was never seen")
  }

  /// - Returns: false when the cut ended well before the phase was seen.
  private func isStopped(_ phase: Phase, _ stop: Stop) async throws -> Bool {
    try await Workshop.use { workshop in
      var arguments = try await prepare(phase, workshop)
      let child: Child
      var server: Child?
      if phase == .fetching {
        server = try stalledServer(workshop)
        let port = workshop.folder.appending("port")
        #expect(try await server?.wait { Files.exists(port) } == true)
        let url = "http://127.0.0.1:\(String(decoding: try Files.read(port), as: UTF8.self))/linux.tar.xz"
        arguments += ["--source", "linux=\(url)"]
      }
      child = try Child(workshop, arguments)
      var below: [pid_t: String] = [:]
      // At once: a phase may last only a moment.
      let reached = try await child.wait {
        below = try child.descendants()
        guard isReached(phase, workshop, below) else { return false }
        switch stop {
        case .controlC: kill(-child.pid, SIGINT)
        case .terminate: kill(child.pid, SIGTERM)
        case .hangUp: kill(child.pid, SIGHUP)
        }
        return true
      }
      if !reached, child.exitStatus == 0 { return false }
      #expect(reached, "\(phase) was not reached: \(child.errorText)")
      let start = ContinuousClock.now
      _ = try await child.wait(seconds: 120) { false }
      #expect(!child.isRunning, "it goes on after \((ContinuousClock.now - start).seconds) s")
      #expect(child.exitStatus == 130, "\(child.errorText)")
      #expect(child.errorText == "error: interrupted; nothing half-written was left\n")
      // What is below a sandbox ends with it, a moment later on a busy machine.
      var left = below
      for _ in 0..<100 {
        left = try left.filter { try Files.exists(FilePath("/proc/\($0.key)")) && isSame($0.key, $0.value) }
        if left.isEmpty { break }
        try await Task.sleep(for: .milliseconds(50))
      }
      for (id, line) in left { Issue.record("still there: \(id) \(line)") }
      #expect(kill(-child.pid, 0) == -1 && errno == ESRCH, "the process group is not empty")
      workshop.expectNothing()
      withExtendedLifetime(server) {}
      return true
    }
  }

  private func isSame(_ id: pid_t, _ line: String) throws -> Bool {
    // A process that ended and waits to be reaped has no command line.
    let bytes = (try? Files.read(FilePath("/proc/\(id)/cmdline"))) ?? []
    return !line.isEmpty && String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self) == line
  }

  private func isReached(_ phase: Phase, _ workshop: Workshop, _ below: [pid_t: String]) -> Bool {
    let part = workshop.output.appending(".demo-7.4.partial")
    let names = ((try? Files.names(in: part)) ?? []).map { String(decoding: $0, as: UTF8.self) }
    func has(_ suffix: String) -> Bool { names.contains { $0.hasSuffix(suffix) } }
    func runs(_ word: String) -> Bool { below.values.contains { $0.contains(word) } }
    return switch phase {
    case .fetching: Files.exists(workshop.folder.appending("asked")) && runs("curl ")
    case .reading: runs("bzip2 ")
    case .checkingSignature: runs("bzip2 ") && runs("gpgv ")
    case .preparing: runs("sleep 1234")
    case .writingTarball: has(".tar.xz")
    case .writingDeb: has(".tar.zst") && !has(".deb")
    case .writingRPM: runs("rpm-worker")
    }
  }

  /// A manifest and sources with which the phase takes long enough.
  private func prepare(_ phase: Phase, _ workshop: Workshop) async throws -> [String] {
    let here = ["--source", "linux=linux"]
    switch phase {
    case .fetching:
      try workshop.writeManifest()
      return workshop.cutArguments("demo.toml")
    case .reading, .checkingSignature:
      // 6 GB of zeros, in pieces that are unpacked one after the other.
      let script = """
        import bz2, tarfile
        i = tarfile.TarInfo("linux/big"); i.size = 6000 * 1000 * 1000
        with open("linux.tar.bz2", "wb") as f:
            f.write(bz2.compress(i.tobuf())); piece = bz2.compress(bytes(50 * 1000 * 1000))
            for _ in range(120): f.write(piece)
        """
      _ = try await Command("python3", ["-c", script], directory: workshop.folder).check(doing: "making an archive")
      var source = ""
      if phase == .checkingSignature {
        try await workshop.shell(
          """
          export GNUPGHOME=$PWD/gnupg; mkdir -m 700 gnupg; echo x > x
          gpg --batch --quiet --passphrase '' --quick-generate-key a@example.org ed25519 sign never
          gpg --batch --quiet --output linux.tar.sign --detach-sign x
          gpg --batch --quiet --export > keys.gpg; gpgconf --kill gpg-agent
          """)
        source = "keyring = \"keys.gpg\"\nsigners = [\"\(String(repeating: "A", count: 40))\"]"
      }
      try workshop.writeManifest(source: source)
      return workshop.cutArguments("demo.toml", ["--source", "linux=linux.tar.bz2"])
    case .preparing:
      try workshop.writeManifest("[[prepare]]\nrun = [\"sh\", \"-c\", \"sleep 1234; true\"]")
      return workshop.cutArguments("demo.toml", here)
    case .writingTarball, .writingDeb, .writingRPM:
      var random: UInt64 = 1
      for number in 0..<12 {
        let bytes = (0..<1_000_000).map { _ in
          random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return UInt8(truncatingIfNeeded: random >> 33)
        }
        try workshop.write("linux/fs/data-\(number)", bytes)
      }
      try workshop.writeManifest(Workshop.packages)
      return workshop.cutArguments("demo.toml", here + (phase == .writingTarball ? [] : ["--compression", "zst"]))
    }
  }

  /// Answers with the start of a file, and then with nothing more.
  private func stalledServer(_ workshop: Workshop) throws -> Child {
    let script = """
      import socket, os, time
      s = socket.create_server(("127.0.0.1", 0))
      open("port.new", "w").write(str(s.getsockname()[1])); os.rename("port.new", "port")
      c, _ = s.accept(); c.recv(4096)
      c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1000000\\r\\n\\r\\n" + b"x" * 1000)
      open("asked", "w").close(); time.sleep(600)
      """
    return try Child(workshop, ["-c", script], program: "python3", log: "server-log")
  }
}
