// SPDX-License-Identifier: GPL-2.0-only

import Verdicts

/// The objects of KCIDB's schema, as far as they are used here; keys are in snake case.
extension KCIDBReport {
  package struct Version: Encodable {
    var major = 5
    var minor = 0
  }

  struct Checkout: Encodable {
    var id: String
    var origin: String
    var treeName: String?
    var comment: String
    var valid = true
    var startTime: String
  }

  struct Build: Encodable {
    var id: String
    var origin: String
    var checkoutID: String
    var comment: String
    var startTime: String
    var duration: Double
    var architecture: String
    var configName: String
    var status: Status
    var logURL: String?
    var logExcerpt: String?
    var outputFiles: [Resource]?
    var misc: Facts
  }

  struct Test: Encodable {
    var id: String
    var origin: String
    var buildID: String
    var path: String
    var comment: String?
    var environment: Environment
    var startTime: String
    var duration: Double
    var status: Status
    var logURL: String?
    var logExcerpt: String?
  }

  struct Environment: Encodable {
    var comment: String
    var misc: [String: String]
  }

  struct Resource: Encodable {
    var name: String
    var url: String
  }

  /// What the schema has no place for.
  struct Facts: Encodable {
    var target: String
    var kernel: String
    var variant: String
    var level: String
    var moduleBytes: Int64?
  }

  struct Issue: Encodable {
    struct Culprit: Encodable { var code = true }
    var id: String
    var origin: String
    var version = 1
    var comment: String
    var culprit = Culprit()
  }

  struct Incident: Encodable {
    var id: String
    var origin: String
    var issueID: String
    var issueVersion = 1
    var buildID: String?
    var testID: String?
    var present = true
  }

  /// In KCIDB, MISS is what did not come to its end through no fault of the code and of the test; SKIP is what does not
  /// apply. ERROR would say that the test itself is wrong, which lrelease never knows.
  enum Status: String, Encodable {
    case pass = "PASS"
    case fail = "FAIL"
    case miss = "MISS"
    case skip = "SKIP"

    init(_ result: Verdict.Result) {
      self =
        switch result {
        case .pass: .pass
        case .fail: .fail
        case .skipped: .skip
        case .notRun: .miss
        }
    }
  }
}
