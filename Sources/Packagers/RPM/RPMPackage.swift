// SPDX-License-Identifier: GPL-2.0-only

import CRPM
import Diagnostics
import Files
import Glibc
import Processes
import Releases
import SystemPackage

/// A binary RPM package, made by librpm from prepared files and a spec, without rpmbuild and its scripts.
///
/// librpm runs in a child in a sandbox, where every path is the same each time: the same value gives the same bytes
/// on machines with the same rpm.
package struct RPMPackage: Sendable {
  /// The spec. `%files` lists `files`; `%prep`, `%build` and `%install` are not run.
  package var spec: String
  package var files: [PackageFile]
  /// The time of everything in the package, in seconds since 1970.
  package var sourceDate: Int64
  /// Additional macro definitions, which may replace those of lrelease: `("vendor", "Example")`.
  package var macros: [(name: String, body: String)]
  /// Level, threads and format of the payload. The number of threads is fixed, so that the bytes do not vary.
  package var payload: String
  private let worker: RPMWorker

  /// - Parameter payload: the default takes a quarter of the time of `w19T2.zstdio` for a slightly larger package.
  package init(
    spec: String, files: [PackageFile], sourceDate: Int64, macros: [(name: String, body: String)] = [],
    payload: String = "w12T2.zstdio", worker: RPMWorker = RPMWorker()
  ) {
    self.spec = spec
    self.files = files
    self.sourceDate = sourceDate
    self.macros = macros
    self.payload = payload
    self.worker = worker
  }

  /// Makes the only package of the spec, and writes it atomically.
  ///
  /// - Parameter name: the name of the package in messages.
  /// - Throws: `ReleaseError`, with code `input` and the message of librpm if it refuses the spec.
  @discardableResult
  package func write(to path: FilePath, name: String) async throws -> FileBytes {
    try await build(name: name) { made in
      guard let only = made.first, made.count == 1 else {
        throw ReleaseError(
          .input, doing: "making the package \(name)",
          reason: "the spec makes \(made.count) packages where one is expected")
      }
      let package = try ContentStore(reading: only).whole()
      try await Files.replace(path) { output in try package.forEachPiece { try output.append($0) } }
      return package
    }
  }

  /// Makes every package of the spec.
  ///
  /// - Parameter body: is called with the files, named by rpm, in order. They are removed afterwards.
  package func build<R: Sendable>(
    name: String, _ body: @Sendable ([FilePath]) async throws -> R
  ) async throws -> R {
    let doing = "making the package \(name)"
    let layout = try PackageLayout(files, doing: doing)
    let executable = try worker.executable(doing: doing)
    return try await withScratch { scratch in
      try layOut(layout, in: scratch)
      let outcome = try await runWorker(executable, scratch: scratch, doing: doing)
      guard outcome.succeeded else {
        let isRefusal = outcome.status == .exited(RPMWorker.refused)
        throw ReleaseError(isRefusal ? .input : .failed, doing: doing, reason: "rpm: \(outcome.complaint)")
      }
      var made: [FilePath] = []
      let results = scratch.appending("RPMS")
      // They are in a folder for each architecture.
      try DirectoryWalker(results).walk { entry in
        if entry.kind == .regular { made.append(results.appending(bytes: entry.path)) }
        return .goOn
      }
      guard !made.isEmpty else {
        throw ReleaseError(
          .input, doing: doing, reason: "the spec makes no package", advice: "give it a %files section")
      }
      return try await body(made)
    }
  }

  private func layOut(_ layout: PackageLayout, in scratch: FilePath) throws {
    for folder in ["home", "tmp", "RPMS"] { try Files.makeFolder(scratch.appending(folder)) }
    try Files.write(Array(spec.utf8), to: scratch.appending("package.spec"))
    try TreeWriter(scratch.appending("root"), time: sourceDate).write(
      layout.entries.compactMap { entry in
        guard case .file(let file) = entry else { return nil }
        return TreeWriter.Entry(file.path, file.content, mode: file.mode)
      })
  }

  private func runWorker(
    _ executable: FilePath, scratch: FilePath, doing: String
  ) async throws -> Command.Outcome {
    try await RPMWorker.run(
      .binary, executable, scratch: scratch, sourceDate: sourceDate,
      macros: [("_binary_payload", payload), ("debug_package", "%{nil}"), ("optflags", "%{nil}")] + macros, doing: doing
    )
  }

  /// The header of the package at `path` as lines `Name: value`: Name, Version, Release, Architecture, License,
  /// Summary, and one line for each Requires and Provides. The payload is not verified.
  package static func header(of path: FilePath) throws -> String {
    var text = [CChar](repeating: 0, count: 1 << 20)
    let size = text.count
    try complain(.source, doing: "reading \(path)") { buffer, length in
      lr_rpm_read_header(path.string, &text, size, buffer, length)
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A source package: the spec of a release and the released tarball, which is its `Source0` byte for byte.
package struct RPMSource: PackageWriter {
  package var name: String
  package var spec: [UInt8]
  package var tarball: FilePath
  /// The time of everything in the package, in seconds since 1970.
  package var sourceDate: Int64

  package init(name: String, spec: [UInt8], tarball: FilePath, sourceDate: Int64) {
    self.name = name
    self.spec = spec
    self.tarball = tarball
    self.sourceDate = sourceDate
  }

  package var title: String { "the source package of \(name)" }

  /// Makes the package in `folder`, named by rpm.
  ///
  /// - Throws: `ReleaseError`, with code `input` and the message of librpm if it refuses the spec.
  package func write(
    in folder: FilePath, report: @Sendable (_ done: Int64, _ total: Int64) -> Void
  ) async throws -> [Artifact] {
    let doing = "making the source package of \(name)"
    let executable = try RPMWorker().executable(doing: doing)
    return try await withScratch { scratch in
      for folder in ["SRPMS", "home", "tmp"] { try Files.makeFolder(scratch.appending(folder)) }
      let source = try ContentStore(reading: tarball).whole()
      try TreeWriter(scratch, time: sourceDate).write([
        TreeWriter.Entry("SOURCES/\(tarball.lastComponent?.string ?? name)", .regular(source)),
        TreeWriter.Entry("\(name).spec", .file(spec)),
      ])
      // Its contents are already compressed.
      let macros = [
        ("_sourcedir", "\(RPMWorker.folder)/SOURCES"), ("_srcrpmdir", "\(RPMWorker.folder)/SRPMS"),
        ("_source_payload", "w.ufdio"),
        // Without a sandbox, the files would belong to the user.
        ("_srcdefattr", "(-,root,root)"),
      ]
      let outcome = try await RPMWorker.run(
        .source(name), executable, scratch: scratch, sourceDate: sourceDate, macros: macros, doing: doing)
      let made = try Files.names(in: scratch.appending("SRPMS"))
      guard outcome.succeeded, let file = made.first else {
        let isRefusal = outcome.status == .exited(RPMWorker.refused)
        throw ReleaseError(isRefusal ? .input : .failed, doing: doing, reason: "rpm: \(outcome.complaint)")
      }
      let fileName = String(decoding: file, as: UTF8.self)
      let place = folder.appending(fileName)
      try Files.move(scratch.appending("SRPMS").appending(bytes: file), to: place)
      let bytes = try ContentStore(reading: place).whole()
      return [Artifact(name: fileName, bytes: Int64(bytes.count), sha256: bytes.sha256)]
    }
  }
}

/// The child process of an `RPMPackage` or `RPMSource`, an internal command:
/// `lrelease rpm-worker WHAT "macro body"…`.
package struct RPMWorker: Sendable {
  private let program: FilePath?

  /// - Parameter program: the lrelease that the child runs; nil for the running program.
  package init(program: FilePath? = nil) { self.program = program }

  func executable(doing: String) throws -> FilePath {
    if let program { return Files.absolute(program) }
    guard let path = realpath("/proc/self/exe", nil) else { throw ReleaseError(errno: errno, doing: doing) }
    defer { free(path) }
    return FilePath(platformString: path)
  }

  enum Kind: Sendable {
    case binary
    /// The source package of the release of this name.
    case source(String)

    /// The argument that asks for it.
    var word: String {
      switch self {
      case .binary: "binary"
      case .source(let name): "source=\(name)"
      }
    }
  }

  /// The first argument that asks for it.
  package static let word = "rpm-worker"
  /// The path of the scratch folder in the sandbox, with the spec and its files.
  static let folder = "/tmp/rpm"
  /// Exit status if librpm refused.
  static let refused: Int32 = 2

  /// Runs the child in a sandbox with the scratch folder at `folder`, and without network.
  static func run(
    _ kind: Kind, _ executable: FilePath, scratch: FilePath, sourceDate: Int64,
    macros: [(name: String, body: String)], doing: String
  ) async throws -> Command.Outcome {
    let own: [(name: String, body: String)] = [
      ("_topdir", folder), ("_rpmdir", "\(folder)/RPMS"), ("_tmppath", "\(folder)/tmp"), ("_dbpath", "\(folder)/db"),
      ("_buildhost", "reproducible"), ("use_source_date_epoch_as_buildtime", "1"),
      ("clamp_mtime_to_source_date_epoch", "1"), ("source_date_epoch_from_changelog", "0"),
      // The header of a source package contains the expanded spec, including the number of cores.
      ("_smp_build_ncpus", "1"), ("_smp_build_nthreads", "1"),
      ("_build_name_fmt", "%%{ARCH}/%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"),
    ]
    let definitions = (own + macros).map { "\($0.name) \($0.body)" }
    var environment = Command.plainEnvironment
    environment["HOME"] = "\(folder)/home"
    environment["TMPDIR"] = "\(folder)/tmp"
    // Its exit status says more than its output.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    environment["SOURCE_DATE_EPOCH"] = String(sourceDate)
    environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    let sandbox = Sandbox(
      [
        .readOnly("/", at: "/"), .devices, .processes, .empty("/tmp"), .writable(scratch, at: FilePath(folder)),
        .readOnly(executable, at: "/tmp/lrelease"),
      ],
      namespaces: .all, hostName: "reproducible", user: (0, 0), environment: environment, directory: FilePath(folder),
      hasOwnSession: true)
    return try await sandbox.run("/tmp/lrelease", [word, kind.word] + definitions, doing: doing)
  }

  /// - Parameter arguments: the arguments after `rpm-worker`: what to make, and macro definitions.
  /// - Returns: the exit status. A refusal prints one line on standard error.
  package static func main(arguments: [String]) -> Int32 {
    setlocale(LC_ALL, "C.UTF-8")
    umask(0o022)
    let definitions = arguments.dropFirst().map { strdup($0) }
    defer { for definition in definitions { free(definition) } }
    var log = [CChar](repeating: 0, count: 64 << 10)
    let size = log.count
    let pointers = definitions.map { UnsafePointer($0) }
    let parts = (arguments.first ?? "").split(separator: "=", maxSplits: 1)
    let spec = parts.count == 2 ? "\(folder)/\(parts[1]).spec" : "\(folder)/package.spec"
    let status =
      parts.count == 2
      ? lr_rpm_build_source(spec, pointers, pointers.count, &log, size)
      : lr_rpm_build_binary(spec, "\(folder)/root", pointers, pointers.count, &log, size)
    if status == 0 { return 0 }
    let text = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let line = complaint(in: text).replacing(spec, with: "the spec").replacing("\(folder)/root/", with: "/")
    _ = try? FileDescriptor.standardError.writeAll(Array("\(line)\n".utf8))
    return refused
  }

  /// The errors in a log of librpm as one line; the whole log if no line is marked as an error.
  static func complaint(in log: String) -> String {
    let lines = log.split(separator: "\n").map { $0.trimmed }
    let errors = lines.drop { !$0.hasPrefix("error: ") }.filter { !$0.hasPrefix("warning: ") && !$0.isEmpty }
    var seen: Set<String> = []
    let words = (errors.isEmpty ? lines : errors).map { $0.hasPrefix("error: ") ? String($0.dropFirst(7)) : $0 }
    return words.filter { seen.insert($0).inserted }.joined(separator: "; ")
  }
}
