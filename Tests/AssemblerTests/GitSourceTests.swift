// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import Synchronization
import SystemPackage
import Testing

@testable import Assembler

/// Repositories on this machine: what a ref names, and why it cannot be read.
@Suite struct GitSourceTests {
  private let all = Selection(rules: [Fixture.rule(from: "")])

  private func withRepository(
    _ script: String = "", format: String = "sha1", _ body: (FilePath) async throws -> Void
  ) async throws {
    try await withScratch { folder in
      try await Fixture.shell(
        "git init -q -b trunk --object-format=\(format) up; cd up\n\(GitFixture.identity)\n\(GitFixture.twoTags)\n\(script)",
        in: folder)
      try await body(folder)
    }
  }

  private func read(_ repository: FilePath, _ ref: String, _ progress: Progress = .silent) async throws -> SourceContent
  {
    try await GitSource(repository: repository, ref: ref).read(all, progress: progress)
  }

  @Test(arguments: ["sha1", "sha256"]) func everyWayToNameACommit(format: String) async throws {
    try await withRepository("git update-ref refs/changes/34/1234/5 v1", format: format) { folder in
      let up = folder.appending("up")
      let ids = try await Command("git", ["-C", up.string, "rev-parse", "v1^{commit}", "v1", "trunk"])
        .check(doing: "asking").text.split(separator: "\n").map(String.init)
      #expect(ids[0].count == (format == "sha1" ? 40 : 64))
      for (ref, commit, tag) in [
        ("v1", ids[0], "v1"), ("refs/tags/v1", ids[0], "v1"), ("tags/v1", ids[0], "v1"), ("trunk", ids[2], nil),
        ("refs/heads/trunk", ids[2], nil), ("refs/changes/34/1234/5", ids[0], nil), (ids[0], ids[0], nil),
        (ids[1], ids[0], nil), (String(ids[0].prefix(9)), ids[0], nil), ("HEAD", ids[2], nil), ("trunk~1", ids[0], nil),
      ] as [(String, String, String?)] {
        let content = try await read(up, ref)
        #expect(content.pin.commit == commit && content.pin.ref == ref && content.tag == tag, "\(ref)")
        #expect(try content.files["a.c"]?.readFile() == Array((commit == ids[0] ? "one\n" : "two\n").utf8), "\(ref)")
      }
    }
  }

  @Test func aTagGoesBeforeABranchAndThatIsSaid() async throws {
    try await withRepository("git branch v1 trunk") { folder in
      let told = Mutex<[String]>([])
      let progress = Progress { event in
        if case .told(let diagnostic) = event { told.withLock { $0.append(diagnostic.description) } }
      }
      let content = try await read(folder.appending("up"), "v1", progress)
      #expect(content.tag == "v1" && told.withLock { $0.count == 1 && $0[0].contains("is a tag and a branch") })
    }
  }

  /// What is wrong, and no other reason.
  @Test(arguments: [
    ("git tag tree 'v1^{tree}'", "up", "tree", "'tree' names a tree, not a commit"),
    ("git tag blob v1:a.c; git tag -a -m x deep blob", "up", "deep", "'deep' names a blob, not a commit"),
    ("cd ..; git clone -q -s up al; git -C al fetch -q --tags; mv up gone", "al", "v1", "which is not there"),
    (
      "git config uploadpack.allowFilter true; cd ..; git clone -q --bare --filter=blob:none file://$PWD/up pc", "pc",
      "v1", "it is a partial clone"
    ),
    ("cd ..; git clone -q --depth=1 file://$PWD/up sh", "sh", "v1", "it is a shallow clone"),
    ("git worktree add -q ../tree v1; cd ..; mv up gone", "tree", "v1", "its .git file names"),
    ("mkdir ../up/sub", "up/sub", "v1", "it is not a git repository"),
    ("git init -q ../empty", "empty", "HEAD", "the repository is empty"),
    ("git symbolic-ref HEAD refs/heads/none", "up", "HEAD", "HEAD names refs/heads/none, which has no commit"),
    (
      "git config core.repositoryFormatVersion 1; git config extensions.refStorage reftable", "up", "v1",
      "this version of git does not know its format"
    ),
    ("", "up", "v3", "did you mean 'v"), ("", "up", "0123456789012345678901234567890123456789", "no such tag"),
    (
      "f=$(printf 'a\\nb'); echo x > \"$f\"; git add -A; git commit -qm x; git tag v3", "up", "v3",
      "a control character"
    ),
  ]) func theReasonIsNamed(script: String, place: String, ref: String, words: String) async throws {
    try await withRepository(script) { folder in
      await Fixture.refusal(words, code: .source) { _ = try await read(folder.pushing(FilePath(place)), ref) }
    }
  }

  @Test func aWorkTreeOfAnotherRepositoryIsRead() async throws {
    try await withRepository("git worktree add -q ../tree v1") { (folder: FilePath) async throws -> Void in
      #expect(try await read(folder.appending("tree"), "HEAD").files.keys.sorted() == ["a.c"])
      #expect(try await read(folder.appending("up/.git"), "v2").tag == "v2")
    }
  }

  // MARK: by way of a manifest

  private func plan(
    _ source: String, in folder: FilePath, _ change: (inout CutRequest) -> Void = { _ in }
  ) async throws -> OpenedPlan {
    let manifest = folder.appending("m.toml")
    try Files.replace(manifest, with: Array(GitFixture.manifest(source).utf8))
    var request = CutRequest(cache: folder.appending("cache"))
    change(&request)
    return try await Planner.plan(manifest: manifest, request, progress: .silent)
  }

  @Test func whatStandsThereDecidesHowItIsRead() async throws {
    try await withRepository { folder in
      try await Fixture.shell(
        "mkdir u-1; echo one > u-1/a.c; tar czf u-1.tar.gz u-1; git clone -q --bare up b; git -C up bundle create -q ../x --all",
        in: folder)
      func kind(_ source: String, _ place: String? = nil) async throws -> String? {
        try await plan(source, in: folder) { request in
          if let place { request.places["up"] = folder.appending(place).string }
        }.plan.sources["up"]?.kind
      }
      #expect(try await kind("git = \"up\"\nref = \"v1\"", "u-1.tar.gz") == "archive")
      #expect(try await kind("git = \"up\"\nref = \"v1\"", "u-1") == "folder")
      #expect(try await kind("git = \"x\"\nref = \"v1\"") == "git")
      #expect(try await kind("archive = \"u-1.tar.gz\"\nref = \"v1\"", "b") == "git")
      #expect(try await kind("folder = \"u-1\"\nref = \"v1\"", "b") == "git")
      // The files of a work tree, without its .git.
      #expect(try await kind("folder = \"u-1\"", "up") == "folder")
      await Fixture.refusal("no ref says what to read", code: .input, remedy: .giveRef(name: "up")) {
        _ = try await kind("folder = \"u-1\"", "b")
      }
      await Fixture.refusal("it is not a git repository", code: .source) {
        _ = try await kind("git = \"u-1\"\nref = \"v1\"")
      }
    }
  }

  @Test func aRefIsGivenAndPinned() async throws {
    try await withRepository { folder in
      let opened = try await plan("git = \"up\"\nref = \"v1\"", in: folder) { $0.refs["up"] = "v2" }
      #expect(opened.plan.sources["up"]?.ref == "v2")
      let request = CutRequest(cache: folder.appending("cache"))
      let again = try await Planner.open(opened.plan, request, progress: .silent)
      #expect(try again.contents["up"]?.files["a.c"]?.readFile() == Array("two\n".utf8))
      var other = request
      other.refs["up"] = "v1"
      await Fixture.refusal("the plan says what is read", code: .input) {
        _ = try await Planner.open(opened.plan, other, progress: .silent)
      }
      await Fixture.refusal("the manifest has no source 'upp'", code: .input) {
        _ = try await plan("git = \"up\"\nref = \"v1\"", in: folder) { $0.refs["upp"] = "v2" }
      }
    }
  }

  @Test func aPointerOfLFSIsNoFile() async throws {
    let pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "0", count: 64))\nsize 5\n"
    try await withRepository("printf '\(pointer)' > big.bin; git add -A; git commit -qm big; git tag v3") { folder in
      let source = "git = \"up\"\nref = \"v3\""
      await Fixture.refusal("big.bin is a pointer of Git LFS", code: .source, remedy: .giveCheckout(name: "up")) {
        _ = try await plan(source, in: folder)
      }
      // A clone without Git LFS, and what a server makes a tarball of.
      try await Fixture.shell("tar czf u.tar.gz --exclude=.git up", in: folder)
      for place in ["up", "u.tar.gz"] {
        await Fixture.refusal("big.bin is a pointer of Git LFS", code: .source) {
          _ = try await plan("folder = \".\"", in: folder) { $0.places["up"] = folder.appending(place).string }
        }
      }
    }
  }

  @Test func noPasswordIsReleased() async throws {
    try await withScratch { folder in
      for kind in ["git", "archive"] {
        await Fixture.refusal("holds a password", code: .input) {
          _ = try await plan("\(kind) = \"https://me:secret@127.0.0.1:1/x.git\"\nref = \"v1\"", in: folder)
        }
      }
      for name in ["x.git", "x.tar.xz"] {
        do {
          _ = try await plan("git = \"up\"\nref = \"v1\"", in: folder) {
            $0.places["up"] = "http://me:secret@127.0.0.1:1/\(name)"
          }
          Issue.record("there is no such server")
        } catch {
          #expect("\(error)".contains("http://127.0.0.1:1/\(name)") && !"\(error)".contains("secret"), "\(error)")
        }
      }
    }
  }
}
