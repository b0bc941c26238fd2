// SPDX-License-Identifier: GPL-2.0-only

/// A failure that a person can act on: what was being done, to which file, why it failed, what to do.
///
/// It prints as one line. `code` decides the exit status of the command.
package struct ReleaseError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of failure; the raw value is the exit status, as documented in `docs/exit-codes.md`.
  package enum Code: Int32, Sendable, CaseIterable {
    /// Something failed that is none of the following, such as a child process or a full disk.
    case failed = 1
    /// The manifest, the plan or an argument is wrong.
    case input = 2
    /// A source could not be had, is damaged, or lacks what the manifest names.
    case source = 3
    /// A signature or a hash does not match, or is missing.
    case unverified = 4
    /// The output exists with other content.
    case conflict = 5
    /// `verify` found differences.
    case different = 6
    /// A tool or a library that is needed is not there.
    case missingTool = 7
    /// Stopped on request (Ctrl-C, SIGTERM).
    case interrupted = 130
  }

  package var code: Code
  /// Where the mistake stands, when it stands in a file that the user wrote.
  package var location: SourceLocation?
  /// What was being done, in the progressive: "reading linux-7.4.2.tar.xz".
  package var doing: String
  /// Why it failed.
  package var reason: String
  /// What the reader can do about it.
  package var advice: String?

  package init(
    _ code: Code, at location: SourceLocation? = nil, doing: String, reason: String, advice: String? = nil
  ) {
    self.code = code
    self.location = location
    self.doing = doing
    self.reason = reason
    self.advice = advice
  }

  package var description: String {
    var line = location.map { "\($0): " } ?? ""
    line += doing.isEmpty ? reason : "\(doing): \(reason)"
    if let advice { line += "; \(advice)" }
    return line.singleLine
  }
}

/// A place in a text file. Lines and columns count from 1; a column counts Unicode scalars.
package struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
  package var file: String
  package var line: Int
  package var column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  package var description: String { "\(file):\(line):\(column)" }
}

/// Several findings of one run, reported together: `file:line:column: error: …`, a line each.
package struct Diagnostics: Error, Sendable, CustomStringConvertible {
  package private(set) var findings: [ReleaseError]

  package init(_ findings: [ReleaseError]) { self.findings = findings }

  /// The exit status is that of the first finding.
  package var code: ReleaseError.Code { findings.first?.code ?? .failed }

  package var description: String { findings.map(\.description).joined(separator: "\n") }
}
