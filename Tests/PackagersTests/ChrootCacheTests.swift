// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import Model
import SystemPackage
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
}
