// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage
import Verdicts

/// The verdicts of one or more qualifications, in order: what every export is made of.
///
/// The same verdicts give the same report, in whatever order their folders were named.
package struct QualificationReport: Sendable {
  /// A verdict, and where its logs are.
  package struct Entry: Sendable {
    package let verdict: Verdict
    /// The qualification as it was named.
    package let folder: FilePath
    /// The logs that are there, by name.
    package let logs: [String]

    /// The log that tells of a step, if it was kept.
    func log(of step: Verdict.Step.Name) -> String? {
      let inTheGuest: Set<Verdict.Step.Name> = [.boot, .load, .unload, .smoke, .log, .wait, .service, .client]
      // In a pair of guests, each has its own logs.
      let prefix =
        verdict.against.map { "\((step == .other ? $0.role.other : $0.role).rawValue)-" } ?? ""
      let name = inTheGuest.contains(step) ? "console.log" : "\(step.rawValue).log"
      let names = step == .other ? ["console.log", "install.log"] : [name]
      return names.map { prefix + $0 }.first { logs.contains($0) }
    }

    /// The last lines of a log, 64 KiB at most; empty for one that cannot be read.
    func end(of log: String, lines count: Int) -> String {
      let path = Files.absolute(folder).pushing(FilePath(verdict.logs)).appending(log)
      guard let bytes = try? Files.end(of: path, count: 64 << 10) else { return "" }
      let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
      let text = lines.suffix(count + 1).map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
      return text.withoutEscapes.trimmed
    }
  }

  /// A kernel of a target, or the life of a site with it, or another release beside it.
  package struct Row: Sendable, Hashable {
    package var target: String
    package var kernel: String
    package var architecture: String
    package var isLife: Bool
    package var against: Verdict.Against?

    /// What was tried, if not the package alone on this kernel.
    var occasion: String? { isLife ? QualificationPage.life : against?.inWords }
  }

  /// A package of a release.
  package struct Column: Sendable, Hashable {
    package var release: String
    package var variant: String
  }

  /// Targets by name, the newest kernel of each first, the lives of sites last.
  package let rows: [Row]
  /// The newest release first.
  package let columns: [Column]
  /// `sample`, where all are releases of that.
  let project: String?
  private let cells: [Row: [Column: Entry]]
  /// The number of verdicts in a folder that are of another release of the same name, and were left out.
  package let leftOut: [(folder: FilePath, count: Int)]
  /// What a package supports by what it claims and by these verdicts, a line for each family and standing. Of a release
  /// that does not lie beside its qualification, nothing is known.
  let support: [Column: [String]]

  package subscript(row: Row, column: Column) -> Entry? { cells[row]?[column] }

  /// By column, then by row.
  package var entries: [Entry] { columns.flatMap { column in rows.compactMap { self[$0, column] } } }

  /// - Parameter folders: each a `RELEASE.qualification`. If a kernel was tried twice, the later verdict counts.
  /// - Throws: `ReleaseError` for a folder without verdicts, and for a verdict that is damaged.
  package init(reading folders: [FilePath]) throws {
    var cells: [Row: [Column: Entry]] = [:]
    let (found, leftOut) = try QualificationReport.ofOneRelease(folders)
    self.leftOut = leftOut
    for (folder, verdicts) in found {
      for verdict in verdicts {
        let row = Row(
          target: verdict.target, kernel: verdict.kernel, architecture: verdict.architecture,
          isLife: verdict.isLife, against: verdict.against)
        let column = Column(release: verdict.release, variant: verdict.variant)
        // For two verdicts of the same second, the digests decide, not the order of the folders.
        if let known = cells[row]?[column]?.verdict,
          (known.started, known.inputs) >= (verdict.started, verdict.inputs)
        {
          continue
        }
        let place = Files.absolute(folder).pushing(FilePath(verdict.logs))
        let names = Files.isFolder(place) ? try Files.names(in: place) : []
        cells[row, default: [:]][column] = Entry(
          verdict: verdict, folder: folder,
          logs: names.compactMap { String(validating: $0, as: UTF8.self) }.filter { $0.hasSuffix(".log") })
      }
    }
    self.cells = cells
    rows = cells.keys.sorted { a, b in
      func place(_ row: Row, of kernel: String) -> (NaturalOrder, Int, NaturalOrder, NaturalOrder, NaturalOrder) {
        (
          NaturalOrder(row.target, wordsLast: true), row.against != nil ? 2 : row.isLife ? 1 : 0, NaturalOrder(kernel),
          NaturalOrder(row.architecture), NaturalOrder(row.against.map { "\($0.inWords) \($0.plan.hex)" } ?? "")
        )
      }
      return place(a, of: b.kernel) < place(b, of: a.kernel)
    }
    columns = Set(cells.values.flatMap(\.keys)).sorted { a, b in
      (NaturalOrder(b.release), NaturalOrder(a.variant)) < (NaturalOrder(a.release), NaturalOrder(b.variant))
    }
    let columns = self.columns
    support = found.reduce(into: [:]) { support, found in
      guard let plan = Self.planBeside(found.0), let manifest = try? plan.parsedManifest() else { return }
      for column in columns where (try? plan.releaseName) == column.release {
        let own = found.1.filter { $0.variant == column.variant && $0.isOfPackageAlone }
        // A release that was qualified before says what that proved.
        let proven = plan.families.flatMap { families in
          plan.proven?[column.variant]?.supported.map { KernelSupport(families: families, entries: $0) }
        }
        guard let claimed = proven ?? KernelSupport(of: column.variant, plan, manifest) else { continue }
        support[column] =
          QualifiedRange.support(own, over: claimed, of: column.variant, progress: .silent).lines
      }
    }
    let projects = Set(cells.values.flatMap(\.values).map(\.verdict.project))
    project = projects.count == 1 ? projects.first : nil
  }

  /// The verdicts in these folders, without those of other releases of the same name: of the release beside a folder if
  /// it is there, else of the one that was tried last.
  private static func ofOneRelease(
    _ folders: [FilePath]
  ) throws -> (found: [(FilePath, [Verdict])], leftOut: [(FilePath, Int)]) {
    var all: [(folder: FilePath, verdicts: [Verdict], count: Int)] = []
    for folder in folders {
      let verdicts = try VerdictStore(folder).all()
      guard !verdicts.isEmpty else {
        throw ReleaseError(
          .source, doing: "reading verdicts", reason: "\(folder) holds none",
          remedy: VerdictsRemedy.qualify)
      }
      for verdict in verdicts { try verdict.check(in: folder) }
      let plan = try? planBeside(folder)?.identity
      all.append((folder, verdicts.filter { plan == nil || $0.plan == plan }, verdicts.count))
    }
    var newest: [String: Verdict] = [:]
    for verdict in all.flatMap(\.verdicts) {
      if let known = newest[verdict.release], (known.started, known.plan) >= (verdict.started, verdict.plan) {
        continue
      }
      newest[verdict.release] = verdict
    }
    for index in all.indices { all[index].verdicts.removeAll { newest[$0.release]?.plan != $0.plan } }
    guard all.contains(where: { !$0.verdicts.isEmpty }) else {
      throw ReleaseError(
        .source, doing: "reading verdicts",
        reason: "\(folders.map(\.string).shortened) holds only those of another release of this name",
        remedy: VerdictsRemedy.qualify)
    }
    return (
      all.map { ($0.folder, $0.verdicts) },
      all.map { ($0.folder, $0.count - $0.verdicts.count) }.filter { $0.1 > 0 }
    )
  }

  /// The plan of the release that a qualification lies beside; nil if it is not there.
  private static func planBeside(_ folder: FilePath) -> Plan? {
    let path = Files.absolute(folder).string
    let ending = ".qualification"
    guard path.hasSuffix(ending) else { return nil }
    let plan = FilePath(String(path.dropLast(ending.count))).appending("plan.json")
    return Files.exists(plan) ? try? Plan(reading: plan) : nil
  }

  /// How people call a column: `7.2.1 client`, with the name of the release in front where there are several.
  func title(_ column: Column) -> (release: String, variant: String) {
    let version = project.flatMap { project in
      column.release.hasPrefix("\(project)-") ? String(column.release.dropFirst(project.count + 1)) : nil
    }
    return (version ?? column.release, column.variant)
  }
}

/// How an export refers to logs.
package enum LogPlaces: Sendable {
  /// By the path that leads there from a folder.
  case relative(to: FilePath)
  /// Below the URL under which the qualifications were published.
  case published(String)
  /// As whoever named the qualification would find it.
  case asNamed

  func reference(to log: String, of entry: QualificationReport.Entry) -> String {
    references(to: [log], of: entry)[0]
  }

  func references(to logs: [String], of entry: QualificationReport.Entry) -> [String] {
    let path = FilePath(entry.verdict.logs)
    let folder: String
    switch self {
    case .asNamed: return logs.map { "\(entry.folder.pushing(path))/\($0)" }
    case .published(let base):
      let name = Files.absolute(entry.folder).name
      folder = "\(base)/\(FilePath(name).pushing(path).string.percentEncoded)"
    case .relative(let start):
      let from = Array(Files.absolute(start).components)
      let to = Array(Files.absolute(entry.folder).pushing(path).components)
      let common = zip(from, to).prefix { $0 == $1 }.count
      let steps = from.dropFirst(common).map { _ in ".." } + to.dropFirst(common).map(\.string)
      // A first part with a colon would read as the scheme of a URL.
      folder = (steps.first?.contains(":") == true ? "./" : "") + steps.joined(separator: "/").percentEncoded
    }
    return logs.map { "\(folder)/\($0.percentEncoded)" }
  }
}

extension String {
  /// As it stands in the path of a URL. Source: RFC 3986, section 3.3.
  fileprivate var percentEncoded: String {
    var out: [UInt8] = []
    for byte in utf8 {
      switch byte {
      case 0x2b...0x3a, 0x3d, 0x40...0x5a, 0x5f, 0x61...0x7a, 0x7e: out.append(byte)
      default: out += Array("%\(String(hexadecimal: [byte]).uppercased())".utf8)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}

extension String {
  /// Without what turns colours on and off in a terminal.
  fileprivate var withoutEscapes: String { replacing(#/\u{1b}\[[0-9;?]*[A-Za-z]/#, with: "") }
}

extension Verdict {
  /// What lrelease writes itself holds; a file that somebody has edited may not.
  fileprivate func check(in folder: FilePath) throws {
    let times = [seconds] + steps.map(\.seconds)
    let total = times.reduce(0, +)
    func isName(_ text: String) -> Bool { !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 } }
    guard isCleanPath(logs), [release, variant, target, kernel, architecture].allSatisfy(isName),
      against.map({ isName($0.release) }) ?? true,
      times.allSatisfy({ $0 >= 0 }), total < 1e9,
      Timestamp.releasable.contains(started), Timestamp.releasable.contains(started + Int64(total))
    else {
      throw ReleaseError(
        .input, doing: "reading verdicts",
        reason: "that of \(release) on \(target), \(kernel), in \(folder) is damaged",
        advice: "remove it and qualify again")
    }
  }

  /// What was tried, if not the package alone on this kernel.
  var occasion: String? { isLife ? QualificationPage.life : against?.inWords }

  /// The name of its case: `debian-12.modules`.
  var caseName: String { FilePath(logs).lastComponent?.string ?? logs }

  /// `sample`, of a release `sample-7.2.1`.
  var project: String {
    let name = release.lastIndex(of: "-").map { release[..<$0] } ?? ""
    return name.isEmpty ? release : String(name)
  }
}

extension Double {
  /// Seconds for people: `27.8 s`, `1 min 56 s`, `2 h 5 min`.
  var asTime: String {
    if self < 59.95 {
      let tenths = Int((self * 10).rounded())
      return "\(tenths / 10).\(tenths % 10) s"
    }
    let seconds = Int(rounded())
    return seconds < 3600
      ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds / 3600) h \(seconds / 60 % 60) min"
  }
}
