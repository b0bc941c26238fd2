// swift-tools-version: 6.2
// SPDX-License-Identifier: GPL-2.0-only

import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "lrelease",
  products: [
    .executable(name: "lrelease", targets: ["lrelease"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
  ],
  targets: [
    // The C libraries. Each is the narrow part that is used, with errors as return values.
    .systemLibrary(name: "CLibArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
    // mallopt(3), which is not in Swift's Glibc.
    .systemLibrary(name: "CMalloc"),
    .target(
      name: "CRPM",
      linkerSettings: [.linkedLibrary("rpm"), .linkedLibrary("rpmio"), .linkedLibrary("rpmbuild")]
    ),
    .target(
      name: "CDpkg",
      linkerSettings: ["dpkg", "md", "z", "lzma", "zstd", "bz2"].map { .linkedLibrary($0) }
    ),

    .target(
      name: "Groundwork",
      dependencies: [
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: swiftSettings
    ),
    .target(
      name: "Assembler",
      dependencies: ["Groundwork", "CLibArchive", "CLZMA", .product(name: "TOMLKit", package: "TOMLKit")],
      resources: [.embedInCode("Scripts")],
      swiftSettings: swiftSettings
    ),
    .target(
      name: "Packagers",
      dependencies: ["Assembler", "Groundwork", "CLibArchive", "CRPM", "CDpkg"],
      resources: [.embedInCode("Scripts")],
      swiftSettings: swiftSettings
    ),
    .target(
      name: "Qualifier",
      dependencies: ["Packagers", "Assembler", "Groundwork"],
      resources: [.embedInCode("Scripts")],
      swiftSettings: swiftSettings
    ),
    .target(
      name: "Auditor", dependencies: ["Assembler", "Groundwork"], resources: [.embedInCode("Scripts")],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "lrelease",
      dependencies: [
        "Auditor", "Qualifier", "Packagers", "Assembler", "Groundwork", "CMalloc",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings
    ),

    // What bench/run measures beside dpkg-deb and rpmbuild.
    .executableTarget(
      name: "lrelease-bench", dependencies: ["Packagers", "Assembler", "Groundwork"], path: "bench/packages",
      swiftSettings: swiftSettings),

    // What the tests share: the command in a place of its own, watched children, generated input.
    .target(
      name: "TestSupport", dependencies: ["Groundwork"], path: "Tests/TestSupport", swiftSettings: swiftSettings),
    .testTarget(name: "GroundworkTests", dependencies: ["Groundwork"], swiftSettings: swiftSettings),
    .testTarget(
      name: "AssemblerTests", dependencies: ["TestSupport", "Assembler", "Groundwork", "CLibArchive"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "AuditorTests", dependencies: ["TestSupport", "Auditor", "Assembler", "Groundwork", "lrelease"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "lreleaseTests", dependencies: ["TestSupport", "Groundwork", "lrelease"], swiftSettings: swiftSettings),
    .testTarget(
      name: "QualifierTests",
      dependencies: ["TestSupport", "Qualifier", "Packagers", "Assembler", "Groundwork", "lrelease"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "PackagersTests", dependencies: ["TestSupport", "Packagers", "Assembler", "Groundwork", "lrelease"],
      swiftSettings: swiftSettings),
  ]
)
