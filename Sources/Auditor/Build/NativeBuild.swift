// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// The upstream part alone, built at its place in a kernel: without compatibility layer, configure and defines.
package struct NativeBuild: Sendable, Codable, Equatable {
  package struct Failure: Sendable, Codable, Equatable {
    package var cause: Cause
    /// The header, function or probe that it is about.
    package var subject: String?
    /// The first error as the compiler said it, with its place.
    package var message: String
    package var errors: Int
  }

  /// One build: all as modules, or as a part of the kernel.
  package struct Pass: Sendable, Codable, Equatable {
    /// `m` or `y`.
    package var value: String
    package var compiled = 0
    /// Those of them that were compiled as modules: with `y`, because their make file says so.
    package var compiledAsModule = 0
    /// Source file in the kernel tree → why it does not compile.
    package var failures: [String: Failure] = [:]
    /// Make files and the like for which make has no rule.
    package var missing: [String] = []
    /// Source files that the make files or the configuration do not build.
    package var notBuilt: [String] = []
    /// Symbols that neither the kernel exports nor a file of the upstream part has; nil where that cannot be told,
    /// because the kernel was not built.
    package var undefined: [String]?
    /// How many files do not compile, by the cause.
    package var causes: [String: Int] = [:]
    /// What the kernel lacks or has in another form: cause → name → how many files have such an error, first or not.
    package var lacks: [String: [String: Int]] = [:]
  }

  package var kernel: String
  package var kind: KernelTree.Kind
  package var compiler: String
  /// Whether the headers of the compatibility layer were there, with nothing in them.
  package var hasEmptyCompat: Bool
  package var passes: [Pass]

  /// Builds the upstream part of `tree`: as modules, and in a whole source tree as a part of the kernel too. The kernel
  /// tree stays as it is.
  ///
  /// - Parameter emptyCompat: puts empty files in the place of the headers of the compatibility layer, so that files fail
  ///   of what these supply.
  /// - Throws: `ReleaseError` where nothing could be built, as when options cannot be set.
  package init(
    _ tree: AuditedTree, in kernel: KernelTree, compiler: Compiler = .gcc, emptyCompat: Bool = false, progress: Progress
  ) async throws {
    let layout = try NativeLayout(tree, in: kernel, emptyCompat: emptyCompat)
    hasEmptyCompat = emptyCompat
    self.kernel = kernel.release
    kind = kernel.kind
    passes = []
    self.compiler = ""
    for value in kernel.kind == .source ? ["m", "y"] : ["m"] {
      let name = "building natively in Linux \(kernel.release) (\(value == "m" ? "modules" : "built-in"))"
      let (pass, text) = try await progress.step(name) {
        try await withScratch { scratch in
          try await NativeBuild.run(layout, value, compiler, scratch, doing: name)
        }
      }
      passes.append(pass)
      self.compiler = text
    }
  }

  private static func run(
    _ layout: NativeLayout, _ value: String, _ compiler: Compiler, _ scratch: FilePath, doing: String
  ) async throws -> (Pass, compiler: String) {
    let built = try layout.write(to: scratch, value: value)
    let outcome = try await layout.build(scratch, value: value, compiler, doing: doing)
    // For those who keep the scratch folder.
    try Files.write(outcome.output, to: scratch.appending("make.log"))
    let log = BuildLog(outcome.text, below: layout.place)
    let configuration = try layout.configuration(built, value: value, log, doing: doing)

    var pass = Pass(value: value)
    pass.missing = log.missing.sorted()
    var objects: [String] = []
    for (_, place) in layout.sources {
      let object = String(place.dropLast(2)) + ".o"
      let file = built.pushing(FilePath(object))
      if let messages = log.failures[object] {
        pass.failures[place] = layout.failure(messages)
        for (cause, names) in layout.lacks(messages) {
          for name in names { pass.lacks[cause.rawValue, default: [:]][name, default: 0] += 1 }
        }
      } else if Files.exists(file) {
        pass.compiled += 1
        objects.append(object)
        let command = "\(file.removingLastComponent())/.\(file.name).cmd"
        let text = (try? Files.read(FilePath(command), limit: 1 << 20)) ?? []
        if text.contains("-DMODULE".utf8) { pass.compiledAsModule += 1 }
      } else {
        pass.notBuilt.append(place)
      }
    }
    // Objects whose source would have to be made first.
    for (object, messages) in log.failures {
      let source = String(object.dropLast(2)) + ".c"
      if pass.failures[source] == nil, layout.isBelow(source) { pass.failures[source] = layout.failure(messages) }
    }
    pass.causes = pass.failures.values.reduce(into: [:]) { $0[$1.cause.rawValue, default: 0] += 1 }
    guard pass.compiled + pass.failures.count > 0 else {
      throw ReleaseError(
        .failed, doing: doing, reason: "no file was compiled: \(log.complaint ?? outcome.complaint)",
        advice: "check that the kernel itself builds with this compiler")
    }
    if let exported = layout.kernel.exported {
      let missing = try await undefined(objects, below: built, compiler, exported, doing: doing)
      // A file that does not compile may define it.
      let failed = pass.failures.keys.compactMap { layout.bytes(of: $0) }
      pass.undefined = missing.union(log.undefined).filter { name in
        !failed.contains { $0.contains(name.utf8) }
      }.sorted()
    }
    return (pass, configuration)
  }

  /// Symbols that objects use and none of them, nor the kernel, has.
  private static func undefined(
    _ objects: [String], below folder: FilePath, _ compiler: Compiler, _ exported: Set<String>, doing: String
  ) async throws -> Set<String> {
    guard !objects.isEmpty else { return [] }
    let outcome = try await Command(compiler.nm, ["-g", "-P", "--"] + objects, directory: folder).check(doing: doing)
    var defined: Set<String> = []
    var used: Set<String> = []
    for line in outcome.text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 2 else { continue }
      if ["U", "w", "v"].contains(fields[1]) {
        used.insert(String(fields[0]))
      } else {
        defined.insert(String(fields[0]))
      }
    }
    // What the compiler or modpost supplies.
    let supplied: Set<String> = ["__this_module", "_GLOBAL_OFFSET_TABLE_"]
    return used.subtracting(defined).subtracting(exported).subtracting(supplied)
  }
}
