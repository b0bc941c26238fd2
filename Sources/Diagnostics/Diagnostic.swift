// SPDX-License-Identifier: GPL-2.0-only

/// Something to tell a person. Who draws it, and in which words it says what to do, is the command line's business.
package struct Diagnostic: Sendable, CustomStringConvertible {
  package enum Severity: String, Sendable, Codable { case error, warning, note }

  package var severity: Severity
  /// Where the mistake stands, when it stands in a file that the user wrote.
  package var place: SourceLocation?
  /// What was being done, in the progressive: "reading linux-7.4.2.tar.xz". Nothing for what a place alone explains.
  package var doing: String
  /// What is wrong.
  package var reason: String
  /// What the reader can do about it.
  package var remedy: (any Remedy)?
  /// The error that this one came of.
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

  /// Whether it is about a place in a file and nothing else: then the place comes before the severity.
  package var isFinding: Bool { place != nil && doing.isEmpty }

  /// What is wrong, without the place of a finding.
  package var problem: String {
    (isFinding ? "" : place.map { "\($0): " } ?? "") + (doing.isEmpty ? reason : "\(doing): \(reason)")
  }

  /// One line, for logs and for what is kept. A remedy that needs the command line's words is not in it.
  package var description: String {
    let head = isFinding ? place.map { "\($0): \(severity.rawValue): " } ?? "" : ""
    return (head + problem + (remedy?.words.map { "; \($0)" } ?? "")).singleLine
  }
}

/// What the reader can do about a problem.
///
/// Libraries know no commands and no options. Each has an enum of the remedies that need them, and the command line puts
/// these into words: see Remedies.swift there.
package protocol Remedy: Sendable, Equatable {
  /// The words, where no command line is needed for them.
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
