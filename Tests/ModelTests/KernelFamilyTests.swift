// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Model

/// What is known of a kernel by its release.
@Suite struct KernelFamilyTests {
  private static func manifest(_ kernels: String, _ more: String = "") throws -> Manifest {
    let text = """
      \(Demo.manifestHead())
      [[tree]]
      from = "linux:fs"
      [modules]
      \(kernels)
      [[packages]]
      modules = [{ name = "demo" }]
      [packages.deb]
      recipe = "dkms"
      \(more)
      """
    return try Manifest(parsing: Array(text.utf8), file: "demo.toml")
  }

  private static func support(_ kernels: String, _ more: String = "") throws -> KernelSupport {
    let manifest = try manifest(kernels, more)
    return KernelSupport(manifest.packages[0].kernels, families: manifest.families)
  }

  private static let table = try! support(KernelReleaseCase.manifest, KernelReleaseCase.families)

  /// docs/kernels.md says what Lustre's manifest says of the kernels that its ChangeLog names.
  @Test func theKernelsThatLustreNames() throws {
    let manifests = Workshop.root.appending("manifests")
    let manifest = try Manifest(parsing: Files.read(manifests.appending("lustre.toml")), file: "lustre.toml") {
      try Files.read(manifests.pushing(FilePath($0)))
    }
    let supports = try ["client", "server"].map { variant in
      let package = try #require(manifest.packages.first { $0.variant == variant })
      return KernelSupport(package.kernels, families: manifest.families)
    }
    let page = String(decoding: try Files.read(Workshop.root.appending("docs/kernels.md")), as: UTF8.self)
    let rows = page.split(separator: "\n").drop { $0 != "| Kernel | client | server |" }.dropFirst(2)
      .prefix { $0.hasPrefix("| ") }
    #expect(rows.count >= 26)
    for row in rows {
      let cells = row.split(separator: "|").map { $0.drop { $0 == " " }.prefix { $0 != " " } }
      let standings = supports.map { support in
        support.entry(of: String(cells[0])).map { $0.standing == .stated ? "stated" : $0.words } ?? "skipped"
      }
      #expect(cells.dropFirst().map(String.init) == standings, "\(row)")
    }
  }

  @Test func theTableIsLong() {
    #expect(KernelReleaseCase.all.count >= 110)
    #expect(Set(KernelReleaseCase.all.map(\.release)).count == KernelReleaseCase.all.count)
    #expect(Set(KernelReleaseCase.all.map(\.family)).count >= 20)
  }

  @Test(arguments: KernelReleaseCase.all) func aReleaseIsOfAFamily(_ kernel: KernelReleaseCase) throws {
    let family = KernelFamily.family(of: kernel.release, among: Self.table.families)
    #expect(family.name == kernel.family)
    #expect(family.numbers(of: kernel.release) == kernel.numbers)
    #expect(Self.table.contains(kernel.release) == kernel.isSupported)
    if !kernel.isSupported {
      let words = Self.table.refusal(of: Self.table.deciding(kernel.release).name)
      #expect(
        words.contains("none is supported") == !Self.table.supported.contains(Self.table.deciding(kernel.release).name))
    }
  }

  /// A plain range is about kernels of kernel.org and those that follow them; no other says so by its number.
  @Test(arguments: KernelReleaseCase.all) func aPlainRangeIsOfMainline(_ kernel: KernelReleaseCase) throws {
    let support = try Self.support(#"kernels = { min = "6.1", max = "6.12" }"#)
    let range = try KernelRange("6.1", "6.12")
    let family = KernelFamily.family(of: kernel.release, among: support.families)
    // A fourth number of kernel.org is a distribution's, of which the range knew nothing.
    let number = kernel.numbers.prefix(3).map(String.init).joined(separator: ".")
    #expect(support.contains(kernel.release) == (family.follows && range.contains(number)))
    #expect(support.text == "6.1 to 6.12" && support.refusal(of: "mainline") == "supported are 6.1 to 6.12")
    #expect(
      support.refusal(of: "el9") == "it is one of el9, of which none is supported; supported are 6.1 to 6.12")
  }

  @Test func theWords() throws {
    let support = try Self.support(KernelReleaseCase.manifest, KernelReleaseCase.families)
    #expect(
      support.text.hasPrefix("6.1 to 6.6.49 and 6.6 since 6.6.60 and 6.8 and 6.11 to 6.12, el8 4.18.0-553, el9 5.14"))
    #expect(
      support.refusal(of: "amazon")
        == "it is one of amazon, of which none is supported; supported are 6.1 to 6.6.49 and 6.6 since 6.6.60 and 6.8 and "
        + "6.11 to 6.12, and some of el8, el9, el10, sles15, ubuntu, openeuler, uek, site")
    #expect(support.refusal(of: "uek") == "supported of uek are 5.15.0-302 to 5.15.0-399")
    #expect(support.lines[0] == "kernels 6.1 to 6.6.49, 6.6 since 6.6.60, 6.8, 6.11 to 6.12: untried")
    #expect(support.lines[1] == "el8 4.18.0-553: stated by the ChangeLog of 2.17.90")
  }

  /// What the program knows is in order: each expression can be read, and each name once.
  @Test func theFamiliesAreSound() {
    let names = KernelFamily.known.map(\.name)
    #expect(Set(names).count == names.count && !names.contains("mainline"))
    for family in KernelFamily.known {
      #expect(KernelFamily.fault(of: family.release) == nil, "\(family.name)")
    }
    for wrong in ["", "[", "(", "a'b", "a b", "a{9}", "\\d", String(repeating: "a", count: 201)] {
      #expect(KernelFamily.fault(of: wrong) != nil, "\(wrong)")
    }
  }

  private static let el9 = #"family = "el9", min = "5.14.0-611", max = "5.14.0-687""#

  /// Each mistake in what is claimed, with its place.
  @Test(arguments: [
    (
      #"{ family = "el90", min = "5.14.0-611", max = "5.14.0-687" }"#,
      "13:7: error: 'kernels' names the family 'el90', which is not known; did you mean 'el10'?"
    ),
    (
      #"{ family = "zzz", min = "5.14.0-611", max = "5.14.0-687" }"#,
      "which is not known; known are mainline, elrepo, uek"
    ),
    (
      #"{ family = "EL 9", min = "5.14.0-611", max = "5.14.0-687" }"#,
      "13:7: error: 'modules.kernels[0].family' must be a name of lower-case letters, digits and '-', not 'EL 9'"
    ),
    (
      #"{ family = "el9", min = "5.14.0-687", max = "5.14.0-611" }"#,
      "13:23: error: kernels.min '5.14.0-687' must not be above kernels.max '5.14.0-611'"
    ),
    (
      #"{ family = "el9", min = "5.14.0-611.5.", max = "5.14.0-687" }"#,
      "13:23: error: 'modules.kernels[0].min' must be a build such as 6.12 or 5.14.0-611, not '5.14.0-611.5.'"
    ),
    (#"{ family = "el9", min = "5", max = "5.14.0-687" }"#, "'modules.kernels[0].min' must be a build"),
    (#"{ family = "el9", min = "5.14.0-0611", max = "5.14.0-687" }"#, "'modules.kernels[0].min' must be a build"),
    (#"{ family = "el9", min = "5.14.0-9999999999", max = "5.14.0-687" }"#, "'modules.kernels[0].min' must be a build"),
    (#"{ family = "el9", min = "5.14.0-611.el9", max = "5.14.0-687" }"#, "'modules.kernels[0].min' must be a build"),
    (
      "{ \(el9), except = [\"5.14.0-690\"] }",
      "13:73: error: 'except' has 5.14.0-690, which is not within el9 5.14.0-611 to 5.14.0-687"
    ),
    (
      "{ \(el9), except = [\"5.14.0-680 to 5.14.0-690\"] }",
      "'except' has 5.14.0-680 to 5.14.0-690, which is not within el9"
    ),
    (
      "{ \(el9), except = [\"5.14.0-680 to 5.14.0-670\"] }",
      "'except' has 5.14.0-680 to 5.14.0-670, which is not within el9"
    ),
    ("{ \(el9), except = [\"5.14.0-611 to 5.14.0-687\"] }", "'except' leaves nothing of el9 5.14.0-611 to 5.14.0-687"),
    (
      "{ \(el9), except = [\"all\"] }",
      "13:73: error: 'modules.kernels[0].except[0]' must be a build such as 6.7, or two as 6.9 to 6.10, not 'all'"
    ),
    (
      "{ \(el9) }, { family = \"el9\", min = \"5.14.0-687.5\", max = \"5.14.0-700\" }",
      "el9 5.14.0-687.5 to 5.14.0-700 overlaps 5.14.0-611 to 5.14.0-687, which another entry of 'kernels' has (line 13); make them one"
    ),
    (
      #"{ family = "mainline", min = "6.1.0-56", max = "6.12" }"#,
      "'6.1.0-56' is no release of mainline: only the numbers of kernel.org count there"
    ),
    (
      #"{ family = "mainline", min = "6.1", max = "6.12", except = ["6.6.1.2"] }"#,
      "'6.6.1.2' is no release of mainline"
    ),
    ("{ \(el9), stated = \"\" }", "'modules.kernels[0].stated' must be one line of plain text"),
    ("{ \(el9), stated = \"$(id)\" }", "'modules.kernels[0].stated' must be one line of plain text"),
    ("{ \(el9), excpt = [] }", "unknown key 'modules.kernels[0].excpt'; did you mean 'except'?"),
    (
      #"{ family = "el9", min = "5.14.0-611" }"#,
      "13:5: error: an entry of 'kernels' has 'min' and 'max', or 'builds' instead"
    ),
    (
      #"{ family = "el9", builds = ["5.14.0-611"], max = "5.14.0-687" }"#,
      "13:5: error: an entry of 'kernels' has 'min' and 'max', or 'builds' instead"
    ),
    (
      #"{ family = "el9", builds = ["5.14.0-611"], except = ["5.14.0-611.5"] }"#,
      "13:5: error: an entry of 'kernels' has 'min' and 'max', or 'builds' instead"
    ),
    (#"{ family = "el9", builds = [] }"#, "13:23: error: 'modules.kernels[0].builds' must hold at least 1 element"),
    (
      #"{ family = "el9", builds = ["5.14.0-611", "5.14.0-611.el9"] }"#,
      "error: 'modules.kernels[0].builds[1]' must be a build such as 6.7, or two as 6.9 to 6.10"
    ),
    (
      #"{ family = "el9", builds = ["5.14.0-611", "5.14.0-611.5"] }"#,
      "error: el9 5.14.0-611.5 overlaps 5.14.0-611, which another entry of 'kernels' has"
    ),
    (#"{ family = "mainline", builds = ["6.12.0-55"] }"#, "error: '6.12.0-55' is no release of mainline"),
    ("", "'modules.kernels' must hold at least 1 element"),
  ])
  func aMistakeHasItsPlace(_ entries: String, _ words: String) throws {
    let error = #expect(throws: Diagnostics.self) { try Self.manifest("kernels = [\n    \(entries)\n]") }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    #expect(error?.findings.count == 1, "\(error?.description ?? "")")
  }

  /// Builds in one entry are as many entries of one build.
  @Test func buildsAreEntries() throws {
    func support(_ entries: String) throws -> KernelSupport {
      let manifest = try Self.manifest("kernels = [\n\(entries)\n]")
      return KernelSupport(manifest.packages[0].kernels, families: manifest.families)
    }
    let short = #"{ family = "el9", builds = ["5.14.0-70", "5.14.0-503 to 5.14.0-570"], stated = "A 1.0" }"#
    let long = #"""
      { family = "el9", min = "5.14.0-70", max = "5.14.0-70", stated = "A 1.0" },
      { family = "el9", min = "5.14.0-503", max = "5.14.0-570", stated = "A 1.0" }
      """#
    #expect(try support(short) == support(long))
  }

  @Test(arguments: [
    (
      "[kernel-families.x]\nrelease = \"[\"",
      "'kernel-families.x.release' is no extended regular expression for kernels: "
    ),
    ("[kernel-families.x]\nrelease = \"a'b\"", "it may hold letters, digits and"),
    ("[kernel-families.mainline]\nrelease = \"x\"", "'mainline' is what no other family is: it cannot be another"),
    (
      "[kernel-families.X]\nrelease = \"x\"", "'kernel-families.X' must be a name of lower-case letters, digits and '-'"
    ),
    ("[kernel-families.x]\nline = 2", "'kernel-families.x.release' is missing"),
    ("[kernel-families.x]\nrelease = \"x\"\nline = 0", "'kernel-families.x.line' must be between 1 and 9, not 0"),
  ])
  func aFamilyOfOnesOwn(_ text: String, _ words: String) throws {
    let error = #expect(throws: Diagnostics.self) {
      try Self.manifest(#"kernels = { min = "6.1", max = "6.12" }"#, text)
    }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  /// What extras add: to a plain range what lies between as well, to families what they say alone.
  @Test(arguments: [
    (#"{ min = "6.1", max = "6.12" }"#, #"{ min = "5.10", max = "6.6" }"#, "5.10 to 6.12"),
    (#"{ min = "6.12", max = "6.12" }"#, #"{ min = "5.10", max = "5.10" }"#, "5.10 to 6.12"),
    (#"{ min = "6.1", max = "6.12" }"#, "[{ \(el9) }]", "6.1 to 6.12, el9 5.14.0-611 to 5.14.0-687"),
    ("[{ \(el9) }]", #"{ min = "6.1", max = "6.12" }"#, "6.1 to 6.12, el9 5.14.0-611 to 5.14.0-687"),
    (
      "[{ \(el9), except = [\"5.14.0-650\"] }]", #"[{ family = "el9", min = "5.14.0-640", max = "5.14.0-700" }]"#,
      "el9 5.14.0-611 to 5.14.0-700"
    ),
    (
      #"[{ family = "mainline", min = "6.12", max = "6.12" }]"#, #"{ min = "5.10", max = "5.10" }"#,
      "5.10 and 6.12"
    ),
  ])
  func extrasAdd(own: String, added: String, both: String) throws {
    let manifest = try Self.manifest(
      "kernels = \(own)", "[extras.more]\nsummary = \"more\"\nlicense = \"MIT\"\nkernels = \(added)")
    let extra = try #require(manifest.extras["more"]?.kernels)
    let support = KernelSupport(manifest.packages[0].kernels, addedBy: [extra], families: manifest.families)
    #expect(support.text == both)
  }

  /// A change that takes a part away leaves what is around it.
  @Test(arguments: [
    ("6.1", "6.12", "6.7", "6.7", ["6.1 to 6.6", "6.8 to 6.12"]),
    ("6.1", "6.12", "6.12", "6.12", ["6.1 to 6.11"]), ("6.1", "6.12", "6.1", "6.12", []),
    ("6.1", "6.12", "5.10", "6.0", ["6.1 to 6.12"]),
    ("6.1", "6.12", "6.6.5", "6.6.7", ["6.1 to 6.6.4", "6.6.8 to 6.12"]),
    ("5.15", "6.12", "6.0", "6.0", ["5.15 to 5", "6.1 to 6.12"]),
    (
      "5.14.0-611", "5.14.0-687", "5.14.0-650.1", "5.14.0-650",
      ["5.14.0-611 to 5.14.0-650.0", "5.14.0-651 to 5.14.0-687"]
    ),
  ])
  func aHole(min: String, max: String, from: String, to: String, left: [String]) throws {
    func span(_ min: String, _ max: String) throws -> KernelSpan {
      KernelSpan(try #require(KernelBuild(min)), try #require(KernelBuild(max)))
    }
    let spans = try span(min, max).without(span(from, to))
    #expect(spans.map(\.text) == left)
    #expect(KernelSpan.united(spans + [try span(from, to)]).count <= 2)
  }
}

/// The same to bash and grep as here: random ranges with holes, and releases near their ends.
@Suite struct BuildExpressionTests {
  private static func build(_ random: inout SplitMix64) -> KernelBuild {
    let count = Int.random(in: 2...6, using: &random)
    return KernelBuild((0..<count).map { _ in number(&random) })
  }

  private static func number(_ random: inout SplitMix64) -> Int {
    switch Int.random(in: 0...5, using: &random) {
    case 0: 0
    case 1: [9, 10, 99, 100, 999, 1000].randomElement(using: &random) ?? 0
    case 2: Int.random(in: 0...150_700, using: &random)
    case 3: Int.random(in: 0...120, using: &random)
    default: Int.random(in: 0...12, using: &random)
    }
  }

  /// Builds that differ from one in a single number, are longer or shorter.
  private static func near(_ build: KernelBuild, _ random: inout SplitMix64) -> [Int] {
    var numbers = build.numbers
    switch Int.random(in: 0...4, using: &random) {
    case 0: numbers.append(number(&random))
    case 1: numbers.removeLast()
    case 2: numbers[Int.random(in: 0..<numbers.count, using: &random)] += 1
    case 3:
      let index = Int.random(in: 0..<numbers.count, using: &random)
      numbers[index] = max(0, numbers[index] - 1)
    default: break
    }
    return numbers.isEmpty ? [number(&random)] : numbers
  }

  private static func release(_ numbers: [Int], _ random: inout SplitMix64) -> String {
    let zeros = Int.random(in: 0...9, using: &random) == 0 ? "00" : ""
    let text = numbers.enumerated().map { index, number in
      (index == 0 ? "" : ["-", "."].randomElement(using: &random) ?? ".") + (index > 2 ? zeros : "") + String(number)
    }.joined()
    return text
      + (["", ".el9_7.x86_64", "-amd64", "+deb12-amd64", "_1.2", "-rc3", ".", "-", "..3", ".-4", "x7", "~5"]
        .randomElement(
          using: &random) ?? "")
  }

  @Test(arguments: [true, false]) func anExpressionIsWhatIsCompared(dashes: Bool) async throws {
    var random = SplitMix64(state: 20_261_128 + (dashes ? 1 : 0))
    var lines: [String] = []
    var expected: [Bool] = []
    for _ in 0..<150 {
      var span = KernelSpan(Self.build(&random), Self.build(&random))
      if !span.isRange { span = KernelSpan(span.max, span.min) }
      guard span.isRange else { continue }
      var spans = [span]
      var ends = [span.min, span.max]
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        var hole = KernelSpan(Self.build(&random), Self.build(&random))
        if Bool.random(using: &random) { hole.min = KernelBuild(Self.near(span.min, &random)) }
        guard hole.isRange else { continue }
        spans = spans.flatMap { $0.without(hole) }
        ends += [hole.min, hole.max]
      }
      let expression = BuildExpression(dashes: dashes).text(spans)
      for end in ends {
        for _ in 0..<6 {
          let release = Self.release(Self.near(end, &random), &random)
          let numbers = try #require(KernelBuild.numbers(of: release, dashes: dashes))
          lines.append("\(release) \(expression)")
          expected.append(spans.contains { $0.contains(numbers) })
        }
      }
    }
    #expect(expected.count > 1500 && expected.contains(true) && expected.contains(false))
    let bash = "while read -r k e; do [[ $k =~ $e ]] && echo yes || echo no; done"
    let input = lines.map { $0 + "\n" }.joined()
    let found = try await Command("bash", ["-c", bash]).run(input: Array(input.utf8), doing: "asking bash")
    try expect(found, lines, expected)
  }

  private func expect(_ found: Command.Outcome, _ lines: [String], _ expected: [Bool]) throws {
    let answers = found.text.split(separator: "\n").map { $0 == "yes" }
    try #require(answers.count == expected.count, "\(found.errors)")
    for (line, (answer, wanted)) in zip(lines, zip(answers, expected)) where answer != wanted {
      Issue.record("\(line): \(answer), not \(wanted)")
    }
  }

  /// grep and busybox read each expression as bash does.
  @Test(arguments: [["grep"], ["busybox", "grep"]]) func grepReadsThemToo(grep: [String]) async throws {
    var random = SplitMix64(state: 7)
    for _ in 0..<12 {
      let span = KernelSpan(Self.build(&random), Self.build(&random))
      guard span.isRange else { continue }
      let expression = BuildExpression(dashes: true).text([span])
      let releases = (0..<60).map { index in
        Self.release(Self.near(index % 2 == 0 ? span.min : span.max, &random), &random)
      }
      let wanted = releases.filter { span.contains(KernelBuild.numbers(of: $0, dashes: true) ?? []) }
      let input = Array(releases.map { $0 + "\n" }.joined().utf8)
      let found = try await Command(grep[0], Array(grep.dropFirst()) + ["-E", expression]).run(
        input: input, doing: "asking grep")
      #expect(found.text.split(separator: "\n").map(String.init) == wanted, "\(span.text): \(expression)")
    }
  }
}
