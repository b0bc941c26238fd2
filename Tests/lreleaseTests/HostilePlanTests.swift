// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import SystemPackage
import TestSupport
import Testing

/// Plans of strangers, given to the real command: each is refused in one line, and leaves nothing.
@Suite struct HostilePlanTests {
  private static let base = """
    "basedOn" : { "name" : "BASE", "version" : "7.4", "tarball" : "\(zeros)", "plan" : "\(zeros)" }
    """
  private static let zeros = String(repeating: "0", count: 64)

  private static func proven(_ variant: String, _ kernels: String, _ probes: String) -> String {
    """
    "proven" : { "\(variant)" : { "kernelMin" : "7.0", "kernelMax" : "7.9", "kernels" : {\(kernels)}, "probes" : {\(probes)} } },
    """
  }

  /// Families of kernels, which go into scripts of sites, and what is supported of them.
  private static func family(_ name: String, _ release: String, line: Int = 2) -> String {
    """
    "families" : [{ "name" : "\(name)", "release" : "\(release)", "line" : \(line), "follows" : false }],
    """
  }

  private static func supported(_ family: String, _ min: String, _ max: String, more: String = "") -> String {
    """
    "proven" : { "modules" : { "supported" : [{ "family" : "\(family)", "min" : "\(min)", "max" : "\(max)",
    "standing" : "stated"\(more) }], "kernels" : {}, "probes" : {} } },
    """
  }

  /// What is put before `"recipe"`, the exit status, and words of the error.
  private static let added: [(text: String, status: Int32, words: String)] = [
    (proven("modules", "", #""../../x" : "id""#), 2, "proven.modules.probes: '../../x' cannot stand there"),
    (proven("modules", "", #""a b" : "id""#), 2, "proven.modules.probes"),
    (proven("modules", #""$(id)" : ["7.0"]"#, ""), 2, "proven.modules.kernels: '$(id)'"),
    (proven("modules", #""debian-12" : ["7.0;id"]"#, ""), 2, "proven.modules.kernels: '7.0;id'"),
    (proven("../m", "", ""), 2, "proven: '../m'"),
    (supported("el9; id", "6.1", "6.2"), 2, "proven.modules.supported: 'el9; id' cannot stand there"),
    (supported("el9", "6.2", "6.1"), 2, "proven.modules.supported: 'el9 6.2 to 6.1'"),
    (supported("el9", "6.1", "$(id)"), 2, "'$(id)' is no build of a kernel"),
    (supported("el9", "6.1", "6.2", more: #", "by" : "$(id)""#), 2, "proven.modules.supported: '$(id)'"),
    (#""proven" : { "modules" : { "kernels" : {}, "probes" : {} } },"#, 2, "proven.modules: 'modules'"),
    (#""rebuilds" : [{ "vendor" : "a\nb", "number" : 1, \#(base) }],"#, 2, "version: '7.4, of a rebuild by a\\nb'"),
    (#""rebuilds" : [{ "vendor" : "a", "number" : 1, \#(base) }],"#, 2, "version: '7.4, of a rebuild by a'"),
    (#""kernel" : "7.4$(id)","#, 2, "it has the key kernel twice in one place"),
    (#""na\u006de" : "other","#, 2, "it has the key name twice in one place"),
    (#""x" : \#(String(repeating: "[", count: 100_000)),"#, 2, "it is not JSON"),
    (#""x" : \#(String(repeating: "9", count: 100_000)),"#, 0, ""),
  ]

  /// What is put in place of something else.
  private static let changed: [(old: String, new: String, status: Int32, words: String)] = [
    (#""kernel" : "7.4""#, #""kernel" : "7.4$(id)""#, 2, "kernel: '7.4$(id)' cannot stand there"),
    (#""version" : "7.4""#, #""version" : "7.4+and.../../x""#, 2, "the extras ../../x is not allowed in a version"),
    (#""version" : "7.4""#, #""version" : "7.4 x""#, 2, "is not a number"),
    (#""kind" : "folder""#, #""kind" : "folder", "version" : "1;id""#, 2, "sources.linux.version: '1;id'"),
    (#""kind" : "folder""#, #""kind" : "folder", "commit" : "--upload-pack=id""#, 2, "sources.linux.commit"),
    (#""kind" : "folder""#, #""kind" : "folder", "ref" : "-x""#, 2, "sources.linux.ref: '-x'"),
    (#""tools" : {"#, #""tools" : { "$(id)" : "1""#, 2, "tools: '$(id)'"),
    (#""sourceDate" : "#, #""sourceDate" : 9223372036854775807, "x" : "#, 2, "not a possible time of a release"),
  ]

  private static let places: [(place: String, status: Int32, words: String)] = [
    ("/etc/shadow", 3, "reading /etc/shadow: it is not a tarball"), ("/dev/zero", 3, "it is not a regular file"),
    ("fifo", 3, "it is not a regular file"), ("sparse", 3, "it has 1099511627776 bytes, more than"),
    ("/proc/self/mem", 3, "reading /proc/self/mem"), ("ext::id", 2, "none is run"),
    ("ssh://-oProxyCommand=id/x", 3, "-oProxyCommand=id"),
  ]

  @Test func eachIsRefusedInOneLine() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      try await workshop.shell("mkfifo fifo; truncate -s 1T sparse")
      _ = try await workshop.run(["plan", "--quiet", "demo.toml", "--source", "linux=linux"])
      let plan = String(decoding: try Files.read(workshop.folder.appending("plan.json")), as: UTF8.self)
      func check(_ text: String, _ status: Int32, _ words: String) async throws {
        #expect(text != plan)
        try workshop.write("changed.json", text)
        let outcome = try await workshop.run(
          ["cut", "--quiet", "--plan", "changed.json", "--output", workshop.output.string], seconds: 60)
        if status == 0 {
          #expect(outcome.succeeded, "\(outcome.errors)")
          try Files.remove(workshop.output)
        } else {
          workshop.expectRefusal(outcome, status, words)
        }
      }
      for (text, status, words) in Self.added {
        try await check(plan.replacing("\"recipe\" : {", with: "\(text) \"recipe\" : {"), status, words)
      }
      let families = try #require(plan.firstRange(of: "\"families\" : ["))
      let end = try #require(plan[families.upperBound...].firstRange(of: "\n  ],"))
      for (text, words) in [
        (Self.family("a;id", "x"), "families: 'a;id' cannot stand there"),
        (Self.family("mainline", "x"), "families: 'mainline'"),
        (Self.family("a", "x'; id; '"), "families.a: 'x'; id; ''"),
        (Self.family("a", "x$\\n"), "families.a"), (Self.family("a", "("), "families.a: '('"),
        (Self.family("a", "x", line: 0), "families.a.line: '0'"),
      ] {
        try await check(String(plan[..<families.lowerBound]) + text + plan[end.upperBound...], 2, words)
      }
      for (old, new, status, words) in Self.changed {
        try await check(plan.replacing(old, with: new, maxReplacements: 1), status, words)
      }
      let own = "\(workshop.folder)/linux"
      for (place, status, words) in Self.places {
        try await check(plan.replacing("\"\(own)\"", with: "\"\(place)\""), status, words)
      }
      // A path with a newline in the recipe.
      try await check(
        plan.replacing(
          "\"recipe\" : {", with: #""recipe" : { "a\nb" : { "text" : "", "sha256" : "\#(SHA256Digest(of: []))" },"#), 2,
        "recipe: 'a\\nb'")
    }
  }

  /// Files of a folder of the recipe become paths of the release: a plan cannot lead them out of it.
  @Test func aRecipeCannotLeaveItsFolder() async throws {
    try await Workshop.use { workshop in
      let root = Workshop.root
      _ = try await workshop.run(
        ["plan", "--quiet", "\(root)/manifests/sample.toml", "--source", "linux=\(root)/Examples/sample/linux"])
      let plan = String(decoding: try Files.read(workshop.folder.appending("plan.json")), as: UTF8.self)
      for path in ["../debian/sample/../../../../etc/x", "../debian/sample/a//b", "../debian/sample/./x"] {
        let entry = #""\#(path)" : { "text" : "", "sha256" : "\#(SHA256Digest(of: []))" },"#
        try workshop.write("changed.json", plan.replacing("\"recipe\" : {", with: "\"recipe\" : { \(entry)"))
        let outcome = try await workshop.run(
          ["cut", "--quiet", "--plan", "changed.json", "--output", workshop.output.string])
        workshop.expectRefusal(outcome, 2, "reading the recipe ../debian/sample")
      }
    }
  }

  /// Patches beside a plan: none but those that it names by digest are taken, wherever they lie in the archive.
  @Test func patchesBesideAPlanAreTakenByTheirDigest() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      try await workshop.shell("mkdir m p; mv demo.toml m")
      try workshop.write("p/series", "fix.patch\n")
      try workshop.write("p/fix.patch", "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1 +1 @@\n-int a;\n+int b;\n")
      let linux = ["--source", "linux=linux"]
      let arguments = ["cut", "--quiet", "--plan", "plan/plan.json", "--output", workshop.output.string] + linux
      for series in ["../p/series", "\(workshop.folder)/p/series"] {
        try await workshop.shell(
          "rm -rf out plan; sed '/^kernel/a patches = \"\(series)\"' m/demo.toml > m/patched.toml")
        let cut = try await workshop.run(workshop.cutArguments("m/patched.toml", linux))
        #expect(cut.succeeded, "\(cut.errors)")
        // The release alone is enough to make it again.
        try await workshop.shell("mv out/demo-7.4 plan; rmdir out")
        let again = try await workshop.run(arguments)
        #expect(again.succeeded, "\(again.errors)")
        try await workshop.shell("cmp plan/SHA256SUMS out/demo-7.4/SHA256SUMS; rm -r out")
      }
      for (script, words) in [
        ("mkdir x; echo other > x/a; tar -cJf $P x", "it does not hold the file"),
        ("mkdir -p x/y; cp p/fix.patch x; tar -cJPf $P x/y/../fix.patch", "leaves the tree"),
        ("mkdir x; ln -s /etc/passwd x/a; tar -cJf $P x", "leads out of the tree"),
        ("mkfifo $P", "not a regular file"), ("echo > $P", "it is not a tarball"),
        (
          "python3 -c 'import sys, tarfile; t = tarfile.TarInfo(\"x/a\"); t.size = 3 << 30; "
            + "sys.stdout.buffer.write(t.tobuf())' | cat - /dev/zero | head -c 10M | xz > $P",
          "hold more than 2147483648 bytes"
        ),
      ] {
        try await workshop.shell("rm -rf x plan/*.patches.tar.xz; P=plan/x.patches.tar.xz; \(script)")
        let outcome = try await workshop.run(arguments)
        workshop.expectRefusal(outcome, words.contains("hold the file") ? 2 : 3, words)
      }
    }
  }
}
