// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import FoundationEssentials
import Model
import SystemPackage

@testable import Auditor
@testable import Distributions
@testable import Packagers
@testable import Qualifier
@testable import Releases
@testable import Reports
@testable import Verdicts

// Records of our own, which strangers can have changed, and what other programs print.

extension FuzzReader {
  /// A plan.
  static let plan = FuzzReader("plan") { bytes in
    let plan = try Plan(parsing: bytes, doing: "reading a plan")
    let written = try JSON.encode(plan)
    let again = try Plan(parsing: written, doing: "reading a plan again")
    try demand(again == plan, "it is another plan when it was written")
    try demand(try JSON.encode(again) == written, "it is written otherwise the second time")
    _ = try (plan.identity, plan.portable, plan.ownPatches, plan.missingPatches, plan.releaseName)
    let name = try plan.releaseName
    for artifact in [PackageFileName.patches(name), PackageFileName.tarball(name, .xz)] where isCleanPath(plan.name) {
      try demand(isPlain(artifact), "its files are called \(artifact)")
    }
    for rebuild in plan.rebuilds ?? [] { _ = rebuild.mark }
    for pin in plan.sources.values { _ = (pin.identity, Timestamp(seconds: pin.date).iso8601) }
    for proven in (plan.proven ?? [:]).values {
      if let min = proven.kernelMin, let max = proven.kernelMax {
        let range = try KernelRange(min.value, max.value)
        _ = (range.expression, range.dkmsMax)
      }
      let support = KernelSupport(families: plan.families ?? [], entries: proven.supported ?? [])
      _ = (support.text, support.lines, support.contains("6.12.0-55.el10"))
      for family in support.supported { _ = support.expression(of: family) }
    }
    _ = try plan.parsedManifest()
  }

  /// A verdict in a store, and the reports that are made of it.
  static let verdict = FuzzReader("verdict") { bytes in
    let report = try withFile([], named: "x") { path in
      let store = VerdictStore(path.removingLastComponent())
      try Files.makeFolder(store.folder.appending("verdicts"))
      try Files.write(bytes, to: store.folder.appending("verdicts/c.json"))
      for verdict in try store.all() {
        let written = try JSON.encode(verdict)
        let again = try JSON.decode(Verdict.self, from: written)
        try demand(again == verdict, "it is another verdict when it was written")
        try demand(try JSON.encode(again) == written, "it is written otherwise the second time")
        _ = (verdict.proven, verdict.kernelNumber, try? store.probeResults(of: verdict, doing: "reading"))
        _ = try QualifiedRange.range([verdict], of: verdict.variant, progress: .silent)
        let claimed = KernelSupport(families: KernelFamily.known, entries: [])
        let support = QualifiedRange.support([verdict], over: claimed, of: verdict.variant, progress: .silent)
        try demand(verdict.result != .fail || !support.contains(verdict.kernel), "a failure is supported")
      }
      return try QualificationReport(reading: [store.folder])
    }
    for places in [LogPlaces.asNamed, .published("https://example.org/"), .relative(to: "/out")] {
      let page = String(decoding: QualificationPage(report, places: places).html, as: UTF8.self)
      try demand(!page.contains("<script"), "a page with a script")
      let tests = JUnitReport(report, places: places).xml
      try demand(!tests.contains { $0 < 0x20 && $0 != 0x0a && $0 != 0x09 }, "control characters in XML")
    }
    let table = SupportTable(report).markdown
    try demand(!table.isEmpty, "no table")
    let kcidb = try KCIDBReport(report, origin: "a", published: "https://example.org/").json
    try demand(kcidb.last == 0x0a, "half a report")
  }

  /// The other records in JSON: the first byte says which.
  static let records = FuzzReader("records") { bytes in
    func again<T: Codable>(_ type: T.Type) throws {
      // Who reads them takes one that is damaged for none.
      guard let value = try? JSON.decode(type, from: Array(bytes.dropFirst())) else { return }
      let written = try JSON.encode(value)
      try demand(try JSON.encode(try JSON.decode(type, from: written)) == written, "it is written otherwise")
    }
    switch bytes.first {
    case UInt8(ascii: "q"): try again(Qualification.self)
    case UInt8(ascii: "a"): try again(AuditReport.self)
    case UInt8(ascii: "r"): try again(ChrootRecord.self)
    case UInt8(ascii: "b"): try again(BinaryBuilder.Inputs.self)
    default: try again(SourcePin.self)
    }
  }

  /// The list of origins.
  static let origins = FuzzReader("origins") { bytes in
    let records = try OriginRecord.parse(bytes, file: "origins.jsonl")
    let written = try records.flatMap { try JSON.encode($0, pretty: false) }
    try demand(
      try OriginRecord.parse(written, file: "origins.jsonl") == records, "it is another list when it was written")
  }

  /// SHA256SUMS.
  static let sums = FuzzReader("sums") { bytes in
    let listed = try withFile(bytes, named: "SHA256SUMS") { try ReleaseFolder($0.removingLastComponent()).listed() }
    for (entry, line) in zip(listed, bytes.lines.filter { !$0.isEmpty }) {
      try demand(isPlain(entry.name) && isCleanPath(entry.name), "it lists \(entry.name)")
      try demand(
        line.suffix(entry.name.utf8.count).elementsEqual(entry.name.utf8), "it lists another than \(entry.name)")
    }
  }

  /// What gpgv prints; also what a signature file begins with.
  static let status = FuzzReader("status") { bytes in
    let signer = String(repeating: "A", count: 40)
    let trust = Trust(keyring: "k", signers: [signer])
    let status = GPGStatus(String(decoding: bytes, as: UTF8.self))
    for signature in status.signatures {
      guard case .good(let fingerprint) = signature.verdict(trust) else { continue }
      try demand(fingerprint.uppercased() == signer, "\(fingerprint) was taken for a signer")
      try demand(bytes.firstRange(of: Array("GOODSIG".utf8)) != nil, "good without GOODSIG")
    }
    _ = DetachedSignature.fault(of: bytes)
  }

  /// C code, the log of a build, and that of a kernel.
  static let code = FuzzReader("code") { bytes in
    let text = SourceText(bytes, mentioning: "HAVE_")
    try demand(text.directives.count <= text.lineCount, "more directives than lines")
    let dead = text.deadLines(["HAVE_X": true, "HAVE_Y": false])
    try demand((0...text.lineCount).contains(dead), "\(dead) of \(text.lineCount) lines are dead")
    for directive in text.directives { _ = (directive.identifiers, directive.header) }
    _ = text.tests(around: text.lineCount)
    _ = KernelLog(bytes).firstFault
    _ = BuildLog(String(decoding: bytes, as: UTF8.self), below: "/build")
    _ = KernelRelease(makefile: bytes)
  }
}
