// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage
import TestSupport
import Testing

/// Plans that lrelease wrote, in Tests/Fixtures/plans. They are read and written again, byte for byte: verdicts name a plan by its digest, and a release that is there is known by the bytes of its plan.
@Suite struct StoredPlanTests {
  struct Stored: Sendable, CustomTestStringConvertible {
    var name: String
    var release: String
    /// SHA-256 of the file without `places` and `proven`.
    var identity: String

    var testDescription: String { name }
    var path: FilePath { StoredPlanTests.folder.appending("\(name).json") }
    func read() throws -> [UInt8] { try Files.read(path) }
  }

  static let folder = Workshop.root.appending("Tests/Fixtures/plans")

  static let all = [
    // Saved by `lrelease plan`, with places; their manifests say 7.4-rc2 and 7.4~rc2.
    Stored(
      name: "dash-candidate", release: "demo-7.4~rc2",
      identity: "b5fa50a348bade5913eb73e0ee8f1f81d12d380de377991d5f3741dc7e35f42b"),
    Stored(
      name: "tilde-candidate", release: "demo-7.4~rc2",
      identity: "f4eb885db03fbb9878efb4de28ef6a029b7fe6ba45753bd870b5a43ce2063338"),
    // A respin with an extra and patches, rebuilt by a vendor with patches, and again with patches and another extra.
    Stored(
      name: "rebuilt-twice", release: "demo-7.4.2+r3+and.late.more+by.acme.2",
      identity: "83c00d7acfb650bc4f9c7d67db04cc6d9805d52643c3aa8aca8a1164c087e5eb"),
    // The same candidate with `--claim` and with `--qualified`.
    Stored(
      name: "claimed", release: "demo-7.4~rc2",
      identity: "23f3c5a60e4898d79de103a67bc7b3bda35ab5429e0a0b08f4f6e6c17c77bf66"),
    Stored(
      name: "proven", release: "demo-7.4~rc2",
      identity: "23f3c5a60e4898d79de103a67bc7b3bda35ab5429e0a0b08f4f6e6c17c77bf66"),
    // With families of kernels, which the others have not.
    Stored(
      name: "families", release: "demo-7.4~rc2",
      identity: "530cdfe934c17ee7e78c6ba044da1e2fb965d2377a5443dadcf58010de1f95f5"),
    // A binary keyring, a signed tag, a pinned tarball, an unsigned one, and a tool.
    Stored(
      name: "vouched", release: "demo-7.4",
      identity: "f7caeef0d25ed299e921a2c22286d040872c8bed02025658f8134b28a315d891"),
    // Format 2: of a release, with a patch by its digest, and the same as it was saved, with the text.
    Stored(
      name: "patched", release: "demo-1.0",
      identity: "daef5826833f521bf2c7fc7742b685e73db9d567f9d881f875608ecb16846fbf"),
    Stored(
      name: "patched-saved", release: "demo-1.0",
      identity: "daef5826833f521bf2c7fc7742b685e73db9d567f9d881f875608ecb16846fbf"),
  ]

  /// A release that is there keeps its version in dkms; a new one has its extras in it. A plan cannot say another.
  @Test func theVersionInDKMS() throws {
    let bytes = try Files.read(Self.folder.appending("rebuilt-twice.json"))
    var plan = try Plan(parsing: bytes, doing: "testing")
    #expect(plan.versionInDKMS == "7.4.2.3.0.2")
    plan.useCurrentForms(families: KernelFamily.known)
    #expect(plan.versionInDKMS == "7.4.2.3.0.2-and.late.more")
    let told = try JSON.encode(plan)
    #expect(try Plan(parsing: told, doing: "testing").versionInDKMS == "7.4.2.3.0.2-and.late.more")
    let lie = String(decoding: told, as: UTF8.self).replacing("7.4.2.3.0.2-and.late.more", with: "9-and.x$(id)")
    let error = #expect(throws: ReleaseError.self) { try Plan(parsing: Array(lie.utf8), doing: "testing") }
    #expect(error?.description.contains("dkmsVersion: '9-and.x$(id)' cannot stand there") == true)
  }

  @Test func allOfThemAreTried() throws {
    let names = try Files.names(in: Self.folder).map { String(decoding: $0, as: UTF8.self) }
    #expect(names.sorted() == Self.all.map { "\($0.name).json" }.sorted())
  }

  @Test(arguments: all) func aPlanIsWrittenAsItWasRead(_ stored: Stored) throws {
    let bytes = try stored.read()
    let plan = try Plan(reading: stored.path)
    try expectSame(JSON.encode(plan), bytes)
    #expect(try plan.releaseName == stored.release)
    #expect(try plan.parsedManifest().name == plan.name)
  }

  @Test(arguments: all) func itsIdentityStaysTheSame(_ stored: Stored) throws {
    let plan = try Plan(reading: stored.path)
    #expect(try plan.identity.hex == stored.identity)
    #expect(try plan.portable.identity.hex == stored.identity)
    #expect(plan.portable.places == nil)
  }

  /// lrelease writes 7.4~rc2 only. What somebody else wrote is kept as it is.
  @Test(arguments: ["7.4-rc2", "7.4-RC2", "7.4~rc2"]) func aVersionIsKeptAsItIsSpelled(version: String) throws {
    let stored = try #require(Self.all.first { $0.name == "tilde-candidate" })
    let text = String(decoding: try stored.read(), as: UTF8.self)
      .replacing("\"version\" : \"7.4~rc2\"\n", with: "\"version\" : \"\(version)\"\n")
    #expect(text.contains(": \"\(version)\"\n"))
    let plan = try Plan(parsing: Array(text.utf8), doing: "reading a plan")
    try expectSame(JSON.encode(plan), Array(text.utf8))
    #expect(try plan.releaseName == "demo-7.4~rc2")
  }

  /// One of the stored plans holds each field that a plan may have, so that none is left untried.
  @Test func everyFieldIsTried() throws {
    let plans = try Self.all.map { try Plan(reading: $0.path) }
    let pins = plans.flatMap(\.sources.values)
    #expect(plans.contains { $0.kernel != nil } && plans.contains { $0.kernel == nil })
    #expect(plans.contains { !$0.extras.isEmpty } && plans.contains { !$0.tools.isEmpty })
    #expect(plans.contains { $0.places != nil } && plans.contains { $0.places == nil })
    #expect(plans.contains { $0.recipe.values.contains { $0.hex != nil } })
    #expect(plans.contains { $0.proven?.values.contains { !$0.kernels.isEmpty && !$0.probes.isEmpty } == true })
    #expect(plans.contains { $0.proven?.values.contains { $0.kernels.isEmpty && $0.probes.isEmpty } == true })
    #expect(plans.contains { $0.families != nil } && plans.contains { $0.families == nil })
    #expect(plans.contains { $0.proven?.values.contains { $0.supported?.contains { $0.by != nil } == true } == true })
    #expect(plans.contains { $0.rebuilds?.contains { $0.extras != nil && $0.patches != nil } == true })
    #expect(pins.contains { $0.commit != nil && $0.ref != nil && $0.signedBy != nil })
    #expect(pins.contains { $0.isUnsigned == true } && pins.contains { $0.isPinned == true })
    #expect(pins.contains { $0.patches != nil } && pins.contains { $0.kernel != nil })
  }

  private func expectSame(
    _ made: [UInt8], _ stored: [UInt8], _ location: Testing.SourceLocation = #_sourceLocation
  ) throws {
    #expect(String(decoding: made, as: UTF8.self) == String(decoding: stored, as: UTF8.self), sourceLocation: location)
    #expect(made == stored, sourceLocation: location)
  }
}
