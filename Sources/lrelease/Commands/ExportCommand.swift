// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Files
import Operations
import Reports
import SystemPackage

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write reports of verdicts, or a package for the Open Build Service.",
    discussion: """
      From the verdicts of 'lrelease qualify': a page for people, a table for documentation, reports for KCIDB and \
      for CI systems. From a release: a package for the Open Build Service. The same input gives the same bytes.
      """,
    subcommands: [Page.self, KCIDB.self, JUnit.self, Table.self, OBS.self])

  /// What all exports of verdicts have.
  struct VerdictOptions: ParsableArguments {
    @Argument(
      help: ArgumentHelp("The verdicts of 'lrelease qualify': RELEASE.qualification.", valueName: "qualification"),
      completion: .directory)
    var qualifications: [String]

    @OptionGroup var console: ConsoleOptions

    func report(_ console: Console) throws -> QualificationReport {
      let report = try QualificationReport(reading: qualifications.map { FilePath($0) })
      for (folder, count) in report.leftOut {
        console.progress.warning(
          "\(folder): \(count == 1 ? "a verdict is" : "\(count) verdicts are") left out, of another release of this name"
        )
      }
      return report
    }
  }

  /// Where an export goes.
  struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where to write. (default: standard output)", valueName: "file"), completion: .file())
    var output: String?

    @Flag(help: "Replace the file if it exists.")
    var replace = false

    /// - Parameter isJSON: of the document.
    func write(_ bytes: [UInt8], isJSON: Bool = false, _ console: Console) throws {
      guard let output else {
        if isJSON { return console.printDocument(bytes) }
        // With --json, standard output holds only JSON.
        return try console.output(["text": String(decoding: bytes, as: UTF8.self)]) { console.printDocument(bytes) }
      }
      try ExportCommand.write(bytes, to: FilePath(output), replace: replace, console)
    }
  }

  /// Where logs were published.
  struct LogOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "The address under which the qualifications are published, for links to logs.", valueName: "address"))
    var url: String?

    func validate() throws {
      guard let url else { return }
      let isPlain = url.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"\"'<>\\^`{|}?#".utf8.contains($0) }
      guard isPlain, ["https://", "http://"].contains(where: { url.hasPrefix($0) && url.count > $0.count }) else {
        throw ValidationError("--url must be an address that begins with https:// or http://.")
      }
    }

    /// Without a trailing slash.
    var published: String? {
      url.map { url in String(url[..<(url.lastIndex { $0 != "/" }.map { url.index(after: $0) } ?? url.endIndex)]) }
    }
  }

  fileprivate struct Written: Encodable {
    var output: String
    var bytes: Int
  }

  fileprivate static func write(_ bytes: [UInt8], to path: FilePath, replace: Bool, _ console: Console) throws {
    let doing = "writing \(path)"
    try OutputPlace.demandParent(of: path, doing: doing)
    guard replace || !Files.exists(path) else {
      throw ReleaseError(
        .conflict, doing: doing, reason: "it already exists", advice: "give --replace or another --output")
    }
    try Files.replace(path, with: bytes, overwrites: replace)
    try console.output(Written(output: path.string, bytes: bytes.count)) {
      console.print("\(path): \(size(Int64(bytes.count)))")
    }
  }

  // MARK: verdicts

  struct Page: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the verdicts as an HTML page for a project's site.",
      discussion: """
        The page is one file that needs nothing else. It has a row for each kernel and a column for each package; \
        several qualifications are shown side by side. Links to logs are relative to the page, or below --url.

          lrelease export page releases/*.qualification --output kernels.html
        """)
    @OptionGroup var verdicts: VerdictOptions

    @Option(
      help: ArgumentHelp("Where to write the page.", valueName: "file"), completion: .file(extensions: ["html"]))
    var output: String

    @Flag(help: "Replace the file if it exists.")
    var replace = false

    @OptionGroup var logs: LogOptions

    func run() async throws {
      try await Console.run(verdicts.console) { console in
        let path = FilePath(output)
        let places = logs.published.map { LogPlaces.published($0) }
        let page = QualificationPage(
          try verdicts.report(console), places: places ?? .relative(to: Files.absolute(path).removingLastComponent()))
        try ExportCommand.write(page.html, to: path, replace: replace, console)
      }
    }
  }

  struct KCIDB: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "kcidb", abstract: "Write the verdicts for KCIDB, the common database of kernel tests.",
      discussion: """
        A release becomes a checkout, a package on a kernel a build, and each step on the booted kernel a test. \
        Steps that could not run have the status MISS.

          lrelease export kcidb releases/sample-7.2.1.qualification \\
              --origin example --url https://example.org/qualifications \\
              | kcidb-submit -p PROJECT -t TOPIC
        """)
    @OptionGroup var verdicts: VerdictOptions

    @Option(help: ArgumentHelp("Your name in KCIDB.", valueName: "name"))
    var origin: String

    @OptionGroup var logs: LogOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
      guard KCIDBReport.isOrigin(origin) else {
        throw ValidationError("--origin takes lower-case letters, digits and underscores.")
      }
    }

    func run() async throws {
      try await Console.run(verdicts.console) { console in
        let report = KCIDBReport(try verdicts.report(console), origin: origin, published: logs.published)
        try output.write(report.json, isJSON: true, console)
      }
    }
  }

  struct JUnit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "junit", abstract: "Write the verdicts as JUnit XML, for CI systems.",
      discussion: """
        Each package on each kernel is a suite, and each step a test case. Steps that could not run are errors; \
        kernels that the package does not claim are skipped. The class of a test case names the release, and \
        system-out holds the end of its log.

          lrelease export junit releases/sample-7.2.1.qualification \\
              --output junit.xml
        """)
    @OptionGroup var verdicts: VerdictOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await Console.run(verdicts.console) { console in
        let places = logs.published.map { LogPlaces.published($0) }
        try output.write(JUnitReport(try verdicts.report(console), places: places ?? .asNamed).xml, console)
      }
    }
  }

  struct Table: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the verdicts as a Markdown table, for documentation.",
      discussion: """
        Targets are sorted by name; the newest kernel of each comes first.

          lrelease export table releases/sample-7.2.1.qualification >kernels.md
        """)
    @OptionGroup var verdicts: VerdictOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await Console.run(verdicts.console) { console in
        try output.write(SupportTable(try verdicts.report(console)).markdown, console)
      }
    }
  }

  // MARK: releases

  struct OBS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "obs", abstract: "Write a release as a package for the Open Build Service.",
      discussion: """
        Writes the spec with its tarball, the .dsc with its files, all as they were released, and a .changes. OBS \
        needs no source service for it. The folder must not exist; copy its files into a checkout of the package:

          lrelease export obs releases/lustre-7.4 new \\
              --changes home:me/lustre/lustre.changes
          cd home:me/lustre && rm -f * && cp ../../new/* .
          osc addremove && osc commit
        """)
    @Argument(help: "A release folder.", completion: .directory)
    var release: String

    @Argument(help: "The folder to write.", completion: .directory)
    var folder: String

    @Option(
      help: ArgumentHelp("The present .changes of the package in OBS, to be continued.", valueName: "file"),
      completion: .file(extensions: ["changes"]))
    var changes: String?

    @OptionGroup var console: ConsoleOptions

    private struct Report: Encodable {
      struct File: Encodable {
        var name: String
        var bytes: Int
      }
      var folder: String
      var alreadyExisted: Bool
      var files: [File]

      private enum CodingKeys: String, CodingKey {
        case folder
        case alreadyExisted = "wasThere"
        case files
      }
    }

    func run() async throws {
      try await Console.run(console) { console in
        let place = try OutputPlace.folder(folder)
        let package = try await OBSPackage(
          of: FilePath(release), earlier: changes.map { FilePath($0) }, progress: console.progress)
        let alreadyExisted = try await package.write(to: place)
        let files = package.files.map { Report.File(name: $0.name, bytes: $0.bytes.count) }
        try console.output(Report(folder: folder, alreadyExisted: alreadyExisted, files: files)) {
          console.print("\(console.bold(folder))\(alreadyExisted ? " already exists, unchanged" : "")")
          for file in files { console.print("  \(file.name)  \(size(Int64(file.bytes)))") }
        }
      }
    }
  }
}
