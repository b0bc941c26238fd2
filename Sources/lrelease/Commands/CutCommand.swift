// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Files
import Operations
import SystemPackage

struct CutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cut", abstract: "Make a release from its sources: tarball and packages.",
    discussion: """
      Makes OUTPUT/NAME-VERSION with the tarball, the packages, plan.json and SHA256SUMS. The folder is written \
      beside its place and renamed when it is complete. If the release already exists, made from the same plan, its \
      files are verified and nothing is written. If it was made from another plan, the exit status is 5.

      From a kernel release on kernel.org, whose signature is checked:

        lrelease cut manifests/ceph.toml --kernel 6.12.117 --output releases

      From a local tarball, with its signature linux-6.12.117.tar.sign beside it:

        lrelease cut manifests/ceph.toml --source linux=linux-6.12.117.tar.xz

      From an unsigned tarball whose hash you trust:

        lrelease cut ceph.toml --source linux=linux.tar.xz --sha256 linux=DIGEST

      The same kernel release again, with a fix in the companion repository:

        lrelease cut manifests/ceph.toml --kernel 6.12.117 --respin 1

      With a patch of your own, to the kernel tree or to the assembled tree. The plan records it:

        lrelease cut manifests/ceph.toml --kernel 6.12.117 --respin 1 \\
            --patches linux=0001-fix.patch
        lrelease cut manifests/ceph.toml --kernel 6.12.117 --respin 1 \\
            --patches fixes/series

      From a plan that 'lrelease plan' saved, or from the plan.json of a release. If the signature is available, it \
      is checked again; if not, the hash in the plan is used, with a warning. Do not trust a plan from an unknown \
      source.

        lrelease cut --plan plan.json --source linux=linux-6.12.117.tar.xz

      With what 'lrelease qualify' found out about a candidate: its packages then say which kernels are proven, \
      leave out what failed, and carry what their probes found, so that a site with such a kernel does not probe again.

        lrelease cut --plan candidate/plan.json --output releases \\
            --qualified candidate.qualification

      Signed: the .rpm files, which rpm 6 refuses without a signature, then SHA256SUMS and the tar, as 'lrelease \
      sign' does. gpg's agent asks for the passphrase before the work begins.

        lrelease cut manifests/ceph.toml --kernel 6.12.117 --output releases \\
            --sign release@example.org
      """)

  @OptionGroup var source: SourceOptions
  @OptionGroup var sandbox: SandboxOptions
  @OptionGroup var console: ConsoleOptions

  @Option(
    help: ArgumentHelp("Use this saved plan instead of a manifest.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var plan: String?

  @Option(
    help: ArgumentHelp("Where to make the release folder.", valueName: "folder"), completion: .directory)
  var output = "."

  @OptionGroup var qualified: QualifiedOptions
  @OptionGroup var signing: SigningOptions

  enum Compression: String, ExpressibleByArgument, CaseIterable { case xz, zst, gz }
  @Option(help: "Compression of the tarball.")
  var compression = Compression.xz

  func run() async throws {
    try await Console.run(console) { console in try await sandbox.apply(console) { try await run(console) } }
  }

  private func run(_ console: Console) async throws {
    let output = try OutputPlace.folder(output)
    let key = try await signing.key()
    var opened = try await source.open(plan: plan, console.progress)
    opened.plan = try qualified.add(to: opened.plan, console.progress)
    let codec: Codec =
      switch compression {
      case .xz: .xz
      case .zst: .zstd
      case .gz: .gzip
      }
    let cut = Cut(output: output, codec: codec, signer: key, cache: opened.cache, progress: console.progress)
    let report = try await cut.run(opened)
    try console.output(report) { console.print(report) }
  }
}

extension Console {
  /// A release that was made, or that already existed.
  func print(_ report: Cut.Report) {
    print(bold(report.release) + (report.alreadyExisted ? " already exists; all files verified" : ""))
    if let signer = report.signedBy { print("signed by \(signer)") }
    for kernels in report.supportedKernels { kernels.words.forEach(print) }
    for output in report.outputs {
      let padding = String(repeating: " ", count: max(1, 10 - size(output.bytes).count))
      print("\(padding)\(size(output.bytes))  \(report.folder)/\(output.name)")
    }
  }
}

extension SupportedKernels {
  /// `modules: Linux 5.10 to 7.2 (manifest, sample.toml:35:1)`, and below it how that is known, line by line.
  var words: [String] {
    let reason =
      switch basis {
      case .manifest: "manifest, \(place ?? "")"
      case .extras: "manifest, \(place ?? ""), widened by \(extras.joined(separator: ", "))"
      case .verdicts:
        "verdicts: passed on "
          + passed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.joined(separator: ", "))" }
          .joined(separator: "; ")
      case .claim: "claimed for a candidate, not proven"
      }
    let linux = text.utf8.first.map { (0x30...0x39).contains($0) } == true ? "Linux " : ""
    return ["  kernels  \(package): \(linux)\(text) (\(reason))"] + lines.map { "             \($0)" }
  }
}
