// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Files
import Operations
import Reports
import SystemPackage

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Tell others of verdicts, or hand a release to the Open Build Service.",
    discussion: """
      A page for people, a table for documentation, and reports for KCIDB and for CI systems are made of what \
      'lrelease qualify' has kept; an OBS package is made of a release. The same input gives the same bytes.
      """,
    subcommands: [Page.self, KCIDB.self, JUnit.self, Table.self, OBS.self])

  /// What all exports of verdicts have.
  struct VerdictOptions: ParsableArguments {
    @Argument(
      help: ArgumentHelp("Where 'lrelease qualify' keeps verdicts: RELEASE.qualification.", valueName: "qualification"),
      completion: .directory)
    var qualifications: [String]

    @OptionGroup var console: ConsoleOptions

    func report() throws -> QualificationReport {
      try QualificationReport(reading: qualifications.map { FilePath($0) })
    }
  }

  /// Where an export goes.
  struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where to write; standard output if not given.", valueName: "file"), completion: .file())
    var output: String?

    @Flag(help: "Replace the file if it is there.")
    var replace = false

    /// - Parameter isJSON: of the document.
    func write(_ bytes: [UInt8], isJSON: Bool = false, _ console: Console) throws {
      guard let output else {
        if isJSON { return console.printDocument(bytes) }
        // With --json nothing else goes there.
        return try console.output(["text": String(decoding: bytes, as: UTF8.self)]) { console.printDocument(bytes) }
      }
      try ExportCommand.write(bytes, to: FilePath(output), replace: replace, console)
    }
  }

  /// Where logs were published.
  struct LogOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "The address below which the qualifications were published, for links to logs.", valueName: "address"))
    var url: String?

    func validate() throws {
      guard let url else { return }
      let isPlain = url.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"\"'<>\\^`{|}?#".utf8.contains($0) }
      guard isPlain, ["https://", "http://"].contains(where: { url.hasPrefix($0) && url.count > $0.count }) else {
        throw ValidationError("--url must be an address that begins with https:// or http://.")
      }
    }

    /// Without the slash that may end it.
    var published: String? {
      url.map { url in String(url[..<(url.lastIndex { $0 != "/" }.map { url.index(after: $0) } ?? url.endIndex)]) }
    }
  }

  fileprivate struct Written: Encodable {
    var output: String
    var bytes: Int
  }

  fileprivate static func write(_ bytes: [UInt8], to path: FilePath, replace: Bool, _ console: Console) throws {
    try Files.replace(path, with: bytes, overwrites: replace)
    try console.output(Written(output: path.string, bytes: bytes.count)) {
      console.print("\(path): \(size(Int64(bytes.count)))")
    }
  }

  // MARK: of verdicts

  struct Page: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the verdicts as an HTML page for a project's site.",
      discussion: """
        One file that needs nothing besides, with the kernels as rows and the packages of each release as columns; \
        several qualifications are shown side by side. Logs are linked from where the page lies to where they lie, or \
        below --url.

          lrelease export page releases/*.qualification --output kernels.html
        """)
    @OptionGroup var verdicts: VerdictOptions

    @Option(
      help: ArgumentHelp("Where to write the page.", valueName: "file"), completion: .file(extensions: ["html"]))
    var output: String

    @Flag(help: "Replace the file if it is there.")
    var replace = false

    @OptionGroup var logs: LogOptions

    func run() async throws {
      try await Console.run(verdicts.console) { console in
        let path = FilePath(output)
        let places = logs.published.map { LogPlaces.published($0) }
        let page = QualificationPage(
          try verdicts.report(), places: places ?? .relative(to: Files.absolute(path).removingLastComponent()))
        try ExportCommand.write(page.html, to: path, replace: replace, console)
      }
    }
  }

  struct KCIDB: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "kcidb", abstract: "Write the verdicts as KCIDB takes them, the common database of kernel tests.",
      discussion: """
        A release is a checkout, a package on a kernel is a build, each step on the booted kernel is a test. What could \
        not be run has the status MISS.

          lrelease export kcidb releases/sample-7.2.1.qualification --origin example \\
              --url https://example.org/qualifications | kcidb-submit -p PROJECT -t TOPIC
        """)
    @OptionGroup var verdicts: VerdictOptions

    @Option(help: ArgumentHelp("The name that KCIDB knows you by.", valueName: "name"))
    var origin: String

    @OptionGroup var logs: LogOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
      guard KCIDBReport.isOrigin(origin) else {
        throw ValidationError("--origin must be of lower-case letters, digits and underscores.")
      }
    }

    func run() async throws {
      try await Console.run(verdicts.console) { console in
        let report = KCIDBReport(try verdicts.report(), origin: origin, published: logs.published)
        try output.write(report.json, isJSON: true, console)
      }
    }
  }

  struct JUnit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "junit", abstract: "Write the verdicts as JUnit XML, for CI systems.",
      discussion: """
        A suite for each package on each kernel, with a test case for each step. What could not be run is an error; \
        what the package does not claim is skipped.

          lrelease export junit releases/sample-7.2.1.qualification --output junit.xml
        """)
    @OptionGroup var verdicts: VerdictOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await Console.run(verdicts.console) { console in
        let places = logs.published.map { LogPlaces.published($0) }
        try output.write(JUnitReport(try verdicts.report(), places: places ?? .asNamed).xml, console)
      }
    }
  }

  struct Table: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the verdicts as a Markdown table, for documentation.",
      discussion: """
        Targets in the order of their names, the newest kernel of each first.

          lrelease export table releases/sample-7.2.1.qualification >kernels.md
        """)
    @OptionGroup var verdicts: VerdictOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await Console.run(verdicts.console) { console in
        try output.write(SupportTable(try verdicts.report()).markdown, console)
      }
    }
  }

  // MARK: of a release

  struct OBS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "obs", abstract: "Write a release as a package of the Open Build Service.",
      discussion: """
        The spec with its tarball, the .dsc with its files, all as they were released, and a .changes. Nothing has to be \
        fetched or made by a service. The folder must not exist; its files go into a checkout of the package:

          lrelease export obs releases/lustre-7.4 new --changes home:me/lustre/lustre.changes
          cd home:me/lustre && rm -f * && cp ../../new/* . && osc addremove && osc commit
        """)
    @Argument(help: "A release folder.", completion: .directory)
    var release: String

    @Argument(help: "The folder to write.", completion: .directory)
    var folder: String

    @Option(
      help: ArgumentHelp("The .changes that the package has in OBS, to go on with.", valueName: "file"),
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
        let package = try await OBSPackage(
          of: FilePath(release), earlier: changes.map { FilePath($0) }, progress: console.progress)
        let alreadyExisted = try await package.write(to: FilePath(folder))
        let files = package.files.map { Report.File(name: $0.name, bytes: $0.bytes.count) }
        try console.output(Report(folder: folder, alreadyExisted: alreadyExisted, files: files)) {
          console.print("\(console.bold(folder))\(alreadyExisted ? " already exists, unchanged" : "")")
          for file in files { console.print("  \(file.name)  \(size(Int64(file.bytes)))") }
        }
      }
    }
  }
}
