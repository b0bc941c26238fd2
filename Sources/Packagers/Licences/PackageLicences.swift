// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model

/// The licences of a package, derived from its files.
package struct PackageLicences: Sendable {
  /// The licence of the whole package: the `License:` of a spec.
  package let expression: SPDXExpression
  /// The stanzas of `debian/copyright` after the first.
  let debian: String
  /// The texts of its licences and exceptions, by their SPDX names, in the order of these.
  let texts: [(name: String, text: [UInt8])]
  /// The paths of these texts in the tarball, each once.
  let paths: [String]
  /// The names of licences and exceptions without a text.
  let missingTexts: [String]

  /// A placeholder if only the names of files matter.
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

  /// The values of `@NAME@` in the recipe of the package.
  var values: [String: String] { ["LICENSE": expression.text, "COPYRIGHT": debian] }

  /// The values for one package in a spec of several packages.
  func values(of rpm: String) -> [String: String] {
    let name = String(rpm.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
    return ["\(name)_LICENSE": expression.text, "\(name)_LICENSE_FILES": paths.joined(separator: " ")]
  }

  /// The folder of licence texts in RPM packages, without the leading slash.
  static func folder(_ package: String) -> String { "usr/share/licenses/\(package)" }

  /// The texts as files of an .rpm.
  func files(of package: String) -> [PackageFile] {
    texts.map { PackageFile(path: "\(Self.folder(package))/\($0.name).txt", content: .file($0.text)) }
  }
}
