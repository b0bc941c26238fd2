// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// Roots that are kept: used again, made anew when that is asked for, and removed; real ones, of a few packages.
@Suite struct RootCacheTests {
  private static let definition = ChrootDefinition(suites: ["bookworm"], packages: ["hello"])

  @Test func aRootIsMadeAnewOnlyWhenThatIsAskedFor() async throws {
    try await withScratch { folder in
      var cache = ChrootCache(folder.appending("roots"))
      let name = try Self.definition.key
      do {
        let first = try await cache.chroot(Self.definition, progress: .silent)
        #expect(first.record.packages.contains { $0.hasPrefix("hello ") && $0.hasSuffix(" amd64") })
        #expect(first.record.packages.contains { $0.hasPrefix("dpkg ") })
        try Files.write(Array("mark".utf8), to: first.path.appending("mark"))

        let second = try await cache.chroot(Self.definition, progress: .silent)
        #expect(second.record.made == first.record.made && Files.exists(second.path.appending("mark")))
        // Whoever wants a newer one waits until this one is not in use any more.
        cache.refresh = "now"
        let impatient = Task { [cache] in try await cache.chroot(Self.definition, progress: .silent) }
        try await Task.sleep(for: .milliseconds(500))
        impatient.cancel()
        await #expect(throws: CancellationError.self) { _ = try await impatient.value }
        #expect(Files.exists(first.path.appending("mark")))
        await #expect(throws: ReleaseError.self) { try await cache.remove(name) }
      }
      let anew = try await cache.chroot(Self.definition, progress: .silent)
      #expect(!Files.exists(anew.path.appending("mark")) && anew.record.refresh == "now")
      #expect(try await cache.chroot(Self.definition, progress: .silent).record.made == anew.record.made)
      // An archive that has not changed gives the same packages.
      let kept = try await cache.all()
      #expect(kept.map(\.name) == [name] && kept.first?.from == ["bookworm"] && (kept.first?.bytes ?? 0) > 50_000_000)
    }
  }

  @Test func halfARootIsMadeAnewAndRemovingOneLeavesNothing() async throws {
    try await withScratch { folder in
      let cache = ChrootCache(folder)
      let name = try Self.definition.key
      // Without its record it may be half of one: it counts for nothing.
      try Files.makeFolder(folder.appending("\(name)/half"))
      let path = try await cache.chroot(Self.definition, progress: .silent).path
      #expect(!Files.exists(path.appending("half")) && Files.exists(path.appending("usr/bin/hello")))
      // What a killed lrelease has left goes with it.
      try Files.makeFolder(folder.appending("\(name).elsewhere.partial/usr"))
      for wrong in ["nothing", "", "..", "../\(name)", "/"] {
        await #expect(throws: ReleaseError.self) { try await cache.remove(wrong) }
      }
      try await cache.remove(name)
      #expect(try Files.names(in: folder).isEmpty)
    }
  }

  /// What a package of a suite such as backports needs comes from there, where the others have it too old.
  @Test func whatAPackageOfBackportsNeedsComesFromThere() async throws {
    let archive = """
      set -e
      mkdir -p /srv/archive/main /srv/archive/back
      cd /srv/archive
      make_package() {
        mkdir -p tree/DEBIAN
        printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: A <a@example.org>\\nDescription: x\\n' $2 $3 >tree/DEBIAN/control
        [ -z "$4" ] || echo "Depends: $4" >>tree/DEBIAN/control
        dpkg-deb --build tree $1/$2_$3.deb >/dev/null
        cat tree/DEBIAN/control >>$1/Packages
        printf 'Filename: %s\\nSize: %s\\nSHA256: %s\\n\\n' $1/$2_$3.deb $(stat -c %s $1/$2_$3.deb) \
          $(sha256sum $1/$2_$3.deb | cut -d' ' -f1) >>$1/Packages
      }
      make_package main needed 1
      make_package main usual 1
      make_package back needed 2
      make_package back usual 2
      make_package back new 2 'needed (>= 2)'
      for suite in main back; do
        printf 'Suite: %s\\nCodename: %s\\nSHA256:\\n %s %s Packages\\n' $suite $suite \
          $(sha256sum $suite/Packages | cut -d' ' -f1) $(stat -c %s $suite/Packages) >$suite/Release
      done
      printf 'NotAutomatic: yes\\nButAutomaticUpgrades: yes\\n' >>back/Release
      printf 'deb [trusted=yes] file:/srv/archive main/\\ndeb [trusted=yes] file:/srv/archive back/\\n' >/etc/apt/sources.list
      """
    let script = String(
      decoding: try Files.read(Workshop.root.appending("Sources/Distributions/Scripts/add-deb.sh")), as: UTF8.self)
    try await withScratch { folder in
      let chroot = try await ChrootCache(folder).chroot(Self.definition, progress: .silent)
      let (made, ran) = try await chroot.use { session in
        (
          try await session.run(["sh", "-c", archive], doing: "testing"),
          try await session.run(
            ["sh", "-c", "\(script)\ndpkg-query --show needed usual new; ls /later", "add", "new usual", "new"],
            doing: "testing")
        )
      }
      #expect(made.succeeded && ran.succeeded, "\(made.errors)\n\(ran.errors)")
      #expect(ran.text.contains("needed\t2\nnew\t2\nusual\t1\n"), "\(ran.text)")
    }
  }

  /// A chroot with layers: each is made once, is used by those above it, and goes with the one below.
  @Test func layersShareABase() async throws {
    // The options of an overlay are cut at commas and colons.
    try await withScratch { outer in
      let folder = outer.appending("of,a:b c")
      var cache = ChrootCache(folder)
      var definition = Self.definition
      definition.layers = [["tree"], ["sl"]]
      let base = try Self.definition.key
      let middle = try #require(try definition.base?.key)
      do {
        let chroot = try await cache.chroot(definition, progress: .silent)
        for package in ["hello", "tree", "sl"] {
          #expect(chroot.record.packages.contains { $0.hasPrefix("\(package) ") }, "\(package)")
        }
        let ran = try await chroot.use { session in
          try await session.run(["sh", "-c", "hello && tree --version && ls /usr/games/sl"], doing: "testing")
        }
        #expect(ran.succeeded && ran.text.contains("Hello, world!"), "\(ran.errors)")
        #expect(try await chroot.damage(Apt(), doing: "testing") == nil)
        let kept = try await cache.all()
        let top = try definition.key
        #expect(kept.map(\.name) == [base, middle, top] && kept.map(\.base) == [nil, base, middle])
        #expect(kept[0].bytes > 50_000_000 && kept[1].bytes < 20_000_000, "\(kept)")
        #expect(kept.allSatisfy { $0.bytes > 0 })
        // What apt fetched to make a layer is not kept, nor where this machine's files were shown.
        var status = stat()
        #expect(stat(folder.appending("\(middle)/upper").string, &status) == 0 && status.st_mode & 0o777 == 0o755)
        for gone in ["work", "merged", "upper/var/cache/apt/pkgcache.bin", "upper/etc/hosts"] {
          #expect(!Files.exists(folder.appending(middle).pushing(FilePath(gone))), "\(gone)")
        }
        // A layer in use keeps all below it.
        await #expect(throws: ReleaseError.self) { try await cache.remove(base) }
      }
      let first = try #require(cache.record(of: middle))
      try await cache.remove(base)
      #expect(try Files.names(in: folder).isEmpty)

      cache.refresh = "now"
      definition.layers = [["tree"]]
      let anew = try await cache.chroot(definition, progress: .silent)
      #expect(anew.record.mark != first.mark && anew.record.base?.mark == cache.record(of: base)?.mark)
      // A layer counts only on the base that it was made on.
      try Files.remove(folder.appending("\(base).json"))
      let mark = anew.record.mark
      _ = consume anew
      #expect(try await cache.chroot(definition, progress: .silent).record.mark != mark)
    }
  }

  @Test func aPackageThatIsNotThere() async throws {
    try await withScratch { folder in
      let cache = ChrootCache(folder)
      var definition = Self.definition
      definition.layers = [["linux-headers-0.0.1-none"]]
      let error = await #expect(throws: ReleaseError.self) { _ = try await cache.chroot(definition, progress: .silent) }
      #expect(
        error?.description.contains(
          "adding linux-headers-0.0.1-none to a chroot of bookworm: E: Unable to locate package") == true,
        "\(String(describing: error))")
      // The base stands, and no half of the layer.
      let base = try Self.definition.key
      #expect(try await cache.all().map(\.name) == [base])
      let names = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
      #expect(names.allSatisfy { !$0.contains("partial") && !$0.hasPrefix("lrelease-work.") }, "\(names)")
    }
  }
}
