// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import Verdicts

/// Runs cases on the nodes of a Slurm cluster, which share the folders of the release and of the chroots.
///
/// A qualification is one array job. Each task runs this program for one case, and keeps a verdict. Slurm is only asked
/// about tasks without a verdict, and seldom.
package struct SlurmExecutor: Executor {
  /// Options of sbatch, such as `--partition=build`. They come before the options that are set here.
  package var options: [String]
  /// Tasks at a time; nil for as many as Slurm allows.
  package var jobs: Int?

  private static let doing = "qualifying with Slurm"
  private let slurm = Slurm()

  package init(options: [String] = [], jobs: Int? = nil) {
    self.options = options
    self.jobs = jobs
  }

  package func run(
    _ cases: [Qualification.Case], of qualification: Qualification, _ candidate: CandidateRelease, progress: Progress
  ) async throws -> [Verdict] {
    var work = Work(cases: cases, verdicts: cases.map { _ in nil }, runs: [])
    try await takeUp(&work, of: qualification, progress: progress)
    let rest = cases.indices.filter { place in !work.runs.contains { $0.places.values.contains(place) } }
    do {
      var left = rest[...]
      let most = left.isEmpty ? 1 : try await slurm.largestArray(on: slurm.clusters(in: options))
      while !left.isEmpty {
        // With a limit of tasks at a time, run one array after the other: the limit is per array.
        let before = jobs == nil ? nil : work.runs.last?.job
        work.runs.append(try await submit(Array(left.prefix(most)), after: before, of: work, qualification, candidate))
        left = left.dropFirst(most)
        try Task.checkCancellation()
      }
      try await wait(for: &work, qualification, candidate, progress: progress)
    } catch {
      let runs = work.runs
      for run in runs { putBack(run.places.values, of: work, qualification, from: run.folder) }
      // A new task: this one may be cancelled, and a cancelled task starts no program.
      await Task {
        await withTaskGroup { group in
          for run in runs { group.addTask { await cancel(run, progress: progress) } }
        }
      }.value
      throw error
    }
    for run in work.runs { try? await Files.removeWhenQuiet(run.folder) }
    return work.verdicts.compactMap { $0 }
  }

  // MARK: submitting

  /// A running array job, and the folder that its tasks read.
  private struct Run: Sendable {
    var folder: FilePath
    var job: Slurm.Job
    /// The index of the case, by the index of the task.
    var places: [Int: Int]
    /// When tasks without a visible verdict were first seen to have completed.
    var ended: [Int: ContinuousClock.Instant] = [:]
  }

  private struct Work {
    let cases: [Qualification.Case]
    var verdicts: [Verdict?]
    var runs: [Run]
    var isDone: Bool { !verdicts.contains(nil) }
  }

  /// Submits cases as an array job.
  ///
  /// - Parameter before: a job that must end first.
  private func submit(
    _ places: [Int], after before: Slurm.Job?, of work: Work, _ qualification: Qualification,
    _ candidate: CandidateRelease
  ) async throws -> Run {
    let folder = try JobDirectory.make(work.cases, places, qualification)
    do {
      // The next verdict that appears is new. If there is no job, what is known stays known.
      for place in places { try qualification.store.setAside(work.cases[place].id, in: folder) }
      // The nodes run exactly this program, even if it is replaced here meanwhile.
      _ = try await Command("cp", ["/proc/\(getpid())/exe", folder.appending("lrelease").string])
        .check(doing: Self.doing)
      let guests = qualification.against == nil ? 1 : 2
      let memory = 2048 + (qualification.level > .build ? guests * candidate.manifest.qualify.memory : 0)
      let arguments =
        ["--nodes=1", "--ntasks=1", "--cpus-per-task=2", "--mem=\(memory)M", "--export=ALL", "--chdir=/"]
        + (before.map { ["--dependency=afterany:\($0.number)"] } ?? []) + options + [
          "--job-name=\(JobDirectory.name(folder))",
          "--array=0-\(places.count - 1)" + (jobs.map { "%\($0)" } ?? ""),
          "--output=\(folder.string.replacing("%", with: "%%"))/%a.log", folder.appending("task").string, folder.string,
        ]
      // Not cancellable: otherwise nobody would know whether there is a job.
      let job = try await Task { [slurm] in try await slurm.submit(arguments, doing: Self.doing) }.value
      try Files.write(Array("\(job.text)\n".utf8), to: folder.appending("job"))
      return Run(folder: folder, job: job, places: Dictionary(uniqueKeysWithValues: zip(places.indices, places)))
    } catch {
      putBack(places, of: work, qualification, from: folder)
      try? Files.remove(folder)
      throw error
    }
  }

  /// What was known stays known where no new verdict came.
  private func putBack(
    _ places: some Sequence<Int>, of work: Work, _ qualification: Qualification, from folder: FilePath
  ) {
    for place in places { try? qualification.store.putBack(work.cases[place].id, from: folder) }
  }

  /// Finds tasks that a killed lrelease left to Slurm, and waits for them instead of starting them twice.
  private func takeUp(_ work: inout Work, of qualification: Qualification, progress: Progress) async throws {
    for left in JobDirectory.all(of: qualification) {
      guard let job = try await jobNumber(of: left) else { continue }
      guard let tasks = try await slurm.tasks(of: job, doing: Self.doing) else {
        throw ReleaseError(.failed, doing: Self.doing, reason: "Slurm does not answer", advice: "try 'sinfo'")
      }
      guard tasks.values.contains(where: { !$0.isOver }) else {
        try await Files.removeWhenQuiet(left.folder)
        continue
      }
      var places: [Int: Int] = [:]
      for (index, one) in (left.qualification?.cases ?? []).enumerated() where tasks[index]?.isOver == false {
        guard left.qualification?.level == qualification.level,
          let place = work.cases.firstIndex(where: { $0.id == one.id && $0.inputs == one.inputs })
        else { continue }
        places[index] = place
      }
      guard !places.isEmpty else { continue }
      progress.warning("Slurm job \(job) is already running \(places.count) of the cases; waiting for it")
      work.runs.append(Run(folder: left.folder, job: job, places: places))
    }
  }

  private func jobNumber(of left: JobDirectory) async throws -> Slurm.Job? {
    if let job = left.job.flatMap({ Slurm.Job($0) }) { return job }
    // lrelease was killed while submitting. A recent folder may belong to one that is submitting now.
    if let job = try await slurm.job(
      named: JobDirectory.name(left.folder), on: slurm.clusters(in: options), doing: Self.doing)
    {
      return job
    }
    if left.age > 3600 { try await Files.removeWhenQuiet(left.folder) }
    return nil
  }

  // MARK: waiting

  private func wait(
    for work: inout Work, _ qualification: Qualification, _ candidate: CandidateRelease, progress: Progress
  ) async throws {
    // Do not overload slurmctld: after a while, ask it every half minute.
    var pause = 1.0
    var due = ContinuousClock.now
    var isSilent = false
    while true {
      take(&work, qualification, progress: progress)
      if work.isDone { return }
      if ContinuousClock.now >= due {
        var states: [Slurm.TaskState] = []
        var atWork: [String] = []
        for number in work.runs.indices {
          guard let tasks = try await slurm.tasks(of: work.runs[number].job, doing: Self.doing) else {
            if !isSilent { progress.warning("Slurm does not answer; waiting for verdicts") }
            isSilent = true
            continue
          }
          isSilent = false
          // A task may have kept a verdict just before it ended.
          take(&work, qualification, progress: progress)
          try await judge(&work, number, tasks, qualification, candidate)
          for (index, place) in work.runs[number].places.sorted(by: { $0.key < $1.key }) {
            guard let task = tasks[index] else { continue }
            states.append(task)
            if !task.isOver, task.state != "PENDING" { atWork.append(work.cases[place].id) }
          }
        }
        if work.isDone { return }
        report(states, atWork, work, progress)
        due = ContinuousClock.now + .seconds(pause)
        pause = min(30, pause * 1.5)
      }
      try await Task.sleep(for: .milliseconds(500))
    }
  }

  /// Takes the verdicts that exist now.
  private func take(_ work: inout Work, _ qualification: Qualification, progress: Progress) {
    let names = Set((try? Files.names(in: qualification.folder.appending("verdicts"))) ?? [])
    for place in work.cases.indices where work.verdicts[place] == nil {
      let file = qualification.store.file(of: work.cases[place].id)
      guard names.contains(Array(file.name.utf8)),
        let verdict = qualification.kept(work.cases[place])
      else { continue }
      work.verdicts[place] = verdict
      let done = work.verdicts.filter { $0 != nil }.count
      progress.reached(verdict.line(on: work.cases[place], done, of: work.cases.count))
    }
  }

  /// Makes a verdict for each task that ended without one.
  private func judge(
    _ work: inout Work, _ number: Int, _ tasks: [Int: Slurm.TaskState], _ qualification: Qualification,
    _ candidate: CandidateRelease
  ) async throws {
    let run = work.runs[number]
    let open = run.places.filter { work.verdicts[$0.value] == nil }
    var past: [Int: Slurm.TaskState] = [:]
    if open.contains(where: { tasks[$0.key] == nil }) {
      past = try await slurm.pastTasks(of: run.job, doing: Self.doing)
    }
    for (index, place) in open {
      let task = tasks[index] ?? past[index]
      if let task, !task.isOver { continue }
      if task?.state == "COMPLETED" || task == nil && tasks.isEmpty {
        // The verdict exists, but a network file system may show it later.
        let first = run.ended[index] ?? .now
        work.runs[number].ended[index] = first
        if (ContinuousClock.now - first).seconds < 60 { continue }
      }
      let log = run.folder.appending("\(index).log")
      let verdict = try await qualification.notRun(
        work.cases[place], candidate, reason: reason(task, "\(run.job.number)_\(index)", log: log, qualification))
      try? Files.move(log, to: qualification.folder.pushing(FilePath(verdict.logs)).appending("slurm.log"))
      work.verdicts[place] = verdict
    }
  }

  /// Why a task has no verdict.
  private func reason(
    _ task: Slurm.TaskState?, _ name: String, log: FilePath, _ qualification: Qualification
  ) -> String {
    guard let task else { return "Slurm job \(name) was cancelled before it began, or is forgotten" }
    let place = task.node.isEmpty ? "" : " on \(task.node)"
    switch task.state {
    case "CANCELLED": return "Slurm job \(name) was cancelled"
    case "TIMEOUT", "DEADLINE": return "Slurm job \(name) took longer than it may (\(task.state)); raise its --time"
    case "OUT_OF_MEMORY": return "Slurm job \(name) used more memory than it may; raise its --mem"
    case "NODE_FAIL", "BOOT_FAIL": return "the node of Slurm job \(name) failed (\(task.state)\(place))"
    default: break
    }
    let log = (try? Files.read(log)).map { CommandLog(String(decoding: $0, as: UTF8.self)) }
    let words = log?.lines.last?.replacing("error: ", with: "")
    let why = words ?? "it wrote nothing; do the nodes share \(qualification.folder)?"
    let kind = ["", "None"].contains(task.reason) ? task.state : "\(task.state), \(task.reason)"
    return "Slurm job \(name) left no verdict (\(kind)\(place)): \(why)"
  }

  private func report(_ states: [Slurm.TaskState], _ atWork: [String], _ work: Work, _ progress: Progress) {
    let waiting = states.filter { $0.state == "PENDING" }
    let why = waiting.first.map { ["None", "", "Priority"].contains($0.reason) ? "" : " (\($0.reason))" } ?? ""
    let names = atWork.isEmpty ? "" : " (\(atWork.shortened))"
    let done = work.verdicts.filter { $0 != nil }.count
    progress.stands(
      "Slurm job \(work.runs.map(\.job.description).joined(separator: ", ")): \(done) of \(work.cases.count) done, "
        + "\(atWork.count) at work\(names), \(waiting.count) waiting\(why)")
  }

  /// Cancels a job and removes the folder of its tasks. It does not wait long for nodes that are slow to end tasks, or
  /// for a Slurm that does not answer.
  private func cancel(_ run: Run, progress: Progress) async {
    let doing = Self.doing
    do {
      try await Self.within(.milliseconds(1000)) { [slurm] in try await slurm.cancel(run.job, doing: doing) }
    } catch {
      return progress.warning("Slurm job \(run.job) may go on: \(error)")
    }
    progress.warning("Slurm job \(run.job) was cancelled")
    try? await Self.within(.milliseconds(500)) { [slurm] in
      while try await slurm.tasks(of: run.job, doing: doing)?.values.allSatisfy(\.isOver) != true {
        try await Task.sleep(for: .milliseconds(100))
      }
    }
    try? await Files.removeWhenQuiet(run.folder)
  }

  /// Runs `body`, and cancels it after the limit.
  private static func within(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: limit)
        throw ReleaseError(.failed, doing: doing, reason: "Slurm does not answer")
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}
