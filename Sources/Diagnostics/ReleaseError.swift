// SPDX-License-Identifier: GPL-2.0-only

/// A failure that a person can act on: what was being done, to which file, why it failed, what to do.
///
/// `code` decides the exit status of the command.
package struct ReleaseError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; the raw value is the exit status, as documented in `docs/exit-codes.md`.
  package enum Code: Int32, Sendable, CaseIterable {
    /// Any other failure, such as a child process or a full disk.
    case failed = 1
    /// The manifest, the plan or an argument is wrong.
    case input = 2
    /// A source could not be obtained, is damaged, or lacks what the manifest names.
    case source = 3
    /// A signature or a hash does not match, or is missing.
    case unverified = 4
    /// The output exists with other content.
    case conflict = 5
    /// `verify` found differences.
    case different = 6
    /// A required tool or library is missing.
    case missingTool = 7
    /// Stopped on request (Ctrl-C, SIGTERM).
    case interrupted = 130
  }

  package var code: Code
  package var diagnostic: Diagnostic

  package init(
    _ code: Code, at location: SourceLocation? = nil, doing: String, reason: String, advice: String? = nil,
    remedy: (any Remedy)? = nil, cause: (any Error)? = nil
  ) {
    self.code = code
    diagnostic = Diagnostic(
      .error, at: location, doing: doing, reason: reason, remedy: remedy ?? advice.map { Advice($0) }, cause: cause)
  }

  package var location: SourceLocation? { diagnostic.place }
  package var doing: String { diagnostic.doing }
  package var reason: String { diagnostic.reason }
  package var remedy: (any Remedy)? { diagnostic.remedy }
  package var cause: (any Error)? { diagnostic.cause }

  package var description: String { diagnostic.description }

  /// The same error, reported for one of several items.
  package func told(of thing: String) -> ReleaseError {
    let place = diagnostic.place.map { "\($0): " } ?? ""
    return ReleaseError(
      .failed, doing: thing, reason: (place + diagnostic.problem).singleLine, remedy: remedy, cause: self)
  }
}

/// Several findings of one run, reported together, a line each.
package struct Diagnostics: Error, Sendable, CustomStringConvertible {
  package private(set) var findings: [ReleaseError]

  package init(_ findings: [ReleaseError]) { self.findings = findings }

  /// The exit status is that of the first finding.
  package var code: ReleaseError.Code { findings.first?.code ?? .failed }

  package var description: String { findings.map(\.description).joined(separator: "\n") }
}
