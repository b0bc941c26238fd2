// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Assembler

/// Servers of git that accept a connection and then do not what they should.
@Suite struct SilentServerTests {
  /// Says nothing, sends what is no answer of git, or refs without an end.
  private static let server = """
    import socket, sys, os, threading, time
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(8); kept = []
    open(sys.argv[2] + ".new", "w").write(str(s.getsockname()[1])); os.rename(sys.argv[2] + ".new", sys.argv[2])
    def talk(c):
        try:
            if sys.argv[1] == "garbage": c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n<html>" * 100)
            if sys.argv[1] == "refs":
                n = 0
                while True:
                    line = b"%040x refs/heads/%d" % (n + 1, n) + (b"\\0 x\\n" if n == 0 else b"\\n"); n += 1
                    c.sendall(b"%04x" % (len(line) + 4) + line)
            if sys.argv[1] == "huge": c.sendall(b"ffff" + bytes(100))
        except OSError: pass
        if sys.argv[1] in ("garbage", "huge"): c.close()
    while True:
        c, _ = s.accept(); kept.append(c); threading.Thread(target=talk, args=(c,), daemon=True).start()
    """

  private func expect(_ kind: String, _ words: String) async throws {
    try await Workshop.use { workshop in
      let folder = workshop.folder
      try workshop.write("server.py", Self.server)
      let server = try Child(workshop, ["server.py", kind, "port"], program: "python3")
      #expect(try await server.wait { Files.exists(folder.appending("port")) })
      let port = String(decoding: try Files.read(folder.appending("port")), as: UTF8.self)
      var remote = GitRemote("git://127.0.0.1:\(port)/x.git", cache: folder.appending("cache"))
      // On a machine that is busy, two seconds are too few for what does answer.
      remote.patience = .seconds(kind == "silent" ? 2 : 60)
      let error = await #expect(throws: ReleaseError.self) { try await remote.fetch("v1", progress: .silent) }
      #expect(error?.code == .source && error?.reason.contains(words) == true, "\(kind): \(String(describing: error))")
    }
  }

  @Test func aServerThatSaysNothing() async throws { try await expect("silent", "has sent nothing for 2 seconds") }
  @Test func aServerThatSaysSomethingElse() async throws { try await expect("garbage", "git: ") }
  @Test func aServerThatStopsInTheMiddle() async throws { try await expect("huge", "git: ") }
  @Test func aServerWithRefsWithoutEnd() async throws { try await expect("refs", "has sent more than") }
}
