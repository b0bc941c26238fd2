// swift-tools-version: 6.2
// SPDX-License-Identifier: GPL-2.0-only

import PackageDescription

/// Warnings are errors where they are looked at, as in CI: `make test STRICT=1`. A newer compiler, which warns of more, does
/// not stop anybody else.
let isStrict = Context.environment["LRELEASE_STRICT"] == "1"

let swiftSettings: [SwiftSetting] =
  [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]
  + (isStrict ? [.treatAllWarnings(as: .error)] : [])

/// What `git describe` says, which the Makefile passes on. Only CVersion.c is compiled again for it.
let build = Context.environment["LRELEASE_BUILD"].map { [CSetting.define("LRELEASE_BUILD", to: "\"\($0)\"")] }

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let tomlKit = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

/// The shell scripts that a module runs or ships, built into the program.
let scripts: [Resource] = [.embedInCode("Scripts")]

/// A module of ours. Its dependencies stand in the order of docs/design.md, those above first.
func module(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [], path: String? = nil
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, resources: resources, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: ["TestSupport"] + dependencies, swiftSettings: swiftSettings)
}

/// The readers that are fuzzed, with the test that replays what was found; with LRELEASE_FUZZ set, the program of
/// libFuzzer in its place, which `make fuzz` builds. Both are one target, because they read what modules keep to themselves.
let fuzzing: Target = {
  let modules: [Target.Dependency] = [
    "Qualifier", "Reports", "Auditor", "Verdicts", "Packagers", "Distributions", "Assembler", "Releases", "Model",
    "Archives", "Files", "Diagnostics", systemPackage,
  ]
  let data = ["corpus", "finds", "dictionaries"]
  if Context.environment["LRELEASE_FUZZ"] != nil {
    return .executableTarget(
      name: "lrelease-fuzz", dependencies: modules, path: "Tests/Fuzz",
      exclude: data + ["ReplayTests.swift", "LengthTests.swift"],
      swiftSettings: swiftSettings)
  }
  return .testTarget(
    name: "FuzzTests", dependencies: ["TestSupport"] + modules, path: "Tests/Fuzz", exclude: data + ["Main"],
    swiftSettings: swiftSettings)
}()

let package = Package(
  name: "lrelease",
  products: [
    .executable(name: "lrelease", targets: ["lrelease"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
  ],
  targets: [
    // The C libraries. Each is the narrow part that is used, with errors as return values.
    .systemLibrary(name: "CLibArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
    // mallopt(3), which is not in Swift's Glibc.
    .systemLibrary(name: "CMalloc"),
    // renameat2(2), which is not in Swift's Glibc either.
    .systemLibrary(name: "CRename"),
    // The SPDX License List and the texts of licences: data.
    .target(name: "CLicences", exclude: ["spdx.txt", "texts"]),
    // The version of this program.
    .target(name: "CVersion", cSettings: build),
    .target(
      name: "CRPM",
      linkerSettings: [.linkedLibrary("rpm"), .linkedLibrary("rpmio"), .linkedLibrary("rpmbuild")]
    ),
    .target(
      name: "CDpkg",
      linkerSettings: ["dpkg", "md", "z", "lzma", "zstd", "bz2"].map { .linkedLibrary($0) }
    ),

    module("Diagnostics", [systemPackage]),
    module("Files", ["Diagnostics", "CRename", crypto, systemPackage]),
    module("Processes", ["Files", "Diagnostics", subprocess, systemPackage], resources: scripts),
    module("Archives", ["Processes", "Files", "Diagnostics", "CLibArchive", "CLZMA"]),
    module("Model", ["Files", "Diagnostics", "CLicences", tomlKit]),
    module("Releases", ["Model", "Archives", "Processes", "Files", "Diagnostics"]),
    module(
      "Assembler", ["Releases", "Model", "Archives", "Processes", "Files", "Diagnostics"], resources: scripts),
    module("Distributions", ["Model", "Processes", "Files", "Diagnostics"], resources: scripts),
    module(
      "Packagers",
      ["Distributions", "Releases", "Model", "Archives", "Processes", "Files", "Diagnostics", "CRPM", "CDpkg"],
      resources: scripts),
    module("Verdicts", ["Model", "Files", "Diagnostics"]),
    module(
      "Auditor", ["Assembler", "Releases", "Model", "Processes", "Files", "Diagnostics"], resources: scripts),
    module(
      "Reports", ["Verdicts", "Model", "Files", "Diagnostics"],
      resources: [.embedInCode("Page/page.html"), .embedInCode("Page/style.css")]),
    module(
      "Qualifier",
      ["Verdicts", "Packagers", "Distributions", "Releases", "Model", "Archives", "Processes", "Files", "Diagnostics"],
      resources: scripts),
    module(
      "Operations",
      ["Packagers", "Assembler", "Releases", "Model", "Archives", "Processes", "Files", "Diagnostics"],
      // What `lrelease init` writes. Most of its recipes are links to those of this repository.
      resources: scripts + [.embedInCode("Recipes")]),
    .executableTarget(
      name: "lrelease",
      dependencies: [
        "Operations", "Qualifier", "Reports", "Auditor", "Verdicts", "Packagers", "Distributions", "Assembler",
        "Releases", "Model", "Processes", "Files", "Diagnostics", "CMalloc", "CVersion", argumentParser,
      ],
      swiftSettings: swiftSettings
    ),

    // What bench/run measures beside dpkg-deb and rpmbuild.
    .executableTarget(
      name: "lrelease-bench", dependencies: ["Operations", "Packagers", "Releases", "Files"],
      path: "bench/packages", swiftSettings: swiftSettings),

    // What the tests share: the command in a place of its own, watched children, generated input.
    module("TestSupport", ["Processes", "Files", "Diagnostics"], path: "Tests/TestSupport"),
    tests("FilesTests", ["Processes"]),
    tests("ProcessesTests", ["Processes"]),
    tests("ModelTests", ["Model"]),
    tests("AssemblerTests", ["Assembler", "Releases", "CLibArchive"]),
    tests("DistributionsTests", ["Distributions"]),
    tests("AuditorTests", ["Auditor", "lrelease"]),
    tests("ReportsTests", ["Reports"]),
    tests("QualifierTests", ["Operations", "Qualifier", "Reports", "lrelease"]),
    tests("PackagersTests", ["Operations", "Packagers", "lrelease"]),
    tests("lreleaseTests", ["Releases", "Model", "Archives", "lrelease"]),
    fuzzing,
  ]
)
