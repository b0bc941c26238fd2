// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import SystemPackage
import Verdicts

/// The input of the tasks of an array job: a folder `slurm/run-XXXXXX` of the qualification, with the cases in
/// `qualification.json`, their targets, the program, and the number of the job.
package struct JobDirectory: Sendable {
  let folder: FilePath
  /// nil if the folder is not complete.
  let qualification: Qualification?
  /// Why it cannot be read, if it exists.
  private let damage: DecodingError?
  let job: String?
  /// Seconds since the folder last changed.
  let age: Int

  /// The name of the job in Slurm, in case its number was not recorded.
  static func name(_ folder: FilePath) -> String { "lrelease-\(folder.name)" }

  private static func place(of qualification: Qualification) -> FilePath { qualification.folder.appending("slurm") }

  static func make(
    _ cases: [Qualification.Case], _ places: [Int], _ qualification: Qualification
  ) throws -> FilePath {
    let parent = place(of: qualification)
    try Files.makeFolder(parent)
    var template = Array("\(parent)/run-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw ReleaseError(errno: errno, doing: "making a folder in \(parent)") }
    let folder = FilePath(platformString: template)
    // The nodes may not see the folder of the targets.
    let targets = folder.appending("targets")
    try Files.makeFolder(targets)
    var handed = qualification
    handed.cases = places.map { cases[$0] }
    for number in handed.cases.indices {
      let path = FilePath(handed.cases[number].target)
      let copy = targets.appending(path.name)
      if !Files.exists(copy) { try Files.write(try Files.read(path), to: copy) }
      handed.cases[number].target = copy.string
      handed.programs[copy.string] = qualification.programs[path.string]
      if let programs = qualification.otherPrograms?[path.string] { handed.otherPrograms?[copy.string] = programs }
    }
    try Files.write(PackageResources.task_sh, to: folder.appending("task"), mode: 0o755)
    try Files.write(try JSON.encode(handed), to: folder.appending("qualification.json"))
    return folder
  }

  /// The folders that earlier runs left.
  static func all(of qualification: Qualification) -> [JobDirectory] {
    let parent = place(of: qualification)
    return ((try? Files.names(in: parent)) ?? []).map { JobDirectory(reading: parent.appending(bytes: $0)) }
  }

  private init(reading folder: FilePath) {
    self.folder = folder
    let read = Result {
      try JSON.decode(Qualification.self, from: Files.read(folder.appending("qualification.json")))
    }
    qualification = try? read.get()
    damage = if case .failure(let error) = read { error as? DecodingError } else { nil }
    job = (try? Files.read(folder.appending("job"))).map { String(decoding: $0, as: UTF8.self).trimmed }
    var status = stat()
    age = stat(folder.string, &status) == 0 ? time(nil) - status.st_mtim.tv_sec : 0
  }

  /// Runs one case on a node, and keeps its verdict.
  package static func run(_ folder: FilePath, index: Int, cpus: Int?, progress: Progress) async throws -> Verdict {
    let doing = "qualifying the case \(index) of \(folder)"
    let handed = JobDirectory(reading: folder)
    guard var qualification = handed.qualification, qualification.cases.indices.contains(index) else {
      let damage = handed.damage.map { ": qualification.json is damaged: \($0.reason)" }
      throw ReleaseError(
        .input, doing: doing, reason: "there is none" + (damage ?? ""), remedy: QualifierRemedy.leaveFolderToQualify,
        cause: handed.damage)
    }
    qualification.settings.cpus = cpus ?? qualification.settings.cpus
    let candidate = try await CandidateRelease(FilePath(qualification.release), progress: progress)
    return try await qualification.run(qualification.cases[index], candidate, on: GuestHost(), progress: progress)
  }
}
