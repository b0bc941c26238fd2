// SPDX-License-Identifier: GPL-2.0-only

import Files
import SystemPackage
import TestSupport
import Testing

/// `lrelease manifest check` reads what a cut would read.
@Suite struct ManifestCheckTests {
  private static let more = """
    [[generate]]
    path = "version.h"
    template = "version.h.in"
    \(Workshop.packages)
    """

  private func check(_ workshop: Workshop, _ manifest: String = "demo.toml") async throws -> [String] {
    let outcome = try await workshop.run(["manifest", "check", manifest])
    #expect(outcome.status == .exited(outcome.errors.isEmpty ? 0 : 2), "\(outcome.errors)")
    return outcome.errors.split(separator: "\n").map(String.init)
  }

  @Test func theShippedManifestsAreGood() async throws {
    try await Workshop.use { workshop in
      for name in ["sample", "ceph", "lustre", "lustre-mainline"] {
        let path = Workshop.root.appending("manifests/\(name).toml").string
        let found = try await check(workshop, path)
        #expect(found.isEmpty, "\(found)")
      }
    }
  }

  @Test func everyFileThatIsNamedIsRead() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(
        Self.more,
        source:
          "patches = \"patches/series\"\nkeyring = \"keys.gpg\"\nsigners = [\"\(String(repeating: "AB", count: 20))\"]")
      let found = try await check(workshop)
      #expect(found.count == 3, "\(found)")
      for name in ["keys.gpg", "patches/series", "version.h.in"] {
        #expect(
          found.contains { $0.hasPrefix("demo.toml:") && $0.contains(name) && $0.contains("No such file") }, "\(found)")
      }
      try workshop.write("keys.gpg", "x")
      try workshop.write("patches/series", "a.patch\nb.patch -q\n")
      try workshop.write("version.h.in", "@VERSION@ @VERSON@\n@KERNEL_MIN@\n")
      let later = try await check(workshop)
      #expect(
        later == [
          "patches/series:2:1: error: reading the series: unknown option '-q'; -pN and -R can follow a patch",
          "version.h.in:1:11: error: filling in the template: there is no placeholder @VERSON@; did you mean @VERSION@?",
          "version.h.in:2:1: error: filling in the template: there is no placeholder @KERNEL_MIN@; known are "
            + "@DKMS_VERSION@, @EXTRAS@, @HOMEPAGE@, @KERNEL@, @LICENSE@, @MAINTAINER@, @NAME@, "
            + "@SUMMARY@, @VERSION@, @VERSION_TRIPLE@",
        ], "\(later)")
    }
  }

  @Test func recipesAreFilledIn() async throws {
    try await Workshop.use { workshop in
      let own = Self.more.replacing("\(Workshop.root)/debian/dkms", with: "dkms")
        .replacing("\(Workshop.root)/specs/dkms.spec", with: "dkms.spec")
      try workshop.writeManifest(
        own
          + "\n[packaging]\ndebian = \"debian\"\nspec = \"demo.spec\"\n[extras.x]\nsummary = \"x\"\nlicense = \"MIT\"\n"
          + "generate = [{ path = \"x\", template = \"x.in\" }]\n")
      try await workshop.shell(
        """
        cp -r '\(Workshop.root)/debian/dkms' dkms && cp '\(Workshop.root)/specs/dkms.spec' .
        mkdir debian && echo 'Source: @NAME@' >debian/control && echo '@DKMS_PACKAGES@ @BUILD_FLAVOR@' >demo.spec
        echo '@EXTRAS@ @EXTRA@' >x.in; echo ok >version.h.in
        """)
      let first = try await check(workshop)
      #expect(
        first == [
          "x.in:1:10: error: filling in the template: there is no placeholder @EXTRA@; did you mean @EXTRAS@?"
        ], "\(first)")
      try await workshop.shell(
        """
        echo fine >x.in; echo '@PACKAG@ @DKMS_SITE@ @COPYRIGHT@' >>dkms/postrm; sed -i 's/@REQUIRES@/@REQUIRE@/' dkms.spec
        printf 'a\\nb\\r\\n' >debian/rules; echo 'no field' >dkms/control; echo '@DKMS_PACKAGES@' >>debian/control
        """)
      let found = try await check(workshop)
      #expect(found.count == 5, "\(found)")
      for words in [
        "debian/control:2:1: error: filling in the template: there is no placeholder @DKMS_PACKAGES@",
        "debian/rules:2:1: error: reading the packaging: the line ends with CR and LF",
        "dkms/control:1:1: error: reading the control file: 'no field' is not a field", "did you mean @PACKAGE@?",
        "did you mean @REQUIRES@?",
      ] {
        #expect(found.contains { $0.contains(words) }, "\(words): \(found)")
      }
      try await workshop.shell("rm -r dkms debian; mkdir dkms; echo x >dkms/postinst")
      let missing = try await check(workshop)
      #expect(
        missing.contains { $0.hasPrefix("demo.toml:") && $0.contains("reading the recipe dkms: it has no control") })
      #expect(
        missing.contains {
          $0.hasPrefix("demo.toml:") && $0.contains("reading the recipe debian: there is no such folder")
        })
    }
  }

  /// A manifest in another folder than ours, whose findings can be opened from here.
  @Test func placesCanBeOpenedFromHere() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest("[[generate]]\npath = \"a\"\ntemplate = \"sub/a.in\"\n")
      try await workshop.shell("mkdir -p m/sub && mv demo.toml m && echo '@X@' >m/sub/a.in")
      let found = try await check(workshop, "m/demo.toml")
      #expect(found.count == 1 && found[0].hasPrefix("m/sub/a.in:1:1: error: "), "\(found)")
    }
  }
}
