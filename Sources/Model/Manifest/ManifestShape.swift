// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc

// The forms of strings in a manifest.

extension Shape where Value == String {
  /// The beginning of a name in C.
  static var identifier: Shape {
    .string("the beginning of a C identifier", "^[A-Za-z_][A-Za-z0-9_]*$", where: isIdentifier)
  }

  /// An option of the kernel's configuration.
  static var option: Shape {
    .string("NAME or NAME=y", "^(?!CONFIG_)[A-Za-z0-9_]+(=y)?$") {
      let name = $0.hasSuffix("=y") ? String($0.dropLast(2)) : $0
      return !name.isEmpty && isIdentifier("_" + name) && !name.hasPrefix("CONFIG_")
    }
  }

  static var packageName: Shape {
    .string("a package name of lower-case letters, digits, '+', '-' and '.'", "^[a-z0-9][a-z0-9+.-]+$") { name in
      name.utf8.count > 1 && name.utf8.first != 0x2d && name.utf8.first != 0x2b && name.utf8.first != 0x2e
        && name.unicodeScalars.allSatisfy {
          ("a"..."z").contains($0) || ("0"..."9").contains($0) || "+-.".unicodeScalars.contains($0)
        }
    }
  }

  static var moduleName: Shape {
    .string("a module name of letters, digits, '_' and '-'", "^[A-Za-z0-9_][A-Za-z0-9_-]*$") { name in
      !name.isEmpty && !name.hasPrefix("-") && name.unicodeScalars.allSatisfy { $0 == "-" || isWord($0) }
    }
  }

  /// A word for what a site has.
  static var condition: Shape {
    .string("a word of lower-case letters, digits and '-'", "^[a-z0-9][a-z0-9-]*$") { word in
      word.utf8.first != 0x2d && !word.isEmpty
        && word.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
    }
  }

  static var maintainer: Shape {
    .string(
      "Name <address>",
      #"^(?=[^\#(PlainText.controls)]+$)(?!.*\#(PlainText.macro))[^<>]*[^<>\s] <[^<>@\s]+@[^<>@\s]+>$"#
    ) { text in
      let parts = text.split(separator: " <", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, PlainText.isLine(text), let end = parts[0].last, !end.isWhitespace else { return false }
      let address = parts[1].dropLast().split(separator: "@", omittingEmptySubsequences: false)
      return parts[1].last == ">" && address.count == 2 && address.allSatisfy { !$0.isEmpty }
        && !(parts[0] + parts[1].dropLast()).contains { "<>".contains($0) } && !parts[1].contains(where: \.isWhitespace)
    }
  }

  /// A fingerprint of OpenPGP, read as capital digits without blanks.
  static var fingerprint: Shape {
    .string("the 40 hexadecimal digits of a fingerprint", #"^\s*([0-9A-Fa-f]\s*){40}(([0-9A-Fa-f]\s*){24})?$"#) {
      text in
      let digits = text.filter { !$0.isWhitespace }
      guard digits.count == 40 || digits.count == 64, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
        return nil
      }
      return digits.uppercased()
    }
  }
}

extension Shape where Value == String {
  /// A licence expression of SPDX, as it is written.
  static var licence: Shape {
    Shape {
      .named("licence", .string(LicenceData.expression))
    } read: { node, path, findings in
      // Plans of earlier versions can contain text that is no expression; it must be plain text to rpm and shells.
      let words = Shape.string("an SPDX expression", ".") { PlainText.matches($0, first: "(", rest: ".+:()/,_ -") }
      guard let text = words.read(node, path, &findings), !findings.isStored else { return node.string }
      do throws(SPDXExpression.Fault) {
        _ = try SPDXExpression(text)
      } catch {
        findings.ofValues.append(
          Findings.finding(node.location, "'\(path)' is no SPDX expression: \(error.reason)", error.advice))
      }
      return text
    }
  }
}

extension Shape where Value == VersionPattern {
  static var versionPattern: Shape {
    .string(
      "text with {version} in it once", #"^(?![\s\S]*\{version\}[\s\S]*\{version\})[\s\S]*\{version\}"#
    ) { VersionPattern($0) }
  }
}

extension Shape where Value == SHA256Digest {
  static var sha256: Shape { .string("64 hexadecimal digits", "^[0-9a-fA-F]{64}$") { SHA256Digest(hex: $0) } }
}

extension Shape where Value == Timestamp {
  /// A day that the calendar has: 29 February in leap years alone.
  private static var day: String {
    "([0-9]{4}-(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|[0-9]{4}-(0[469]|11)-(0[1-9]|[12][0-9]|30)"
      + "|[0-9]{4}-02-(0[1-9]|1[0-9]|2[0-8])"
      + "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"
  }

  static var time: Shape {
    .string("a time such as 2026-11-01T00:00:00Z", "^\(day)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$") {
      Timestamp(iso8601: $0)
    }
  }
}

extension Shape where Value == KernelRelease {
  static var kernelRelease: Shape {
    .string(
      "a kernel release such as 5.10 or 6.12.3",
      #"^NUMBER\.NUMBER(\.NUMBER)?(-rc[1-9][0-9]*)?$"#.replacing("NUMBER", with: "(0|[1-9][0-9]{0,3})")
    ) { text in
      KernelRelease(text).flatMap { $0.text == text ? $0 : nil }
    }
  }
}

extension Shape where Value == Glob {
  static var glob: Shape { .string("text that is not empty", #"[\s\S]"#) { $0.isEmpty ? nil : Glob($0) } }
}

extension Shape where Value == [Glob] {
  static var globs: Shape { .array(.glob) }
}

extension Shape where Value == String {
  /// A file or folder of a source. It is checked later, when the sources are known.
  static var sourcePath: Shape {
    .text.checked(by: "^\(PlainText.wordPattern):(\(PlainText.anyPathPattern))?/*$")
  }

  /// The version of a release with placeholders. It is checked later, when these are known.
  static var releaseVersion: Shape {
    let name = #"\{\#(PlainText.wordPattern)\}"#
    let number = #"(?!0[0-9])(?![0-9]{4})(?!999(?![0-9{]))([0-9]|\#(name))+"#
    return .text.checked(
      by: #"^\#(number)(\.\#(number)){0,3}([-~]([Rr][Cc]\#(number)|\#(name)([A-Za-z0-9]|\#(name))*))?"#
        + #"(\+[A-Za-z0-9._{}+-]+)*$"#)
  }
}

@Sendable private func isIdentifier(_ text: String) -> Bool {
  text.unicodeScalars.allSatisfy(isWord) && text.unicodeScalars.first.map { !("0"..."9").contains($0) } ?? false
}

/// A letter or digit of ASCII, or `_`.
private func isWord(_ scalar: Unicode.Scalar) -> Bool {
  scalar == "_" || (scalar.isASCII && scalar.properties.isAlphabetic) || ("0"..."9").contains(scalar)
}
