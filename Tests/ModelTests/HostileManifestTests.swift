// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Testing

@testable import Model

/// What packaging carries verbatim, into control files, specs and scripts that sites run as root, is refused at its place
/// where it would mean something there.
@Suite struct HostileManifestTests {
  private static let manifest = """
    name = "demo"
    version = "1.0"
    summary = "demo"
    license = "GPL-2.0-only"
    homepage = "https://example.org/"
    maintainer = "A <a@example.org>"
    description = "demo"
    [sources.here]
    folder = "."
    version = "1"
    [[tree]]
    from = "here:"
    [extras.more]
    summary = "more"
    license = "MIT"
    configure = ["--more"]
    deb-depends = ["a"]
    rpm-depends = ["a"]
    [modules]
    kernels = { min = "5.10", max = "6.12" }
    probe = "dkms/probe"
    probe-inputs = ["dkms"]
    make = "make"
    architectures = "x86_64"
    etc = [{ path = "/etc/demo.conf", template = "t" }]
    list = [{ name = "base", path = ".", install = "/updates" }]
    [[packages]]
    kind = "dkms"
    variant = "base"
    module = "demo"
    summary = "one"
    description = "two"
    configure = ["--one"]
    [packages.deb]
    name = "demo-dkms"
    recipe = "d"
    depends = ["a"]
    [packages.rpm]
    name = "demo-dkms"
    recipe = "s"
    provides = ["b"]
    """

  /// A value of the manifest above as it stands there, what stands there instead, and how many of both are fine.
  private static let cases: [(old: String, good: [String], bad: [String])] = [
    (
      #"summary = "demo""#,
      ["Lustre's file system", "50% faster, 100%", "costs $5 & more; see (1)", #"\"quoted\""#, "Dateisystem für alle"],
      [
        #"a\nEvil: x"#, #"a\rb"#, "%(id)", "%{lua:os.execute()}", "x %define y", "%[1]", "%%post", "`id`", "$(id)",
        "${IFS}", #"\u0000"#, #"\u001b[31m"#, #"\u0085"#, #"\u2028x"#, #"\u202ereversed"#, " ", "",
      ]
    ),
    (
      #"description = "demo""#, [#"two\n\n  lines 5%\tmore"#, ""],
      [#"x\n%post\nid"#, #"x\n  %(id)"#, #"\n% post"#, "%{expand:x}", #"a\u0000"#, "`id`", #"x\n%dnl"#]
    ),
    (
      #"license = "MIT""#, ["GPL-2.0-only WITH Linux-syscall-note", "(MIT OR Apache-2.0) AND LicenseRef-x"],
      [#"MIT\nEvil: x"#, "%{x}", "$(id)", "MIT;id", "'"]
    ),
    (
      #"homepage = "https://example.org/""#, ["http://[::1]:80/a?b=c&d=e#f", "https://a.example/x_(y)"],
      ["https://a/$(id)", "https://a/ b", "h", #"https://a/\nx"#, "https://a/%{x}", "https://a/'", "https://a/`id`"]
    ),
    (
      #"maintainer = "A <a@example.org>""#, ["Jürgen Müller, Dr. <j.m+x@example.org>"],
      [
        #"A\n <a@b>"#, "A <a@b> <c@d>", "A <a b@c>", "A <a@b>x", "A <@>", "<a@b>", #"A <a@b>\n"#, "%(id) <a@b>",
        "$(id) <a@b>", "nobody", "A <a@b@c>",
      ]
    ),
    (#"version = "1""#, ["v2.17.57-62+x~y_z"], ["1 2", "1;id", "$(id)", #"1\n"#, "%{x}", "-1"]),
    (
      #"configure = ["--more"]"#, [#"["--with-x=$PWD/include", "CC=gcc-12", "-O"]"#, "[]"],
      [
        #"["--x=$(id)"]"#, #"["--x='a b'"]"#, #"["--x;id"]"#, #"["endef"]"#, #"["--a\nendef"]"#, #"["--x=`id`"]"#,
        #"["--x=${a:=b}"]"#, #"["--x=%{y}"]"#, #"["=x"]"#, #"["--x=$"]"#, #"["a|b=c"]"#,
      ]
    ),
    (
      #"deb-depends = ["a"]"#, [#"["a (>= 1.0~rc1) | b [!i386]", "${misc:Depends}", "python3:any"]"#],
      [#"["a\nEvil: x"]"#, #"["a;b"]"#, #"["$(id)"]"#, #"["${a"]"#, #"["%{x}"]"#, #"[" a"]"#]
    ),
    (
      #"rpm-depends = ["a"]"#, [#"["a >= 1:1.0-1", "(a if b)", "pkgconfig(x)", "/bin/sh", "x%{?_isa} = %{version}"]"#],
      [#"["a\n%post"]"#, #"["%(id)"]"#, #"["%{lua:x()}"]"#, #"["%{expand:%x}"]"#, #"["a%x"]"#, #"["$(id)"]"#]
    ),
    (#"depends = ["a"]"#, [#"["dkms (>= 3)"]"#], [#"["a\n\nPackage: evil"]"#, #"["a\u0000"]"#]),
    (#"provides = ["b"]"#, [#"["kmod = %{version}"]"#], [#"["b\nRequires: evil"]"#, #"["%(id)"]"#]),
    (
      #"probe = "dkms/probe""#, ["a/b-c_d.sh"],
      ["dkms/my probe$(id)", "a b", "-c", "a;id", "../x", "a'b", "/bin/x", "~/x", "a*", #"a\nb"#, "é"]
    ),
    (
      #"probe-inputs = ["dkms"]"#, [#"["a/b", "c.h"]"#], [#"["-exec"]"#, #"["a b"]"#, #"["$(id)"]"#, #"["a;b"]"#, "[]"]
    ),
    (
      #"make = "make""#,
      ["make -C $kernel_source_dir M=${x}/y && true; true", "make 'A=b c'", #"make A=\\\"b c\\\""#],
      [#"make\nid"#, #"make \"; id; \""#, "make $(id)", "make `id`", #"make \\"#, "", #"make \\\\\" x"#]
    ),
    (
      #"architectures = "x86_64""#, ["^(x86_64|aarch64)$", "(x86_64$|aarch64$)", "i[3-6]86"],
      ["x\\\";id", "$(id)", "`id`", #"x\ny"#, "$x", "a b", ""]
    ),
    (
      #"install = "/updates""#, ["/extra", "/kernel/fs/lustre", "/updates/dkms"],
      ["/updates; rm -rf /", "/updates/../..", "updates", "/etc", "/updates/$(id)", "/updates/", "/kernelx", ""]
    ),
    (
      #"path = ".""#, ["fs/a", "a-b_c.d"],
      ["a b", "a'b", #"a\"b"#, "$x", "a$(id)", "..", "a/..", "/a", "-a", "", "a;b", "a/./b"]
    ),
    (#"name = "base", path"#, [], [#"-r", path"#, #"a b", path"#, #"", path"#]),
    (
      #"path = "/etc/demo.conf""#, ["/etc/a.d/b@c"],
      ["/etc/a b", "/etc/../x", "/etc/a%{x}", "/etc/a*", "/etc/", #"/etc/a\nb"#, "/etc/$x", "/usr/x"]
    ),
    (#"template = "t""#, ["../a b/c"], [#"a\nb"#, ""]),
    (#"recipe = "d""#, ["../debian/x"], [#"a\nb"#]),
  ]

  private static func problems(_ text: String) -> [ReleaseError] {
    do {
      _ = try Manifest(parsing: Array(text.utf8), file: "m.toml")
      return []
    } catch let error as Diagnostics {
      return error.findings
    } catch let error as ReleaseError {
      return [error]
    } catch {
      return [ReleaseError(.failed, doing: "", reason: "\(error)")]
    }
  }

  /// The manifest with another value, quoted as the old one is.
  private static func changed(_ old: String, _ value: String) -> String {
    guard let start = old.firstRange(of: " = ") else { return "" }
    let key = old[..<start.upperBound]
    let isRaw = old.contains("[") || old.contains(", ")
    return manifest.replacing(
      old, with: isRaw ? "\(key)\(old.contains(", ") ? "\"" : "")\(value)" : "\(key)\"\(value)\"")
  }

  @Test func whatIsPlainIsTaken() {
    #expect(Self.problems(Self.manifest).isEmpty)
    for (old, good, _) in Self.cases {
      for value in good {
        #expect(Self.problems(Self.changed(old, value)).map(\.description) == [], "\(old) → \(value)")
      }
    }
  }

  @Test func whatIsNotIsRefusedAtItsPlace() throws {
    let lines = Self.manifest.split(separator: "\n")
    for (old, _, bad) in Self.cases {
      let line = try #require(lines.firstIndex { $0.contains(old) }, "\(old)") + 1
      for value in bad {
        let found = Self.problems(Self.changed(old, value))
        #expect(found.contains { $0.location?.line == line }, "\(old) → \(value): \(found)")
      }
    }
  }

  /// Names of sources and extras go into names of files, versions and templates.
  @Test(arguments: ["../x", "a b", "$(id)", "-x", "a/b", "é", "%{x}"])
  func namesOfTablesArePlain(name: String) {
    let sources = Self.manifest.replacing("[sources.here]", with: "[sources.\"\(name)\"]")
      .replacing("here:", with: "\(name):")
    #expect(Self.problems(sources).contains { $0.location?.line == 8 && $0.reason.contains("must be a name") })
    let extras = Self.manifest.replacing("[extras.more]", with: "[extras.\"\(name)\"]")
    #expect(Self.problems(extras).contains { $0.location?.line == 13 && $0.reason.contains("must be a name") })
  }

  /// The expressions of the JSON schema say the same as the reader, so that an editor refuses what the reader does.
  @Test func theSchemaSaysTheSame() throws {
    func check<Value>(_ shape: Shape<Value>, _ texts: [String], _ location: Testing.SourceLocation = #_sourceLocation)
      throws
    {
      var schema = shape.schema()
      if case .named(_, let inner) = schema { schema = inner }
      guard case .string(let expression) = schema else { return }
      let regex = try Regex(expression)
      for text in texts {
        var findings = Findings()
        let node = TOMLNode(value: .string(text), location: SourceLocation(file: "", line: 1, column: 1))
        let isRead = shape.read(node, "", &findings) != nil && findings.isEmpty
        #expect((text.firstMatch(of: regex) != nil) == isRead, "\(text): \(isRead)", sourceLocation: location)
      }
    }
    let hostile = [
      "", " ", "a", "a b", "a;b", "$(id)", "`id`", "%{x}", "%(id)", "a\nb", "'", "\"", "-x", "../a", "a/..", "/a",
    ]
    try check(.line, hostile + ["50% x", "100%", "%define", "${x}", "costs $5"])
    try check(.url, hostile + ["https://a/b", "https://a/$x", "https:", "https://a b"])
    try check(.maintainer, hostile + ["A <a@b>", "A <a@b@c>", "<a@b>", "A <a b@c>", "A B <a@b> <c@d>"])
    try check(.word, hostile + ["a-b", "A_1.2", "é"])
    try check(.sourceVersion, hostile + ["1.2~rc", "v1"])
    try check(.plainPath, hostile + ["a/b", "./a", "a//b", "a/.b", "a/b/"])
    try check(.buildFolder, hostile + [".", "..", "a/b"])
    try check(.moduleFolder, hostile + ["/updates", "/updates/dkms", "/updates/..", "/etc", "/extra/", "/kernelx"])
    try check(.configurationPath, hostile + ["/etc/a", "/etc/../a", "/etc/", "/etc/a.d/b"])
    try check(.architectures, hostile + ["^(a|b)$", "$a", "a$|b"])
    try check(.makeCommand, hostile + ["make", "make \\\"a\\\"", "make \\", "make $x"])
    try check(.configureOption, hostile + ["--a=$PWD/b", "A=b", "--a=$", "=b", "--a=$1"])
    try check(.relation(.deb), hostile + ["a (>= 1)", "${misc:Depends}", "${a", "a | b"])
    try check(
      .paragraphs, hostile.filter { $0 != "a\nb" } + ["a\n%b", "a\n %b", "a\nb%", "a\tb", "a\n\n50%é", "a\u{202e}"])
    try check(.line, ["50%é", "a\u{2028}", "\u{85}", "a\u{202e}", "a\n"])
    try check(.place, ["a\u{85}", "a\u{2067}b", "é"])
    try check(.gitRef, hostile + ["v1", "a\u{85}"])
    try check(.path, hostile + ["a//b", "a/", "./a", "a/./b", "..a", "a/..b", "a\u{85}"])
    try check(
      .licence,
      [
        "MIT", "GPL-2.0-only OR MIT", "GPL-2.0", "GPL-2.0-only+", "Apache-2.0+", "(MIT AND 0BSD) OR X11",
        "MIT AND", "LicenseRef-a.b", "GPL-2.0-only WITH Linux-syscall-note", "MITX", "", "GPL-2.0-only WITH MIT",
        "mit and",
      ])
    try check(.option, ["A", "a=y", "=y", "CONFIG_A", "A=m", ""])
    try check(.fingerprint, [String(repeating: "aB", count: 20), String(repeating: "0", count: 41), "\u{ff10}"])
    try check(
      .time,
      [
        "2026-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2000-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-12-31T23:59:59Z", "2026-12-31T24:00:00Z", "2026-12-31 23:59:59Z",
      ])
    try check(.kernelRelease, ["5.10", "05.10", "5", "5.10.3", "5.10.3.1", "7.4-rc1", "12345.1"])
    try check(.versionPattern, ["v{version}", "{version}{version}", "v", "a\n{version}"])
    try check(.relation(.rpm), hostile + ["a = %{version}", "(a if b)", "%{?_isa}", "%{lua:x}"])
  }
}
