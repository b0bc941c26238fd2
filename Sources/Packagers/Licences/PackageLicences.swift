// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model

/// What a package says of licences, made out of the files that it holds.
package struct PackageLicences: Sendable {
  /// What holds for the package as a whole: the `License:` of a spec.
  package let expression: SPDXExpression
  /// The stanzas of `debian/copyright` behind the first.
  let debian: String
  /// The texts of its licences and exceptions, by their SPDX names, in the order of these.
  let texts: [(name: String, text: [UInt8])]
  /// Where the tarball has these texts, each path once.
  let paths: [String]
  /// Names of licences and exceptions without a text.
  let missingTexts: [String]

  /// Where nothing is asked but which files there are.
  package static let unknown = PackageLicences()

  private init() {
    expression = .unread("")
    debian = ""
    texts = []
    paths = []
    missingTexts = []
  }

  /// - Parameter files: in the order of their paths.
  init(_ files: [(String, FileLicences.Finding)], _ context: PackagingContext, _ known: LicenceTexts) throws {
    let manifest = context.manifest
    let expressions = Set(files.map(\.1.statement.expression))
    expression = expressions.isEmpty ? .stated(manifest.license) : .all(of: expressions)
    var texts: [(name: String, text: [UInt8])] = []
    var missing: [String] = []
    for name in expression.names {
      if let text = try known.text(of: name) { texts.append((name, text)) } else { missing.append(name) }
    }
    self.texts = texts
    var seen: Set<String> = []
    paths = texts.map { known.path(of: $0.name) }.filter { seen.insert($0).inserted }
    missingTexts = missing
    let holder =
      "\(Timestamp(seconds: context.plan.sourceDate).fields.year) the authors of \(manifest.name), as the files state"
    let copyright = DebianCopyright(files, texts: texts, fallback: (.stated(manifest.license), holder))
    debian = copyright.text
  }

  /// What `@NAME@` stands for in the recipe of the package.
  var values: [String: String] { ["LICENSE": expression.text, "COPYRIGHT": debian] }

  /// What these stand for in the spec that makes several packages, of one of which they are.
  func values(of rpm: String) -> [String: String] {
    let name = String(rpm.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
    return ["\(name)_LICENSE": expression.text, "\(name)_LICENSE_FILES": paths.joined(separator: " ")]
  }

  /// Where RPM has the texts of licences, without the slash at the start.
  static func folder(_ package: String) -> String { "usr/share/licenses/\(package)" }

  /// The texts as files of a .rpm.
  func files(of package: String) -> [PackageFile] {
    texts.map { PackageFile(path: "\(Self.folder(package))/\($0.name).txt", content: .file($0.text)) }
  }
}
