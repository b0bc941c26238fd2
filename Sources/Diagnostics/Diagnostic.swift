// SPDX-License-Identifier: GPL-2.0-only

/// Something to report to a person. The command line decides how it is shown, and how the remedy is worded.
package struct Diagnostic: Sendable, CustomStringConvertible {
  package enum Severity: String, Sendable, Codable { case error, warning, note }

  package var severity: Severity
  /// The place of the mistake, if it is in a file that the user wrote.
  package var place: SourceLocation?
  /// What was being done, in the progressive: "reading linux-7.4.2.tar.xz". Empty if the place alone explains it.
  package var doing: String
  /// What is wrong.
  package var reason: String
  /// What the reader can do about it.
  package var remedy: (any Remedy)?
  /// The error that caused this one.
  package var cause: (any Error)?

  package init(
    _ severity: Severity, at place: SourceLocation? = nil, doing: String = "", reason: String,
    remedy: (any Remedy)? = nil, cause: (any Error)? = nil
  ) {
    self.severity = severity
    self.place = place
    self.doing = doing
    self.reason = reason
    self.remedy = remedy
    self.cause = cause
  }

  /// What is wrong, without its place, which comes before the severity.
  package var problem: String { doing.isEmpty ? reason : "\(doing): \(reason)" }

  /// One line, for logs and stored records. It omits a remedy that only the command line can word.
  package var description: String {
    let head = place.map { "\($0): \(severity.rawValue): " } ?? ""
    return (head + problem + (remedy?.words.map { "; \($0)" } ?? "")).singleLine
  }
}

/// What the reader can do about a problem.
///
/// Libraries know no commands and no options. Each library has an enum of the remedies that need them, and the command
/// line words these: see Remedies.swift there.
package protocol Remedy: Sendable, Equatable {
  /// The wording, if it does not depend on the command line.
  var words: String? { get }
}

extension Remedy {
  package var words: String? { nil }
}

/// A remedy that is the same however lrelease is used.
package struct Advice: Remedy {
  package let words: String?

  package init(_ words: String) { self.words = words }
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
