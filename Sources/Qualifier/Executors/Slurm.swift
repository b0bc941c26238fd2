// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import Processes
import SystemPackage

/// The programs of Slurm that lrelease runs.
struct Slurm: Sendable {
  /// A job, as `sbatch --parsable` names it: `17`, or `17;north` on another cluster.
  struct Job: Sendable, CustomStringConvertible {
    let number: String
    let cluster: String?

    init?(_ text: String) {
      let halves = text.split(separator: ";", maxSplits: 1).map { $0.trimmed }
      guard let number = halves.first, !number.isEmpty, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        return nil
      }
      self.number = number
      cluster = halves.count == 2 ? halves[1] : nil
    }

    var text: String { number + (cluster.map { ";\($0)" } ?? "") }
    var description: String { number + (cluster.map { " of the cluster \($0)" } ?? "") }
    fileprivate var options: [String] { cluster.map { ["--clusters=\($0)"] } ?? [] }
  }

  /// The state of one task of an array job.
  struct TaskState: Sendable, Equatable {
    /// Such as `PENDING`, `RUNNING`, `NODE_FAIL`.
    var state: String
    /// The reason that Slurm gives for the state: `Resources`, `NonZeroExitCode`.
    var reason: String
    var node: String

    /// Source: squeue(1), JOB STATE CODES. In all other states, such as COMPLETING or REQUEUED, the task continues.
    private static let ends: Set<String> = [
      "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",
      "TIMEOUT",
    ]
    var isOver: Bool { Self.ends.contains(state) }
  }

  /// The environment variables for these programs, which pass them on to the tasks on the nodes.
  ///
  /// TMPDIR is left out, because the nodes have their own; so are Slurm's variables, in case lrelease runs in a job.
  private let environment: [String: String]

  init() {
    var chosen = Command.plainEnvironment
    let names: Set = ["HOME", "USER", "LOGNAME", "SLURM_CONF", "ALL_PROXY"]
    for (name, value) in Slurm.allVariables
    where names.contains(name) || name.hasPrefix("SBATCH_") || name.hasPrefix("LRELEASE_")
      || name.lowercased().hasSuffix("_proxy")
    {
      chosen[name] = value
    }
    environment = chosen
  }

  private static var allVariables: [(String, String)] {
    var found: [(String, String)] = []
    var next = environ
    while let entry = next.pointee {
      let halves = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if halves.count == 2 { found.append((String(halves[0]), String(halves[1]))) }
      next += 1
    }
    return found
  }

  func submit(_ arguments: [String], doing: String) async throws -> Job {
    let submitted = try await Command("sbatch", ["--parsable"] + arguments, environment: environment).run(doing: doing)
    guard submitted.succeeded else {
      throw ReleaseError(
        .failed, doing: doing, reason: submitted.complaint,
        remedy: QualifierRemedy.giveOptionOfSbatch)
    }
    guard let job = Job(submitted.text.trimmed) else {
      throw ReleaseError(.failed, doing: doing, reason: "sbatch gave no job number, but '\(submitted.text.trimmed)'")
    }
    return job
  }

  /// The most tasks in an array job: MaxArraySize, because the largest index is below it. If sbatch chooses among
  /// several clusters, the smallest counts.
  func largestArray(on clusters: String?) async throws -> Int {
    let names = clusters?.split(separator: ",").map(String.init) ?? []
    var sizes: [Int] = []
    for cluster in names.isEmpty ? [nil] : names.map(Optional.some) {
      let outcome = try? await Command(
        "scontrol", (cluster.map { ["--clusters=\($0)"] } ?? []) + ["show", "config"], environment: environment
      ).run(doing: "asking Slurm for its limits")
      try Task.checkCancellation()
      for line in outcome?.text.split(separator: "\n") ?? [] where line.hasPrefix("MaxArraySize") {
        sizes += line.split(separator: "=").dropFirst().compactMap { Int($0.trimmed) }
      }
    }
    // Slurm's default. A cluster without array jobs says 0: sbatch reports that.
    return max(1, sizes.min() ?? 1001)
  }

  /// The tasks of an array job that Slurm still knows, by index.
  ///
  /// - Returns: nil if Slurm does not answer.
  func tasks(of job: Job, doing: String) async throws -> [Int: TaskState]? {
    // For one job, slurmctld does not send its whole queue. It forgets ended jobs after MinJobAge, 300 s.
    let outcome = try await Command(
      "squeue",
      job.options + ["--noheader", "--array", "--states=all", "--jobs=\(job.number)", "--format=%K|%T|%r|%N"],
      environment: environment
    ).run(doing: doing)
    guard outcome.succeeded else { return outcome.errors.contains("Invalid job id") ? [:] : nil }
    return table(outcome.text)
  }

  /// The tasks of an array job that ended long ago; empty on a cluster without accounting.
  func pastTasks(of job: Job, doing: String) async throws -> [Int: TaskState] {
    let outcome = try? await Command(
      "sacct",
      job.options + [
        "--noheader", "--parsable2", "--allocations", "--jobs=\(job.number)", "--format=JobID,State,Reason,NodeList",
      ],
      environment: environment
    ).run(doing: doing)
    try Task.checkCancellation()
    guard let outcome, outcome.succeeded else { return [:] }
    // "17_3|CANCELLED by 1000|None|n1"
    return table(outcome.text.replacing("\(job.number)_", with: ""))
  }

  private func table(_ text: String) -> [Int: TaskState] {
    var tasks: [Int: TaskState] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmed }
      guard fields.count == 4, let index = Int(fields[0]) else { continue }
      let state = fields[1].split(separator: " ").first.map(String.init) ?? ""
      tasks[index] = TaskState(state: state, reason: fields[2], node: fields[3])
    }
    return tasks
  }

  /// The job with this name, if it has not ended.
  ///
  /// - Parameter clusters: where to look, if not on the cluster of this machine.
  func job(named name: String, on clusters: String?, doing: String) async throws -> Job? {
    let outcome = try await Command(
      "squeue", (clusters.map { ["--clusters=\($0)"] } ?? []) + ["--noheader", "--name=\(name)", "--format=%F"],
      environment: environment
    ).check(doing: doing)
    var cluster = ""
    for line in outcome.text.split(separator: "\n").map({ $0.trimmed }) {
      // With clusters, squeue prints a heading before the jobs of each.
      if line.hasPrefix("CLUSTER: ") {
        cluster = ";\(line.dropFirst(9).trimmed)"
      } else if let job = Job(line + cluster) {
        return job
      }
    }
    return nil
  }

  func cancel(_ job: Job, doing: String) async throws {
    _ = try await Command("scancel", job.options + [job.number], environment: environment).check(doing: doing)
  }

  /// The clusters that the options of sbatch or the environment name.
  func clusters(in options: [String]) -> String? {
    var found = environment["SBATCH_CLUSTERS"]
    var rest = options[...]
    while let option = rest.popFirst() {
      if option == "-M" || ["--clusters", "--cluster"].contains(option) {
        found = rest.popFirst() ?? found
      } else if let equals = option.firstIndex(of: "="), ["--clusters", "--cluster"].contains(option[..<equals]) {
        found = String(option[option.index(after: equals)...])
      } else if option.hasPrefix("-M"), option.utf8.count > 2 {
        found = String(option.dropFirst(2))
      }
    }
    return found
  }
}
