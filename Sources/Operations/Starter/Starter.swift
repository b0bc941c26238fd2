// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Diagnostics
import Files
import Model
import Packagers
import SystemPackage

/// Writes a first manifest for existing code, filled in from git, makefiles and the code, with comments that say what
/// to change.
package struct Starter: Sendable {
  /// Where the code is.
  package enum Code: Sendable {
    /// A folder or git repository with external modules.
    case tree(FilePath)
    /// A part of a kernel: a tarball, repository or folder, which the manifest calls `name`.
    case kernel(name: String, FilePath)
  }

  /// Values that the user gives, instead of detected ones.
  package struct Wishes: Sendable {
    package var name: String?
    package var version: String?
    package var summary: String?
    package var license: String?
    package var homepage: String?
    package var maintainer: String?
    package var kernels: KernelRange?
    /// Folders of the code with modules; required for a kernel.
    package var modules: [String] = []
    /// Folders and files of a kernel below include/ that belong to the modules.
    package var headers: [String] = []

    package init() {}
  }

  package struct Report: Sendable, Encodable {
    /// A value of the manifest.
    package struct Fact: Sendable, Encodable {
      package var key: String
      package var value: String
      /// Where it comes from.
      package var from: String
    }

    package var manifest: String
    /// The files that were written, relative to the folder of the manifest.
    package var files: [String]
    package var found: [Fact]
    /// What was not found, or must be checked by a person.
    package var notes: [String]
    /// A source that a cut must be given, and where it is now.
    package var source: String?
  }

  private let code: Code
  private let wishes: Wishes
  private let output: FilePath
  private let progress: Progress

  package init(_ code: Code, wishes: Wishes, output: FilePath, progress: Progress) {
    self.code = code
    self.wishes = wishes
    self.output = Files.absolute(output)
    self.progress = progress
  }

  /// Writes a folder with the manifest and all files that it names, atomically.
  ///
  /// - Parameter replaces: whether a folder written by an earlier run is replaced.
  package func run(replacing replaces: Bool = false) async throws -> Report {
    let doing = "writing \(output)"
    if !replaces, Files.exists(output) { throw conflict("it exists") }
    let start = try await begin()
    let manifest = StartedManifest(start)
    let files = try manifest.files()
    _ = try Manifest(parsing: Array(manifest.text.utf8), file: manifest.name)
    if Files.exists(output) { try demandNothingElse(Set(files.map(\.path))) }
    let folder = AtomicDirectory(
      output, doing: doing,
      busy: ReleaseError(.conflict, doing: doing, reason: "another process is writing it", advice: "wait for that one"),
      conflict: conflict("it exists"))
    try await folder.create(replacing: replaces) { try TreeWriter($0).write(files) }
    return Report(
      manifest: output.appending(manifest.name).string, files: files.map(\.path).sortedByBytes(), found: start.facts,
      notes: start.notes, source: start.given)
  }

  private func conflict(_ reason: String) -> ReleaseError {
    ReleaseError(
      .conflict, doing: "writing \(output)", reason: reason, remedy: OperationsRemedy.replaceManifest)
  }

  /// A replaced folder must hold only files that init wrote: people may have added their own.
  private func demandNothingElse(_ paths: Set<String>) throws {
    guard Files.isFolder(output) else { throw conflict("it is not a folder") }
    try DirectoryWalker(output).walk { entry in
      guard entry.kind != .folder, !paths.contains(entry.shown) else { return .goOn }
      throw ReleaseError(
        .conflict, doing: "replacing \(output)", reason: "it holds \(entry.shown), which would be lost",
        remedy: OperationsRemedy.chooseOtherManifestFolder)
    }
  }

  private func begin() async throws -> Start {
    switch code {
    case .tree(let path): try await begin(tree: Files.absolute(path))
    case .kernel(let name, let path): try await begin(kernel: name, Files.absolute(path))
    }
  }

  // MARK: external modules

  /// The informative files: reading all of them could take long.
  private static let telling = [
    "Kbuild", "Makefile", "makefile", "GNUmakefile", "Kconfig", "dkms.conf", "*.c", "*.h", "/debian/control", "/*.spec",
    "/smoke.sh",
  ].map { Glob($0) }

  private func begin(tree: FilePath) async throws -> Start {
    let doing = "reading \(tree)"
    guard Files.isFolder(tree) else {
      throw ReleaseError(
        .source, doing: doing, reason: Files.exists(tree) ? "it is not a folder" : "there is no such folder",
        remedy: OperationsRemedy.nameCode)
    }
    let git = try await GitFacts(of: tree)
    var start = Start(wishes)
    var files = try await read(tree, git)
    let own = ModuleSurvey.join("", output.string).inner(of: ModuleSurvey.join("", tree.string))
    if let own, !own.isEmpty { files = files.filter { $0.key.inner(of: own) == nil } }
    let wanted = try wishes.modules.map { try folder($0, in: files, doing: doing) }
    start.survey = ModuleSurvey(files, in: wanted)
    guard !start.survey.modules.isEmpty else {
      throw ReleaseError(
        .source, doing: doing,
        reason:
          "no Kbuild and no Makefile in it names a kernel module (obj-m += NAME.o, or obj-$(CONFIG_NAME) += NAME.o)",
        remedy: OperationsRemedy.nameModuleFolder)
    }
    let roots = start.survey.roots
    let telling = files.filter { file in roots.contains { file.key.inner(of: $0) != nil } || !file.key.contains("/") }
    start.describe(CodeFacts(telling), git, folder: tree)
    start.takeTree(git, tree, from: output, files: Set(files.keys))
    if let kernels = wishes.kernels { start.kernels = kernels } else { start.takeInstalledKernels() }
    return start
  }

  private func read(_ tree: FilePath, _ git: GitFacts) async throws -> [String: [UInt8]] {
    var selection = Selection(rules: [.taking(Self.telling)])
    let content: SourceContent
    if let repository = git.repository {
      if !git.part.isEmpty { selection.rules = [.taking(Self.telling.map { Glob(below: git.part, $0) })] }
      content = try await GitSource(repository: repository, ref: "HEAD").read(selection, progress: progress)
    } else {
      content = try await FolderSource(path: tree, date: 0).read(selection)
    }
    return try bytes(content, below: git.part)
  }

  private func bytes(_ content: SourceContent, below part: String = "") throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for (path, file) in content.files {
      guard let inner = path.inner(of: part), case .regular = file.content else { continue }
      files[inner] = try file.readFile()
    }
    return files
  }

  private func folder(_ asked: String, in files: [String: [UInt8]], doing: String) throws -> String {
    let name = ModuleSurvey.join("", asked)
    let folders = Set(
      files.keys.flatMap { path in
        let parts = path.pathParts.dropLast()
        return parts.indices.map { parts[...$0].joined(separator: "/") }
      })
    guard name.isEmpty || folders.contains(name) else {
      throw ReleaseError(
        .source, doing: doing, reason: "it has no folder \(name) with makefiles or code in it",
        advice: name.nearest(in: folders).map { "did you mean '\($0)'?" })
    }
    return name
  }

  // MARK: a part of a kernel

  private func begin(kernel name: String, _ path: FilePath) async throws -> Start {
    let doing = "reading \(path)"
    guard Files.exists(path) else {
      throw ReleaseError(.source, doing: doing, reason: "there is no such file or folder")
    }
    let folders = wishes.modules.map { ModuleSurvey.join("", $0) }.filter { !$0.isEmpty }
    guard !folders.isEmpty else {
      throw ReleaseError(
        .input, doing: doing, reason: "no folder says which modules of the kernel are wanted",
        remedy: OperationsRemedy.nameFolderOfKernel)
    }
    let headers = wishes.headers.map { ModuleSurvey.join("", $0) }
    let selection = Selection(
      rules: [.taking((folders + headers + Self.likelyHeaders(of: folders)).map { Glob("/\($0)") })],
      paths: ["Makefile"])
    let content =
      Files.isFolder(path)
      ? try await FolderSource(path: path, date: 0).read(selection)
      : try await ArchiveSource(path: path).read(selection, progress: progress)
    guard let release = content.pin.kernel.flatMap({ KernelRelease($0) }) else {
      throw ReleaseError(
        .source, doing: doing, reason: "its Makefile states no kernel release", advice: "is it a kernel tree?")
    }
    let files = try bytes(content)
    for wanted in folders + headers where !files.keys.contains(where: { $0.inner(of: wanted) != nil }) {
      throw ReleaseError(.source, doing: doing, reason: "Linux \(release) has no \(wanted)")
    }
    var start = Start(wishes)
    start.survey = ModuleSurvey(files, in: folders)
    for folder in folders where !start.survey.roots.contains(folder) {
      throw ReleaseError(
        .source, doing: doing, reason: "no makefile of \(folder) names a module (obj-$(CONFIG_NAME) += NAME.o)",
        remedy: OperationsRemedy.nameFolderOfKernel)
    }
    start.kernel = release
    start.given = "\(name)=\(path)"
    let code = files.filter { file in folders.contains { file.key.inner(of: $0) != nil } }
    let git = try await GitFacts(of: Files.absolute("."))
    let facts = CodeFacts(code)
    start.describe(facts, GitFacts(author: git.author), folder: FilePath(folders[0]))
    start.takeKernel(name, folders, headers, files: Set(files.keys), included: facts.includedFolders)
    var line = release
    (line.patch, line.candidate) = (nil, nil)
    start.kernels = try wishes.kernels ?? KernelRange(line, line)
    start.tell("kernels", start.kernels?.text ?? "", wishes.kernels == nil ? "the release of the tree" : "you")
    return start
  }

  /// The path of the kernel headers for a code folder, by its name.
  private static func likelyHeaders(of folders: [String]) -> [String] {
    folders.compactMap { $0.pathParts.last }.flatMap { name in
      ["include/linux", "include/uapi/linux", "include/net", "include/trace/events"].flatMap {
        ["\($0)/\(name)", "\($0)/\(name).h"]
      }
    }
  }
}

extension Glob {
  /// The same pattern for the contents of a folder.
  fileprivate init(below folder: String, _ glob: Glob) {
    self.init(glob.pattern.hasPrefix("/") ? "/\(folder)\(glob.pattern)" : "/\(folder)/**/\(glob.pattern)")
  }
}
