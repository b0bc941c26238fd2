// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage

/// Makes roots with mmdebstrap or dnf.
enum Bootstrapper {
  /// Makes the root of a recipe in a folder that is not there.
  static func make(_ recipe: ChrootRecipe, in part: FilePath, doing: String) async throws {
    if recipe.repositories.isEmpty {
      try await mmdebstrap(recipe, part, doing: doing)
    } else {
      try await dnf(recipe, part, doing: doing)
    }
  }

  /// What is installed in a root and what lies in it for later, sorted: name, version and architecture a line.
  static func packages(in root: FilePath, doing: String) async throws -> [String] {
    let script = Script(PackageResources.packages_sh).text
    let outcome = try await Command("chroot", [root.string, "sh", "-c", script]).check(doing: doing)
    return outcome.text.split(separator: "\n").map(String.init).sorted()
  }

  /// Runs what makes a root in a mount and process namespace of its own, so that nothing stays mounted or running.
  private static func run(_ words: [String], input: [UInt8] = [], doing: String) async throws {
    let command = Sandbox.leavingNothing.command(words[0], Array(words.dropFirst()))
    let outcome = try await command.run(input: input, doing: doing)
    guard !outcome.succeeded else { return }
    let program = words[0]
    if outcome.status == .exited(127) {
      throw ReleaseError(
        .missingTool, doing: doing, reason: "the program \(program) is not installed",
        advice: "on Debian: apt-get install \(program)")
    }
    // What apt or dnf said first; the last line only says that it did not work.
    let cause =
      outcome.errors.split(separator: "\n").map { $0.trimmed }.first {
        ["E: ", "Error: "].contains(where: $0.hasPrefix) || $0.contains(" Depends: ") && $0.contains(" but ")
      } ?? outcome.lastErrorLine
    let remedy: (any Remedy)? =
      if ["No space left", "enough free space"].contains(where: cause.contains) {
        DistributionsRemedy.freeSpaceInCache
      } else if ["fetch", "download"].contains(where: cause.contains) {
        Advice("is its archive reachable?")
      } else {
        nil
      }
    throw ReleaseError(.failed, doing: doing, reason: "\(program): \(cause)", remedy: remedy)
  }

  private static func mmdebstrap(_ recipe: ChrootRecipe, _ part: FilePath, doing: String) async throws {
    let lines: [String]
    var options: [String] = []
    if let mirror = recipe.mirror {
      lines = recipe.suites.map { "deb \(mirror) \($0) \(recipe.components.joined(separator: " "))" }
    } else {
      let archive = try DebianArchive()
      lines = try archive.lines(suites: recipe.suites, components: recipe.components)
      options = try await archive.options().map { "--aptopt=\($0)" }
    }
    var arguments = [
      "mmdebstrap", "--verbose", "--mode=root", "--variant=apt", "--format=directory",
      "--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Retries \"1\"",
      "--include=\(recipe.packages.joined(separator: ","))",
    ]
    arguments += options
    try await withScratch { scratch in
      if let control = recipe.buildDependencies {
        try Files.makeFolder(scratch.appending("build-dependencies/debian"))
        try Files.write(Array(control.utf8), to: scratch.appending("build-dependencies/debian/control"))
        arguments += [
          "--customize-hook=copy-in \(Script.quote("\(scratch)/build-dependencies")) /tmp",
          "--customize-hook=chroot \"$1\" apt-get build-dep --yes --quiet /tmp/build-dependencies",
          "--customize-hook=rm -r \"$1/tmp/build-dependencies\"",
        ]
      }
      if let later = recipe.later, !later.isEmpty {
        arguments += [
          "--customize-hook=mkdir -p \"$1/later/partial\"",
          "--customize-hook=chroot \"$1\" apt-get install --yes --quiet --download-only "
            + "-o Dir::Cache::archives=/later \(later.map(Script.quote).joined(separator: " "))",
          "--customize-hook=rm -rf \"$1/later/partial\" \"$1/later/lock\"",
        ]
      }
      arguments += [recipe.suites[0], part.string, "-"]
      try await run(arguments, input: Array((lines.joined(separator: "\n") + "\n").utf8), doing: doing)
    }
  }

  private static func dnf(_ recipe: ChrootRecipe, _ part: FilePath, doing: String) async throws {
    try await withScratch { scratch in
      let configuration = recipe.repositories.map {
        "[\($0.name)]\nname=\($0.name)\nbaseurl=\($0.url)\ngpgcheck=1\n"
      }
      try Files.makeFolder(scratch.appending("repos"))
      try Files.write(Array(configuration.joined(separator: "\n").utf8), to: scratch.appending("repos/lrelease.repo"))
      try await run(
        [
          "dnf", "--assumeyes", "--quiet", "--installroot=\(part)", "--setopt=reposdir=\(scratch)/repos",
          "--setopt=install_weak_deps=False", "--setopt=cachedir=\(scratch)/cache",
          "--releasever=\(recipe.releasever ?? "")", "install",
        ] + recipe.packages, doing: doing)
      if let later = recipe.later, !later.isEmpty {
        try await run(
          [
            "dnf", "--assumeyes", "--quiet", "--installroot=\(part)", "--setopt=reposdir=\(scratch)/repos",
            "--releasever=\(recipe.releasever ?? "")", "download", "--resolve", "--destdir=\(part)/later",
          ] + later, doing: doing)
      }
    }
  }
}
