// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// A distribution as a spec sees it: the macros by which it is known, and the files of macros that stand for its own.
///
/// The files are in Tests/Fixtures/rpm. They are ours, written by what is documented of the real ones.
struct SpecReading: Sendable, CustomTestStringConvertible {
  let name: String
  let macros: [String: String]
  let files: [String]

  var testDescription: String { name }
  var isSUSE: Bool { macros["suse_version"] != nil }
  /// What a kmod requires of the kernel, before anything looks into its symbols.
  var requiredKernel: [String] {
    Self.byName.contains { $0.name == name } ? ["requires manual kernel-uname-r = \(kernel)"] : []
  }
  /// The release for which a kmod is built; none on SUSE.
  var kernel: String { macros["kernel"] ?? "" }
  /// What `%{?dist}` adds to a release.
  var dist: String { macros["dist"] ?? "" }

  static let enterpriseLinux = [
    SpecReading(name: "EL 8", like: ["rhel": "8", "el8": "1", "dist": ".el8"], "4.18.0-553.89.1.el8_10.x86_64"),
    SpecReading(name: "EL 9", like: ["rhel": "9", "el9": "1", "dist": ".el9"], "5.14.0-611.5.1.el9_7.x86_64"),
    SpecReading(name: "EL 10", like: ["rhel": "10", "el10": "1", "dist": ".el10"], "6.12.0-124.8.1.el10_1.x86_64"),
  ]
  /// Their kmod packages require the kernel by name.
  static let byName = [
    SpecReading(name: "Fedora 43", like: ["fedora": "43", "fc43": "1", "dist": ".fc43"], "6.17.4-300.fc43.x86_64"),
    SpecReading(
      name: "openEuler 24.03", like: ["openEuler": "2", "dist": ".oe2403"], "6.6.0-28.0.0.34.oe2403.x86_64", files: []),
    SpecReading(
      name: "Amazon 2023", like: ["amzn": "2023", "dist": ".amzn2023"], "6.1.158-178.288.amzn2023.x86_64", files: []),
  ]
  static let kmods = enterpriseLinux + byName
  static let suse = [
    SpecReading(
      name: "SLES 15 SP7", like: ["suse_version": "1500", "sle_version": "150700"],
      flavors: ["default": "6.4.0-150700.53.19", "rt": "6.4.0-150700.7.22"]),
    SpecReading(
      name: "Leap 15.6", like: ["suse_version": "1500", "sle_version": "150600", "is_opensuse": "1"],
      flavors: ["default": "6.4.0-150600.23.73"]),
    SpecReading(
      name: "Tumbleweed",
      like: ["suse_version": "1699", "is_opensuse": "1", "kernel_module_directory": "/usr/lib/modules"],
      flavors: ["default": "6.17.5-1"]),
  ]
  static let all = kmods + suse

  private init(name: String, like macros: [String: String], _ kernel: String, files: [String] = ["macros.el"]) {
    self.name = name
    self.macros = macros.merging(["kernel": kernel]) { $1 }
    self.files = files + ["macros.systemd"]
  }

  private init(name: String, like macros: [String: String], flavors: [String: String]) {
    self.name = name
    let stand = flavors.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    self.macros = macros.merging(["stand_in_flavors": stand]) { $1 }
    self.files = ["macros.suse", "macros.systemd"]
  }

  /// Flavors with the versions of their kernels, on SUSE.
  var flavors: [(name: String, version: String)] {
    (macros["stand_in_flavors"] ?? "").split(separator: " ").map {
      let parts = $0.split(separator: "=")
      return (String(parts[0]), String(parts[1]))
    }
  }

  /// The release of a flavor's kernel and the number of its build, as a KMP has it in its version.
  func version(_ flavor: (name: String, version: String)) -> String { "k" + flavor.version.replacing("-", with: "_") }

  // MARK: reading

  /// rpmspec with the spec as `NAME.spec` in a folder of its own. `without` leaves out files of macros.
  func rpmspec(
    _ spec: String, name: String, _ arguments: [String], with: [String] = ["--with", "modules"],
    without: Set<String> = [], macros change: [String: String?] = [:]
  ) async throws -> Command.Outcome {
    try await withScratch { folder in
      let path = folder.appending("\(name).spec")
      try Files.write(Array(spec.utf8), to: path)
      var defines = ["_specdir": folder.string, "_sourcedir": folder.string, "_topdir": "\(folder)/rpmbuild"]
      defines.merge(macros) { $1 }
      for (macro, value) in change { defines[macro] = value }
      let loads = files.filter { !without.contains($0) }.map {
        "--load=\(Workshop.root.appending("Tests/Fixtures/rpm/\($0)"))"
      }
      // The machine's own distribution is not to be seen.
      let unset = ["rhel", "fedora", "suse_version", "openEuler", "amzn", "dist", "kernel"]
        .filter { defines[$0] == nil }.map { "--undefine=\($0)" }
      return try await Command(
        "rpmspec",
        loads + unset + defines.sorted { $0.key < $1.key }.map { "--define=\($0.key) \($0.value)" } + with + arguments
          + [path.string]
      ).run(doing: "reading the spec")
    }
  }

  /// What a spec makes of a package, or of all: one relation a line, sorted, without what is the same everywhere.
  func packages(_ spec: String, name: String, with: [String] = ["--with", "modules"]) async throws -> [String: [String]]
  {
    let lines = [
      "is %{VERSION}-%{RELEASE}", "license %{LICENSE}", "summary %{SUMMARY}", "group %{GROUP}",
    ].map { "%{NAME}\\t\($0)\\n" }
    let lists = [
      "requires": "REQUIRE", "provides": "PROVIDE", "conflicts": "CONFLICT", "obsoletes": "OBSOLETE",
      "recommends": "RECOMMEND", "supplements": "SUPPLEMENT", "enhances": "ENHANCE",
    ].sorted { $0.key < $1.key }.map { word, tag in
      let kind = tag == "REQUIRE" ? "%{REQUIREFLAGS:deptype} " : ""
      return "[%{=NAME}\\t\(word) \(kind)%{\(tag)NEVRS}\\n]"
    }
    let read = try await rpmspec(
      spec, name: name, ["-q", "--builtrpms", "--qf", (lines + lists).joined()], with: with)
    #expect(read.succeeded && read.errors.isEmpty, "\(self.name): \(read.errors)")
    var packages: [String: [String]] = [:]
    for line in read.text.split(separator: "\n") {
      let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
      packages[parts[0], default: []].append(parts[1])
    }
    // rpm adds these to every package: its own name, and the shell of each scriptlet.
    return packages.reduce(into: [:]) { all, package in
      let own = ["provides \(package.key) = ", "provides \(package.key)(x86-64) = "]
      all[package.key] = package.value.filter { line in
        !line.hasSuffix(" /bin/sh") && !own.contains { line.hasPrefix($0) }
      }
    }
  }

  /// What rpm runs of a spec: each section and scriptlet, with its macros expanded.
  func scripts(
    _ spec: String, name: String, with: [String] = ["--with", "modules"]
  ) async throws -> [(name: String, text: String)] {
    let read = try await rpmspec(spec, name: name, ["-P"], with: with)
    #expect(read.succeeded && read.errors.isEmpty, "\(self.name): \(read.errors)")
    let words: Set<Substring> = [
      "%prep", "%build", "%install", "%check", "%pre", "%post", "%preun", "%postun", "%pretrans", "%posttrans",
    ]
    let others: Set<Substring> = ["%files", "%package", "%description", "%changelog"]
    var scripts: [(name: String, text: String)] = []
    var inside = false
    // Without the name of the folder in which it was read, scripts are the same that are the same.
    let text = read.text.replacing(/lrelease-work\.\w+/, with: "work")
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let word = line.prefix { $0 != " " }
      if words.contains(word) {
        scripts.append((String(line), ""))
        inside = true
      } else if others.contains(word) {
        inside = false
      } else if inside {
        scripts[scripts.count - 1].text += line + "\n"
      }
    }
    return scripts
  }

  /// The shells that would run a script, and a judge of scripts.
  func judge(_ script: (name: String, text: String)) async throws {
    try await withScratch { folder in
      let path = folder.appending("script").string
      try Files.write(Array("#!/bin/sh\n\(script.text)".utf8), to: FilePath(path))
      // rpm runs sections with -e; there may be one flavor only; the functions of a %post for dkms serve other scripts.
      var fine = "SC2043,SC2046,SC2164"
      if script.name.hasPrefix("%post "), script.name.hasSuffix("-dkms") { fine += ",SC2034" }
      for judge in [["bash", "-n"], ["dash", "-n"], ["shellcheck", "-s", "sh", "-S", "warning", "-e", fine]] {
        let outcome = try await Command(judge[0], judge.dropFirst() + [path]).run(doing: "judging a script")
        #expect(
          outcome.succeeded && !script.text.isEmpty,
          "\(name), \(script.name), \(judge[0]): \(outcome.text)\(outcome.errors)")
      }
    }
  }

  /// The lines of `%files` of a package.
  func files(
    _ spec: String, name: String, of package: String, with: [String] = ["--with", "modules"]
  ) async throws -> [String] {
    let text = try await rpmspec(spec, name: name, ["-P"], with: with).text
    let lines = text.split(separator: "\n").map(String.init)
    let start = try #require(lines.firstIndex(of: "%files -n \(package)"))
    let sections = ["%package", "%prep", "%post", "%pre"]
    return lines[(start + 1)...].prefix { line in !sections.contains { line.hasPrefix($0) } }.filter { !$0.isEmpty }
  }
}
