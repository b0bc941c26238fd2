// SPDX-License-Identifier: GPL-2.0-only

import Distributions
import Files
import Glibc
import Model
import Processes
import SystemPackage
import Verdicts

/// The steps of a case in the chroot of its target.
extension CaseRun {
  /// The kernels whose headers are installed in the chroot.
  func kernels(in session: ChrootSession) async throws -> [String] {
    let listed = try await sh(Script(PackageResources.kernels_sh), in: session, log: "kernels", step: .root)
    return listed.output.split(separator: "\n").map(String.init)
  }

  func wrongKernels(_ kernels: [String]) -> Failure {
    Failure(
      result: .notRun, step: .root,
      reason: kernels.isEmpty
        ? "the chroot has no kernel headers: correct 'kernels' of the target \(target.name)"
        : "the chroot has several kernels: \(kernels.joined(separator: ", "))")
  }

  /// Installs the package with the distribution's own tool, which makes dkms build its modules.
  func install(in session: ChrootSession) async throws -> String? {
    try await make(.install, by: Script(PackageResources.install_sh), in: session) { kernel, file in
      [kernel] + target.packageManager.install([file])
    }
  }

  /// Compiles the modules of the package for another architecture: what its dkms.conf says is done, and nothing installed.
  func compile(with cross: CrossCompiling, in session: ChrootSession) async throws -> String? {
    try await make(.compile, by: Script(PackageResources.compile_sh), in: session) { kernel, file in
      [
        file, kernel, package.package.module, package.versionInDKMS, cross.machine, cross.kernelArchitecture,
        cross.triplet,
      ]
    }
  }

  /// Makes modules of the package for the kernel of the chroot.
  private func make(
    _ step: Verdict.Step.Name, by script: Script, in session: ChrootSession,
    _ arguments: (_ kernel: String, _ file: String) -> [String]
  ) async throws -> String? {
    guard let file = try release.file(of: package, target.format) else {
      throw Failure(result: .skipped, step: step, reason: "there is no .\(target.format.rawValue) of this package")
    }
    let kernels = try await kernels(in: session)
    guard kernels.count == 1 else { throw wrongKernels(kernels) }
    kernel = kernels[0]
    let (succeeded, output, log) = try await sh(
      script, arguments(kernel, "/release/\(file.name)"), in: session,
      folders: ["/release": file.removingLastComponent()], log: step.rawValue, step: step)
    let isEmpty = output.hasSuffix("no module was installed\n")
    if isEmpty && log.isOutOfSpace {
      throw Failure(result: .notRun, step: step, reason: CaseRun.outOfSpace)
    }
    if succeeded && isEmpty {
      let isSupported = package.kernels.contains(kernel)
      let words = log.lines.first { $0.contains("is skipped") || $0.contains("BUILD_EXCLUSIVE") }
      if let words, !isSupported { throw Failure(result: .skipped, step: step, reason: words) }
    }
    guard succeeded, !isEmpty else {
      throw Failure(step: step, reason: log.firstError ?? "no module was installed, and the log gives no reason")
    }
    return nil
  }

  /// The modules that must be there: all but those for which the site, here the chroot, lacks something.
  var expectedModules: Set<String> {
    func names(_ names: [String]) -> Set<String> { Set(names.map { $0.replacing("-", with: "_") }) }
    return names(package.unconditional.map(\.name)).union(names(package.conditionalNames).intersection(installed))
  }

  /// Checks that exactly the modules of the package exist, built for this kernel from this release.
  func checkModules(in session: ChrootSession) async throws -> String? {
    let (succeeded, output, log) = try await sh(
      Script(PackageResources.modules_sh), [kernel], in: session, log: "modules", step: .modules)
    guard succeeded else { throw Failure(step: .modules, reason: log.lines.last ?? "modinfo failed") }
    var found: Set<String> = []
    var bytes: Int64 = 0
    var problems: [String] = []
    for line in output.split(separator: "\n") {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 5, fields[0] == "module" else {
        problems.append(String(line))
        continue
      }
      found.insert(fields[1].replacing("-", with: "_"))
      bytes += Int64(fields[2]) ?? 0
      // A module may append a remark to its version.
      let isOwn = package.modules.contains { $0.hasOwnVersion && $0.name == fields[1] }
      if !isOwn, !fields[3].isEmpty, fields[3].split(separator: " ").first.map(String.init) != package.versionInDKMS {
        problems.append("\(fields[1]) has version \(fields[3]), not \(package.versionInDKMS)")
      }
      if let cross = target.cross, fields[4].split(separator: " ").last.map(String.init) != cross.machine {
        problems.append("\(fields[1]) is made for '\(fields[4])', not \(cross.machine)")
      }
      if !fields[4].hasPrefix("\(kernel) ") {
        problems.append("\(fields[1]) is made for '\(fields[4])', not \(kernel)")
      }
    }
    installed = found
    let all = Set(package.modules.map { $0.name.replacing("-", with: "_") })
    problems += expectedModules.subtracting(found).sorted().map { "the module \($0) was not installed" }
    problems += found.subtracting(all).sorted().map { "the module \($0) is not of this package" }
    moduleBytes = bytes
    if let first = problems.first {
      throw Failure(
        step: .modules, reason: first + (problems.count > 1 ? " (and \(problems.count - 1) more)" : ""))
    }
    return "\(found.count) modules"
  }

  /// Keeps the probe results of PRE_BUILD, for packages that are made later.
  func keepProbeResults(in session: ChrootSession) throws -> String? {
    guard let said = session.found("/q/results.key") else {
      return "its results cannot be kept: PRE_BUILD, which an older lrelease made, does not say their key"
    }
    // The key as dkms computed it: dkms runs PRE_BUILD with its own environment.
    let text = String(decoding: try Files.read(said), as: UTF8.self)
    guard !text.hasPrefix("of this site: ") else { return "its results are not kept: they are \(text.trimmed)" }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard let results = session.found("/q/results") else {
      return "its results cannot be kept: it knows no --results"
    }
    guard let key = words.first.map(String.init), QualifiedRange.isKey(key) else {
      throw Failure(step: .probe, reason: "dkms/key gives no key for its results")
    }
    probeKey = key
    try Files.replace(folder.appending(VerdictStore.probeResults), with: try Files.read(results))
    return words.count > 1 ? "its results came with the release" : nil
  }

  /// Installs the programs that the smoke script calls.
  func installPrograms(in session: ChrootSession) async throws -> String? {
    if let error = programs.error {
      throw Failure(result: programs.isFault ? .fail : .notRun, step: .packages, reason: error)
    }
    let files = programs.files.map { FilePath($0) }
    guard let folder = files.first?.removingLastComponent() else { return nil }
    let names = files.map { "/built/\($0.name)" }
    let (succeeded, _, log) = try await sh(
      .command, target.packageManager.install(names), in: session, folders: ["/built": folder],
      log: "packages", step: .packages)
    guard succeeded else { throw Failure(step: .packages, reason: log.firstError ?? "they cannot be installed") }
    return "\(files.count) packages"
  }
}
