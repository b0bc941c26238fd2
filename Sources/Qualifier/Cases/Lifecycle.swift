// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Processes
import SystemPackage

/// The life of a package at a site: a sequence of events in one chroot.
extension CaseRun {
  func tryLifecycle(in session: ChrootSession) async throws {
    let kernels = try await kernels(in: session)
    guard kernels.count == 1 else { throw wrongKernels(kernels) }
    let first = kernels[0]
    kernel = first
    guard let file = try release.file(of: package, target.format) else {
      throw Failure(result: .skipped, step: .life, reason: "there is no .\(target.format.rawValue) of this package")
    }
    let name = relationsName
    let manager = target.packageManager
    var folders = ["/release": file.removingLastComponent()]
    let this = "/release/\(file.name)"
    var old: String?
    if let previous, let dkms = previous.packages.first(where: { $0.package.variant == package.package.variant }),
      let file = try previous.file(of: dkms, target.format)
    {
      folders["/previous"] = file.removingLastComponent()
      old = "/previous/\(file.name)"
    }

    try await happens("is installed", manager.install([old ?? this]), folders, in: session) { [first: $0] }
    var later: String?
    if !target.later.isEmpty {
      let files = [target.format.rawValue] + manager.install([])
      try await happens(arrival, by: Script(PackageResources.arrive_sh), files, in: session) { expected in
        let all = try await self.kernels(in: session)
        later = all.first { $0 != first }
        guard later != nil else { throw Failure(step: .life, reason: "no other kernel was installed") }
        return Dictionary(uniqueKeysWithValues: all.map { ($0, expected) })
      }
    }
    let both = [first] + (later.map { [$0] } ?? [])
    func all(_ expected: Set<String>) -> [String: Set<String>] {
      Dictionary(uniqueKeysWithValues: both.map { ($0, expected) })
    }
    if old != nil {
      try await happens("is upgraded", manager.install([this]), folders, in: session) { all($0) }
    }
    try await happens("is installed again", manager.reinstall([this]), folders, in: session) { all($0) }
    if let later {
      let folders = target.kernelNames.of(first).folders
      let listed = try await sh(.command, manager.owners(of: folders), in: session, log: "owners", step: .life)
      let owners = manager.owners(in: listed.output)
      try await happens("the old kernel goes", manager.remove(owners), in: session) { [later: $0] }
    }
    try await happens("is removed", manager.remove([name]), in: session) { _ in [:] }
    try await step(.life) {
      let left = try await sh(
        Script(PackageResources.left_sh), [package.package.module], in: session, log: "left", step: .life)
      guard left.output.isEmpty else {
        throw Failure(step: .life, reason: "after its removal, \(left.log.lines.shortened) is left")
      }
      return "nothing is left"
    }
  }

  private var arrival: String { "another kernel arrives" }

  private var relationsName: String {
    package.package.relations(target.format)?.name ?? ""
  }

  /// One event: the command must succeed, no package may be half-installed afterwards, and exactly the expected modules
  /// must exist.
  ///
  /// - Parameter expected: returns the kernels that must have the given modules.
  private func happens(
    _ what: String, by script: Script = .command, _ arguments: [String], _ folders: [String: FilePath] = [:],
    in session: ChrootSession, expected: (Set<String>) async throws -> [String: Set<String>]
  ) async throws {
    try await step(.life) {
      let log = what.replacing(" ", with: "-")
      let done = try await sh(script, arguments, in: session, folders: folders, log: log, step: .life)
      guard done.succeeded else {
        throw Failure(step: .life, reason: "\(what): \(done.log.firstError ?? done.log.lines.last ?? "it failed")")
      }
      let audit = try await sh(
        .command, target.packageManager.audit, in: session, log: "audit", step: .life)
      guard audit.output.isEmpty else {
        throw Failure(step: .life, reason: "\(what): \(audit.log.lines.first ?? "")")
      }
      let names = expectedModules
      let listed = try await sh(Script(PackageResources.listed_sh), in: session, log: "listed", step: .life)
      var found: [String: Set<String>] = [:]
      for line in listed.output.split(separator: "\n") {
        let halves = line.split(separator: " ").map(String.init)
        if halves.count == 2, names.contains(halves[1]) { found[halves[0], default: []].insert(halves[1]) }
      }
      // The package skips a kernel that it does not claim, and says so.
      var wanted: [String: Set<String>] = [:]
      for (kernel, modules) in try await expected(names) {
        if package.kernels.contains(kernel) {
          wanted[kernel] = modules
        } else if what != arrival {
          // Modules of an earlier release stay.
          wanted[kernel] = found[kernel]
        } else if found[kernel] == nil,
          !done.log.lines.contains(where: { $0.contains(kernel) && $0.contains("is skipped") })
        {
          throw Failure(
            step: .life, reason: "\(what): the kernel \(kernel) is not supported, and the log does not say so")
        }
      }
      guard found == wanted else {
        let kernel = Set(found.keys).union(wanted.keys).sorted().first { found[$0] != wanted[$0] } ?? ""
        throw Failure(
          step: .life,
          reason: "\(what): kernel \(kernel) has \(found[kernel]?.count ?? 0) modules of \(wanted[kernel]?.count ?? 0)")
      }
      return what
    }
  }
}
