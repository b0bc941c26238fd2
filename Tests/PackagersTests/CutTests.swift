// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// Cuts of the sample with the real command, looked at with the real tools.
@Suite(.serialized) struct CutTests {
  private func cut(
    into folder: FilePath, _ more: [String] = [], environment: [String: String] = [:]
  ) async throws -> Command.Outcome {
    let arguments =
      [
        "cut", Workshop.root.appending("manifests/sample.toml").string, "--source",
        "linux=\(Workshop.root.appending("Examples/sample/linux"))", "--output", folder.string,
      ] + more
    let variables = Command.plainEnvironment.merging(["HOME": folder.string]) { $1 }.merging(environment) { $1 }
    return try await Command(Workshop.lrelease, arguments, environment: variables).run(doing: "cutting the sample")
  }

  /// One core against all, umask, time zone, locale, user, home and folder, of the tool and of the recipes.
  @Test func twoCutsAreTheSameWhateverTheSurroundings() async throws {
    try await withScratch { folder in
      let first = try await cut(into: folder.appending("a"), ["--with", "trace"])
      #expect(first.succeeded, "\(first.errors)")

      let elsewhere = folder.appending("another folder")
      try Files.makeFolder(elsewhere)
      let parts = ["manifests", "debian", "specs", "Examples", ".build/debug/lrelease"]
      _ = try await Command(
        "cp", ["-rL", "--"] + parts.map { Workshop.root.appending($0).string } + [elsewhere.string]
      ).check(doing: "copying the recipes")
      _ = try await Command("chown", ["-R", "65534:65534", folder.string]).check(doing: "giving the folder away")
      let surroundings = [
        "-c", "0", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i",
        "PATH=\(Command.plainEnvironment["PATH"] ?? "")", "TZ=Asia/Tokyo", "LC_ALL=C", "HOME=\(elsewhere)",
        "USER=nobody", "SOURCE_DATE_EPOCH=1", "sh", "-c", "umask 077; cd / && exec \"$@\"", "sh",
      ]
      let second = try await Command(
        "taskset",
        surroundings + [
          elsewhere.appending("lrelease").string, "cut", elsewhere.appending("manifests/sample.toml").string,
          "--source",
          "linux=\(elsewhere.appending("Examples/sample/linux"))", "--with", "trace", "--output",
          elsewhere.appending("out").string,
        ]
      ).run(doing: "cutting the sample elsewhere")
      #expect(second.succeeded, "\(second.errors)")
      let name = "sample-7.2.1+and.trace/SHA256SUMS"
      let sums = try [folder.appending("a"), elsewhere.appending("out")].map {
        String(decoding: try Files.read($0.appending(name)), as: UTF8.self)
      }
      #expect(sums[0] == sums[1])
      #expect(sums[0].split(separator: "\n").count == 8, "\(sums[0])")
    }
  }

  /// `cut --plan` makes the same files as the cut that the plan was made for.
  @Test func aPlanIsCarriedOutBitForBit() async throws {
    try await withScratch { folder in
      let direct = try await cut(into: folder.appending("a"))
      #expect(direct.succeeded, "\(direct.errors)")
      let plan = folder.appending("plan.json")
      let planned = try await Command(
        Workshop.lrelease,
        [
          "plan", Workshop.root.appending("manifests/sample.toml").string, "--source",
          "linux=\(Workshop.root.appending("Examples/sample/linux"))", "--save", plan.string,
        ]
      ).run(doing: "planning the sample")
      #expect(planned.succeeded, "\(planned.errors)")
      let repeated = try await Command(
        Workshop.lrelease, ["cut", "--plan", plan.string, "--output", folder.appending("b").string]
      ).run(doing: "carrying the plan out")
      #expect(repeated.succeeded, "\(repeated.errors)")
      let sums = try ["a", "b"].map { try Files.read(folder.appending("\($0)/sample-7.2.1/SHA256SUMS")) }
      #expect(sums[0] == sums[1])
    }
  }

  @Test func aReleaseIsNeverChanged() async throws {
    try await withScratch { folder in
      #expect(try await cut(into: folder).succeeded)
      #expect(try await cut(into: folder, ["--json"]).text.contains("\"wasThere\" : true"))
      let deb = folder.appending("sample-7.2.1/sample-dkms_7.2.1-1_all.deb")
      try Files.replace(deb, with: [1])
      let changed = try await cut(into: folder)
      #expect(changed.status == .exited(6))
      try Files.replace(folder.appending("sample-7.2.1/plan.json"), with: [1])
      let other = try await cut(into: folder)
      #expect(other.status == .exited(5))
      #expect(other.errors.contains("--respin"))
    }
  }

  /// Extras that need or exclude each other, what they make packages depend on, and kernels that they add.
  @Test func extrasKnowOfEachOther() async throws {
    try await withScratch { folder in
      let manifests = Workshop.root.appending("manifests")
      for name in ["manifests", "debian", "specs", "Examples"] {
        let copy = ["-r", Workshop.root.appending(name).string, folder.string]
        _ = try await Command("cp", copy).check(doing: "copying")
      }
      let more = """

        [extras.trace-more]
        summary = "more"
        license = "GPL-2.0-only"
        needs = ["trace"]
        deb-depends = ["bpftrace"]
        rpm-depends = ["bpftrace >= 0.14"]
        kernels = { min = "5.4", max = "6.1" }
        [extras.quiet]
        summary = "less"
        license = "GPL-2.0-only"
        conflicts = ["trace"]
        """
      let text = try Files.read(manifests.appending("sample.toml")) + Array(more.utf8)
      try Files.replace(folder.appending("manifests/sample.toml"), with: text)
      func cut(_ extras: [String]) async throws -> Command.Outcome {
        try await Command(
          Workshop.lrelease,
          [
            "cut", folder.appending("manifests/sample.toml").string, "--source",
            "linux=\(folder.appending("Examples/sample/linux"))", "--output", folder.appending("out").string,
          ] + extras.flatMap { ["--with", $0] }
        ).run(doing: "cutting the sample")
      }
      #expect(try await cut(["trace-more"]).errors.contains("'trace-more' needs 'trace'; give --with trace too"))
      #expect(try await cut(["trace", "quiet"]).errors.contains("'quiet' conflicts with 'trace'; choose one of them"))
      #expect(!Files.exists(folder.appending("out")))
      let both = try await cut(["trace", "trace-more"])
      #expect(both.succeeded, "\(both.errors)")
      let release = folder.appending("out/sample-7.2.1+and.trace.trace.more")
      let deb = release.appending("sample-dkms_7.2.1+and.trace.trace.more-1_all.deb").string
      #expect(
        try await Command("dpkg-deb", ["-f", deb, "Depends"]).check(doing: "asking").text.contains("make, bpftrace"))
      let described = try await Command("dpkg-deb", ["-f", deb, "Description"]).check(doing: "asking").text
      #expect(described.contains("Supported are:\n  - kernels 5.4 to 7.3: untried"))
      let files = try await Command("dpkg-deb", ["--fsys-tarfile", deb]).check(doing: "unpacking").output
      let configuration = try await Command("tar", ["-xO", "./usr/src/sample-7.2.1-and.trace.trace.more/dkms.conf"])
        .run(
          input: files, doing: "reading dkms.conf")
      #expect(configuration.text.contains("supported are 5.4 to 7.3") && !configuration.text.contains("KERNEL_MAX="))
      let rpm = release.appending("sample-dkms-7.2.1+and.trace.trace.more-1.noarch.rpm").string
      #expect(
        try await Command("rpm", ["-qp", "--requires", rpm]).check(doing: "asking").text.contains("bpftrace >= 0.14"))
    }
  }

  @Test func aWrongRequestLeavesNothing() async throws {
    try await withScratch { folder in
      let wrong = [
        (["--with", "trase"], "did you mean 'trace'?"), (["--source", "linus=x"], "did you mean 'linux'?"),
        (["--kernel", "7.9"], "its Makefile says 7.2.1, --kernel says 7.9"),
        (["--source", "companion=/nowhere"], "there is no /nowhere"),
      ]
      for (arguments, words) in wrong {
        let outcome = try await cut(into: folder.appending("out"), arguments)
        #expect(!outcome.succeeded && outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(!Files.exists(folder.appending("out")))
      }
    }
  }

  @Test func thePackagesAreTakenByTheRealTools() async throws {
    try await withScratch { folder in
      let outcome = try await cut(into: folder, ["--with", "trace"])
      #expect(outcome.succeeded, "\(outcome.errors)")
      let release = folder.appending("sample-7.2.1+and.trace")
      let verify = try await Command(
        Workshop.lrelease, ["verify", release.appending("sample-7.2.1+and.trace.tar.xz").string]
      )
      .run(doing: "verifying")
      #expect(verify.succeeded, "\(verify.errors)")
      let listed = try await Command(
        "dpkg-deb", ["-c", release.appending("sample-dkms_7.2.1+and.trace-1_all.deb").string]
      )
      .check(doing: "listing")
      #expect(listed.text.contains("./usr/src/sample-7.2.1-and.trace/extras/trace/sampletrace.c"))
      #expect(!listed.text.contains("/utils/"))
      let rpm = try await Command(
        "rpm", ["-qpl", release.appending("sample-dkms-7.2.1+and.trace-1.noarch.rpm").string]
      )
      .check(doing: "listing")
      #expect(rpm.text.contains("/usr/src/sample-7.2.1-and.trace/dkms.conf"))
      let shown = try await Command(
        Workshop.lrelease, ["show", release.appending("sample-dkms_7.2.1+and.trace-1_all.deb").string]
      )
      .check(doing: "showing")
      #expect(shown.text.contains("← linux:fs/sample/super.c"))
    }
  }

  /// Its files are in its own package alone, in which no other extra is; without it, nobody asks where its source is.
  @Test func anExtraMakesAPackageOfItsOwn() async throws {
    try await withScratch { folder in
      let nowhere = ["mark", "trace"].flatMap { ["--source", "\($0)=\(folder.appending("nowhere"))"] }
      let without = try await cut(into: folder, nowhere)
      #expect(without.succeeded, "\(without.errors)")
      let plain = try Files.names(in: folder.appending("sample-7.2.1")).map { String(decoding: $0, as: UTF8.self) }
      #expect(!plain.contains { $0.hasPrefix("samplemark") })
      let missing = try await cut(into: folder, nowhere + ["--with", "mark"])
      #expect(!missing.succeeded && missing.errors.contains("opening the source 'mark'"), "\(missing.errors)")

      #expect(try await cut(into: folder, ["--with", "trace", "--with", "mark"]).succeeded)
      let release = folder.appending("sample-7.2.1+and.mark.trace")
      func files(_ package: String) async throws -> [Substring] {
        let deb = release.appending("\(package)_7.2.1+and.mark.trace-1_all.deb").string
        let rpm = release.appending("\(package)-7.2.1+and.mark.trace-1.noarch.rpm").string
        let listed = try await Command("sh", ["-c", "dpkg-deb --fsys-tarfile \(deb) | tar -t | sed s/.//"]).check(
          doing: "listing")
        let sources = listed.text.split(separator: "\n").filter { $0.hasPrefix("/usr/src/") && !$0.hasSuffix("/") }
        let packed = try await Command("rpm", ["-qpl", rpm]).check(doing: "listing").text.split(separator: "\n")
        #expect(Set(packed).isSuperset(of: sources))
        return sources.sorted()
      }
      let own = try await files("samplemark-dkms")
      #expect(
        own
          == [
            "dkms.conf", "dkms/post-install", "dkms/pre-build", "extras/mark/Kbuild", "extras/mark/README",
            "extras/mark/samplemark.c",
          ].map { "/usr/src/samplemark-7.2.1-and.mark.trace/\($0)" })
      let other = try await files("sample-dkms")
      #expect(other.contains("/usr/src/sample-7.2.1-and.mark.trace/extras/trace/sampletrace.c"))
      #expect(!other.contains { $0.contains("extras/mark") })
    }
  }

  /// What an extra wants of configure reaches the recipes of ready-built modules, and through make as it stands.
  @Test func recipesKnowWhatExtrasWantOfConfigure() async throws {
    try await withScratch { folder in
      let script = """
        cp -r manifests debian specs overlays Examples "$0"
        cd "$0"
        sed -i '/^\\[extras.trace]/a configure = ["--with-trace=$PWD/extras", "--fast"]' manifests/sample.toml
        printf 'define extras\n@EXTRAS_CONFIGURE@\nendef\nextras:\n\t@echo "<"$(value extras)">"\n' >>debian/sample/rules
        echo '# <@EXTRAS_CONFIGURE@>' >>specs/sample.spec
        for extras in "" "--with trace"; do
          "$1" cut manifests/sample.toml --quiet $extras --source linux=Examples/sample/linux --output out
        done
        for release in out/*; do
          name=$(basename "$release")
          tar -xf "$release/$name.tar.xz" "$name/debian/rules" "$name/debian/control" "$name/sample.spec"
          tail -n 1 "$name/sample.spec"
          sed -i '/^include/d' "$name/debian/rules"
          (cd "$name" && make -s -f debian/rules extras)
        done
        """
      let outcome = try await Command(
        "sh", ["-ec", "cd '\(Workshop.root)'; \(script)", folder.string, Workshop.lrelease]
      ).run(doing: "cutting with an extra that configures")
      #expect(
        outcome.text.split(separator: "\n")
          == [
            "# <>", "<>", "# <--with-trace=$PWD/extras --fast>",
            "<--with-trace=\(folder.appending("sample-7.2.1+and.trace"))/extras --fast>",
          ], "\(outcome.text)\(outcome.errors)")
    }
  }

  /// Builds with the real dkms against every kernel whose headers are installed here.
  @Test func dkmsBuildsInstallsAndRemovesTheModules() async throws {
    let kernels = try Files.names(in: "/lib/modules").map { String(decoding: $0, as: UTF8.self) }
      .filter { Files.exists(FilePath("/lib/modules/\($0)/build/Makefile")) }
    if kernels.isEmpty { Issue.record("no kernel headers: apt-get install linux-headers-amd64") }
    try await withScratch { folder in
      #expect(try await cut(into: folder, ["--with", "trace", "--with", "mark"]).succeeded)
      let release = folder.appending("sample-7.2.1+and.mark.trace")
      let unpacked = folder.appending("root")
      for package in ["sample-dkms", "samplemark-dkms"] {
        let deb = release.appending("\(package)_7.2.1+and.mark.trace-1_all.deb").string
        _ = try await Command("dpkg-deb", ["-x", deb, unpacked.string]).check(doing: "unpacking")
      }
      let trees = ["dkms", "modules"].map { folder.appending($0) }
      for tree in trees { try Files.makeFolder(tree) }
      func dkms(_ arguments: [String], _ package: String) async throws -> Command.Outcome {
        try await Command(
          "dkms",
          arguments + [
            "-m", package, "-v", "7.2.1-and.mark.trace", "--dkmstree", trees[0].string, "--sourcetree",
            "\(unpacked)/usr/src",
          ]
        ).run(doing: "running dkms")
      }
      for (package, modules) in [
        ("sample", ["samplenet", "samplefs", "sampletrace"]), ("samplemark", ["samplemark"]),
      ] {
        #expect(try await dkms(["add"], package).succeeded)
        for kernel in kernels {
          let built = try await dkms(["build", "-k", kernel], package)
          #expect(built.succeeded, "\(kernel): \(built.text) \(built.errors)")
          let folder = FilePath("\(trees[0])/\(package)/7.2.1-and.mark.trace/\(kernel)/x86_64/module")
          let names = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
          #expect(names.count == modules.count)
          for module in modules {
            // dkms compresses as the kernel's own modules are.
            let name = try #require(names.first { $0.hasPrefix("\(module).ko") })
            let path = folder.appending(name).string
            let version = try await Command("modinfo", ["-F", "version", path]).check(doing: "asking modinfo")
            #expect(version.text.trimmed == "7.2.1-and.mark.trace")
            let magic = try await Command("modinfo", ["-F", "vermagic", path]).check(doing: "asking modinfo")
            #expect(magic.text.hasPrefix("\(kernel) "))
          }
        }
        #expect(try await dkms(["remove", "--all"], package).succeeded)
        #expect(!Files.exists(trees[0].appending(package)))
      }
    }
  }

  /// The upper end 7.2 means every 7.2.y, the lower end 7.2 the first.
  @Test(arguments: [
    ("5.10", "6.1", "5.10 to 7.2"), ("6.1", "7.2.5", "6.1 to 7.2"), ("6.12.3", "7.0", "6.12 to 7.2"),
    ("7.3", "7.4.1", "6.12 to 7.4.1"),
  ])
  func aWidenedRangeHoldsBoth(min: String, max: String, both: String) throws {
    let range = try KernelRange("6.12", "7.2")
    #expect(try range.widened(to: KernelRange(min, max)).text == both)
    #expect(try KernelRange(min, max).widened(to: range).text == both)
  }

  /// The expression for old dkms says the same as a comparison of numbers, to bash itself.
  @Test(arguments: [("5.10", "7.3"), ("6.12", "6.12"), ("5.10.5", "6.1.9"), ("6.1.3", "6.1.20"), ("6.9", "7.0.12")])
  func theExpressionIsTheRange(min: String, max: String) async throws {
    let range = try KernelRange(min, max)
    var releases: [(String, Bool)] = []
    let high = try #require(KernelRelease(range.dkmsMax))
    for major in 4...8 {
      for minor in 0...24 {
        for patch in [nil, 0, 1, 3, 5, 9, 10, 12, 20, 21, 117] as [Int?] {
          let text = "\(major).\(minor)" + (patch.map { ".\($0)" } ?? "")
          guard let release = KernelRelease(text) else { continue }
          for suffix in ["", "-amd64", "+deb12-amd64", "-1.el9.x86_64"] {
            releases.append((text + suffix, range.min <= release && release <= high))
          }
        }
      }
    }
    let script = "e=$1; while read -r k; do [[ $k =~ $e ]] && echo yes || echo no; done"
    let input = releases.map { $0.0 + "\n" }.joined()
    let outcome = try await Command("bash", ["-c", script, "bash", range.expression]).run(
      input: Array(input.utf8), doing: "asking bash")
    let answers = outcome.text.split(separator: "\n").map { $0 == "yes" }
    #expect(answers.count == releases.count)
    let wrong = zip(releases, answers).filter { $0.0.1 != $0.1 }.map(\.0.0)
    #expect(wrong.isEmpty, "\(range.expression): \(wrong.prefix(8))")
  }
}
