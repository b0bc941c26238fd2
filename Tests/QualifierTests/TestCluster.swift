// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// munged, slurmctld and slurmd on the loopback interface, with all that they write in one folder.
struct TestCluster: Sendable {
  let folder: FilePath
  var configuration: FilePath { folder.appending("slurm.conf") }

  /// What this machine has not, of what a cluster needs.
  static let lacks: String = {
    let path = (Command.plainEnvironment["PATH"] ?? "").split(separator: ":")
    return ["munged", "slurmctld", "slurmd", "sbatch"].filter { name in
      !path.contains { access("\($0)/\(name)", X_OK) == 0 }
    }.joined(separator: ", ")
  }()

  static func use(in workshop: Workshop, _ body: (TestCluster) async throws -> Void) async throws {
    let cluster = TestCluster(folder: workshop.folder.appending("slurm"))
    try Files.makeFolder(cluster.folder.appending("state"))
    try Files.makeFolder(cluster.folder.appending("spool"))
    try cluster.writeConfiguration()
    var daemons: [Child] = []
    // Should the tests be killed, nobody else ends the daemons.
    func start(_ program: String, _ arguments: [String]) throws {
      daemons.append(
        try Child(
          workshop, ["SLURM_CONF=\(cluster.configuration)", "timeout", "7200", program] + arguments, program: "env",
          log: "\(program).err"))
    }
    func place(_ name: String) -> String { cluster.folder.appending(name).string }
    // Its folder is nobody's but ours: --force.
    try start(
      "munged",
      [
        "--foreground", "--force", "--socket=\(place("munge.socket"))", "--key-file=\(place("munge.key"))",
        "--pid-file=\(place("munged.pid"))", "--log-file=\(place("munged.log"))", "--seed-file=\(place("munge.seed"))",
      ])
    let hasSocket = try await daemons[0].wait { Files.exists(cluster.folder.appending("munge.socket")) }
    try #require(hasSocket, "\(daemons[0].errorText)")
    try start("slurmctld", ["-D", "-i"])
    try start("slurmd", ["-D", "-N", "node1"])
    var isReady = false
    for _ in 0..<300 where !isReady {
      isReady = try await cluster.command("sinfo --noheader --format=%T").text.trimmed == "idle"
      if !isReady { try await Task.sleep(for: .milliseconds(100)) }
    }
    try #require(isReady, "\(daemons.map(\.errorText))")
    let result: Result<Void, any Error>
    do { result = .success(try await body(cluster)) } catch { result = .failure(error) }
    _ = try? await cluster.command("scancel --user=root")
    for _ in 0..<100 where try await !cluster.active().isEmpty { try await Task.sleep(for: .milliseconds(100)) }
    for daemon in daemons.reversed() {
      kill(daemon.pid, SIGTERM)
      _ = try await daemon.wait(seconds: 10) { false }
    }
    try result.get()
  }

  private func writeConfiguration() throws {
    var random = SystemRandomNumberGenerator()
    try Files.write(
      (0..<1024).map { _ in UInt8.random(in: 0...255, using: &random) }, to: folder.appending("munge.key"), mode: 0o600)
    let ports = try (0..<2).map { _ in try freePort() }
    try Files.write(
      Array(
        """
        ClusterName=test
        SlurmctldHost=localhost(127.0.0.1)
        SlurmctldPort=\(ports[0])
        SlurmdPort=\(ports[1])
        CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
        SlurmUser=root
        SlurmdUser=root
        AuthInfo=socket=\(folder)/munge.socket
        StateSaveLocation=\(folder)/state
        SlurmdSpoolDir=\(folder)/spool
        SlurmctldPidFile=\(folder)/slurmctld.pid
        SlurmdPidFile=\(folder)/slurmd.pid
        SlurmctldLogFile=\(folder)/slurmctld.log
        SlurmdLogFile=\(folder)/slurmd.log
        ProctrackType=proctrack/linuxproc
        TaskPlugin=task/none
        SelectType=select/cons_tres
        SelectTypeParameters=CR_Core
        SchedulerType=sched/builtin
        SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
        SlurmdParameters=config_overrides
        MpiDefault=none
        MaxArraySize=2
        ReturnToService=2
        KillWait=10
        MailProg=/bin/true
        NodeName=node1 NodeHostname=localhost NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000
        PartitionName=all Nodes=node1 Default=YES MaxTime=INFINITE State=UP

        """.utf8), to: configuration)
  }

  /// A port that was free a moment ago.
  private func freePort() throws -> UInt16 {
    let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(raw) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failed = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(raw, $0, length) != 0 || getsockname(raw, $0, &length) != 0
      }
    }
    guard raw >= 0, !failed else { throw ReleaseError(errno: errno, doing: "finding a port") }
    return UInt16(bigEndian: address.sin_port)
  }

  func command(_ script: String) async throws -> Command.Outcome {
    try await Command(
      "sh", ["-c", script], environment: Command.plainEnvironment.merging(["SLURM_CONF": configuration.string]) { $1 }
    ).run(doing: "running \(script)")
  }

  @discardableResult func shell(_ script: String) async throws -> Command.Outcome {
    let outcome = try await command(script)
    #expect(outcome.succeeded, "\(script): \(outcome.errors)")
    return outcome
  }

  /// Jobs that have not ended.
  func active() async throws -> [String] {
    try await command("squeue --noheader --array --format=%A").text.split(separator: "\n").map(String.init)
  }

  /// Command lines of what runs in tasks: they know the configuration.
  ///
  /// - Parameter words: what the command line must contain. Only these processes are looked at closely: on a busy
  ///   machine, a look at all of them takes longer than a build.
  func processes(running words: String = "") throws -> [pid_t: String] {
    var found: [pid_t: String] = [:]
    for id in try Files.names(in: "/proc").compactMap({ pid_t(String(decoding: $0, as: UTF8.self)) }) {
      let line = text(of: id, "cmdline")
      if !words.isEmpty && !line.contains(words) { continue }
      if isBelow(id) { found[id] = line }
    }
    return found
  }

  private func text(of id: pid_t, _ name: String) -> String {
    let bytes = (try? Files.read(FilePath("/proc/\(id)/\(name)"))) ?? []
    return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
  }

  /// Whether it, or what has started it, is a task of ours. Processes in a chroot have another environment.
  private func isBelow(_ id: pid_t) -> Bool {
    let place = folder.removingLastComponent().string
    var id = id
    while id > 1 {
      if text(of: id, "cmdline").contains("\(place)/out") || text(of: id, "environ").contains("\(configuration) ") {
        return true
      }
      let parent = text(of: id, "status").split(separator: "\n").first { $0.hasPrefix("PPid:") }
      id = parent.flatMap { pid_t($0.dropFirst(5).trimmed) } ?? 0
    }
    return false
  }
}
