// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Qualifier

/// `lrelease qualify --executor slurm` on a cluster of one node that the test starts for itself.
@Suite(
  .serialized,
  .enabled(if: TestCluster.lacks.isEmpty, "it needs \(TestCluster.lacks): apt-get install slurm-wlm munge"))
struct SlurmTests {
  /// Processes that are stopped, and who stops more of them. All are let go, or end with their tasks.
  private final class Hold {
    private let watch: Child
    private let held: FilePath

    init(watch: Child, held: FilePath) {
      self.watch = watch
      self.held = held
    }

    var processes: [pid_t] {
      get throws {
        String(decoding: try Files.read(held), as: UTF8.self).split(separator: "\n").compactMap { pid_t($0) }
      }
    }

    func letGo() async throws {
      kill(watch.pid, SIGTERM)
      _ = try await watch.wait { false }
      for id in try processes { kill(id, SIGCONT) }
    }
  }

  private struct Place: Sendable {
    let workshop: Workshop
    let cluster: TestCluster
    var qualification: FilePath { workshop.output.appending("sample-7.2.1.qualification") }

    /// The nodes' TMPDIR is not that of lrelease.
    var nodeTemporary: FilePath { workshop.folder.appending("node-tmp") }

    func arguments(_ more: [String]) -> [String] {
      [
        "SLURM_CONF=\(cluster.configuration)", Workshop.lrelease, "qualify", "\(workshop.output)/sample-7.2.1",
        "--cache", testCache.string, "--targets", Workshop.root.appending("targets").string, "--level", "build",
        "--executor", "slurm", "--slurm-option=--cpus-per-task=1",
        "--slurm-option=--export=ALL,TMPDIR=\(nodeTemporary)", "--target", "debian-12",
      ] + more
    }

    func start(_ more: [String] = []) throws -> Child { try Child(workshop, arguments(more), program: "env") }

    func run(_ more: [String] = []) async throws -> Command.Outcome {
      try await Command(
        "timeout", ["--kill-after=20", "1800", "env"] + arguments(more), environment: workshop.environment,
        directory: workshop.folder
      ).run(doing: "running lrelease")
    }

    func verdict(_ name: String) throws -> Verdict {
      try JSON.decode(
        Verdict.self, from: Files.read(qualification.appending("verdicts").appending("\(name).modules.json")))
    }

    /// Starts lrelease, and holds all that builds in tasks of the node: this test may get to work much later.
    ///
    /// A process of its own looks out for make, with priority, as a build is over in a second and the other tests take
    /// their time. It goes on until it is told to let go.
    func startAndHold(_ more: [String] = []) async throws -> (Child, Hold) {
      let held = workshop.folder.appending("held")
      try Files.replace(held, with: [])
      let watch = try Child(
        workshop,
        [
          "-n", "-10", "python3", "-c", Self.watch, "\(workshop.folder)/out", cluster.configuration.string, held.string,
        ],
        program: "nice", log: "watch")
      let child = try start(more)
      let hold = Hold(watch: watch, held: held)
      let isHeld = try await child.wait(seconds: 1800) { try !hold.processes.isEmpty }
      #expect(isHeld, "\(watch.errorText) \(child.errorText)")
      return (child, hold)
    }

    /// Stops every make below a task, which names the folder or the configuration of Slurm, and writes their ids into a
    /// file, until it is ended.
    private static let watch = """
      import os, signal, sys, time
      folder, configuration = (word.encode() for word in sys.argv[1:3])
      def text(id, name):
          try:
              return open(f"/proc/{id}/{name}", "rb").read()
          except OSError:
              return b""
      def is_below(id):
          while id > 1:
              if folder in text(id, "cmdline") or configuration in text(id, "environ"):
                  return True
              fields = text(id, "stat").rpartition(b")")[2].split()
              id = int(fields[1]) if fields else 0
          return False
      held = set()
      while True:
          for id in map(int, filter(str.isdigit, os.listdir("/proc"))):
              if id not in held and b"make\\0-j" in text(id, "cmdline") and is_below(id):
                  os.kill(id, signal.SIGSTOP)
                  held.add(id)
                  with open(sys.argv[3], "a") as file:
                      print(id, file=file)
          time.sleep(0.005)
      """

    /// Demands that the tasks have left nothing on the node and in the folder of the qualification.
    func expectNothingLeft(_ location: Testing.SourceLocation = #_sourceLocation) async throws {
      // A job that was cancelled is there until its tasks have ended, and these a moment longer.
      for _ in 0..<100 where try await !cluster.active().isEmpty { try await Task.sleep(for: .milliseconds(100)) }
      #expect(try await cluster.active() == [], sourceLocation: location)
      for _ in 0..<100 where try !Files.names(in: nodeTemporary).isEmpty {
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(try Files.names(in: nodeTemporary) == [], sourceLocation: location)
      #expect(try Files.names(in: qualification.appending("slurm")) == [], sourceLocation: location)
      workshop.expectNothing(["sample-7.2.1", "sample-7.2.1.qualification"], location)
    }
  }

  private func onCluster(_ body: (Place) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      try await TestCluster.use(in: workshop) { cluster in
        let place = Place(workshop: workshop, cluster: cluster)
        try Files.makeFolder(place.nodeTemporary)
        try await body(place)
      }
    }
  }

  /// A task that is cancelled is not run; the same command does what is missing, and is interrupted at that first.
  @Test func anArrayIsCancelledInPartAndResumed() async throws {
    try await onCluster { place in
      let both = ["--target", "debian-12-6.12"]
      var (child, held) = try await place.startAndHold(both)
      // Slurm says two processors, and this machine has more: what a task was given counts.
      #expect(try !place.cluster.processes(running: "make -j1 ").isEmpty)
      try await place.cluster.shell("scancel 1_1")
      try await held.letGo()
      _ = try await child.wait(seconds: 1800) { false }
      #expect(child.exitStatus == 1)
      #expect(
        child.errorText.hasSuffix(
          "error: debian-12-6.12, linux-headers-6.12-amd64, modules was not run: Slurm job 1_1 was cancelled\n"),
        "\(child.errorText)")
      #expect(try place.verdict("debian-12").result == .pass)
      #expect(try place.verdict("debian-12-6.12").result == .notRun)
      try await place.expectNothingLeft()

      (child, held) = try await place.startAndHold(both)
      let asked = ContinuousClock.now
      kill(-child.pid, SIGINT)
      _ = try await child.wait { false }
      // Less than 2 s where nothing else runs; nobody waits for the task, which has 10 s to end.
      #expect(ContinuousClock.now - asked < .seconds(10), "\(ContinuousClock.now - asked)")
      #expect(child.exitStatus == 130)
      #expect(
        child.errorText.hasSuffix(
          "warning: Slurm job 3 was cancelled\nerror: interrupted; nothing half-written was left\n"),
        "\(child.errorText)")
      try await place.expectNothingLeft()

      try await held.letGo()
      let outcome = try await place.run(both)
      #expect(outcome.succeeded, "\(outcome.errors)")
      #expect(try place.verdict("debian-12-6.12").result == .pass)
      #expect(outcome.errors.contains("1 of 2 cases have a verdict already\n"), "\(outcome.errors)")
      #expect(outcome.errors.contains("1 of 1: debian-12-6.12.modules: pass, "), "\(outcome.errors)")
      #expect(outcome.text.contains("known") && !outcome.errors.contains(": debian-12.modules: "))
      try await place.expectNothingLeft()
    }
  }

  /// The cluster takes two tasks in an array. Nothing runs here: the jobs are held.
  @Test func moreCasesThanAnArrayMayHaveAreSeveralArrays() async throws {
    try await onCluster { place in
      let three = ["--target", "debian-12-6.12", "--target", "debian-13", "--slurm-option=--hold"]
      for (more, waits) in [([], false), (["--jobs", "1"], true)] {
        let child = try place.start(three + more)
        var tasks: [Substring] = []
        while tasks.count < 3, child.isRunning {
          try await Task.sleep(for: .milliseconds(500))
          tasks = try await place.cluster.command("squeue --noheader --array --format=%F_%K").text.split(
            separator: "\n")
        }
        let jobs = Set(tasks.map { $0.prefix { $0 != "_" } }).sorted()
        #expect(tasks.count == 3 && jobs.count == 2, "\(child.errorText)")
        #expect(Set(tasks.map { $0.drop { $0 != "_" } }) == ["_0", "_1"])
        let dependencies = try await place.cluster.command("squeue --noheader --format=%E").text
        #expect(dependencies.contains("afterany:\(jobs[0])") == waits, "\(dependencies)")
        kill(-child.pid, SIGINT)
        _ = try await child.wait { false }
        #expect(child.exitStatus == 130)
        for job in jobs { #expect(child.errorText.contains("warning: Slurm job \(job) was cancelled\n")) }
        try await place.expectNothingLeft()
      }
    }
  }

  /// What an lrelease that was killed has left to Slurm is waited for, and not started twice.
  @Test func aJobThatWasLeftIsTakenUp() async throws {
    try await onCluster { place in
      let (child, held) = try await place.startAndHold()
      kill(child.pid, SIGKILL)
      _ = try await child.wait { false }
      let next = try place.start()
      let isTakenUp = try await next.wait {
        next.errorText.contains("warning: Slurm job 1 is already running 1 of the cases; waiting for it")
      }
      #expect(isTakenUp, "\(next.errorText)")
      try await held.letGo()
      _ = try await next.wait(seconds: 1800) { false }
      #expect(next.exitStatus == 0, "\(next.errorText)")
      try await place.expectNothingLeft()
      #expect(try await place.cluster.shell("squeue --noheader --states=all --format=%A").text == "1\n")

      // What is known stays when a further level is refused or interrupted.
      let known = try place.verdict("debian-12")
      #expect(known.result == .pass && known.level == .build)
      let refused = try await place.run(["--level", "load", "--slurm-option=--partition=nowhere"])
      #expect(refused.errors.contains("Invalid partition name"), "\(refused.errors)")
      #expect(try place.verdict("debian-12") == known)
      let (interrupted, _) = try await place.startAndHold(["--level", "load"])
      kill(-interrupted.pid, SIGINT)
      _ = try await interrupted.wait { false }
      #expect(interrupted.exitStatus == 130)
      #expect(try place.verdict("debian-12") == known)
      try await place.expectNothingLeft()
    }
  }

  /// A dead node, a task that cannot begin, and what sbatch refuses.
  @Test func faultsOfTheCluster() async throws {
    try await onCluster { place in
      var (child, _) = try await place.startAndHold(["--slurm-option=--no-requeue"])
      try await place.cluster.shell("scontrol update nodename=node1 state=down reason=test")
      _ = try await child.wait(seconds: 600) { false }
      #expect(child.exitStatus == 1)
      #expect(
        child.errorText.contains("modules was not run: the node of Slurm job 1_0 failed (NODE_FAIL on node1)"),
        "\(child.errorText)")
      try await place.expectNothingLeft()
      // slurmd has its node back in service by itself, or not yet.
      _ = try await place.cluster.command("scontrol update nodename=node1 state=resume")

      (child, _) = try await place.startAndHold()
      for id in try place.cluster.processes(running: "qualify-case").keys { kill(id, SIGKILL) }
      _ = try await child.wait(seconds: 600) { false }
      #expect(child.exitStatus == 1)
      #expect(
        child.errorText.contains("modules was not run: Slurm job 2_0 left no verdict (FAILED, "), "\(child.errorText)")
      #expect(Files.exists(place.qualification.pushing("logs/debian-12.modules/slurm.log")))
      for left in try Files.names(in: place.nodeTemporary) {
        try Files.remove(place.nodeTemporary.appending(bytes: left))
      }

      let refused = try await place.run(["--quiet", "--slurm-option", "--partition=nowhere"])
      place.workshop.expectRefusal(
        refused, 1, "qualifying with Slurm: sbatch: error: ", "Invalid partition name", "--slurm-option",
        leaves: ["sample-7.2.1", "sample-7.2.1.qualification"])
      try await place.expectNothingLeft()
    }
  }
}
