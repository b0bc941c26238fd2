// SPDX-License-Identifier: GPL-2.0-only

import Crypto
import Glibc
import SystemPackage

/// A SHA-256 digest; its text is 64 lower-case hexadecimal digits.
package struct SHA256Digest: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
  package let hex: String

  /// Accepts 64 hexadecimal digits.
  package init?(hex: String) {
    let hex = hex.lowercased()
    guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    self.hex = hex
  }

  package init(of bytes: [UInt8]) {
    var hasher = Hasher()
    bytes.withUnsafeBytes { hasher.update($0) }
    self = hasher.finalize()
  }

  /// The digest of a whole file, read from its start with `pread`, so that other readers of `file` are not disturbed.
  package init(of file: FileDescriptor, size: Int64, progress: (Int64) -> Void = { _ in }) throws {
    var hasher = Hasher()
    var offset: Int64 = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while offset < size {
      try Task.checkCancellation()
      let count = try file.read(fromAbsoluteOffset: offset, into: buffer)
      if count == 0 { break }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += Int64(count)
      progress(offset)
    }
    self = hasher.finalize()
  }

  private init(trusted hex: String) { self.hex = hex }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let digest = SHA256Digest(hex: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256: \(text)")
    }
    self = digest
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(hex)
  }

  package var description: String { hex }
  package static func < (a: Self, b: Self) -> Bool { a.hex < b.hex }

  /// A digest in the making.
  package struct Hasher {
    private var state = SHA256()
    package init() {}
    package mutating func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }
    package mutating func update(_ text: String) {
      var text = text
      text.withUTF8 { state.update(bufferPointer: UnsafeRawBufferPointer($0)) }
    }
    package func finalize() -> SHA256Digest {
      SHA256Digest(trusted: String(hexadecimal: state.finalize()))
    }
  }
}

/// The MD5 and SHA-1 of contents in hexadecimal, as Debian's lists have them. They do not protect against anything.
package struct LegacyDigests: Sendable {
  package let md5: String
  package let sha1: String

  package init(of bytes: FileBytes) throws {
    var md5 = Insecure.MD5()
    var sha1 = Insecure.SHA1()
    try bytes.forEachPiece { piece in
      md5.update(bufferPointer: piece)
      sha1.update(bufferPointer: piece)
    }
    self.md5 = String(hexadecimal: md5.finalize())
    self.sha1 = String(hexadecimal: sha1.finalize())
  }
}

/// The MD5 of contents in hexadecimal: what a Debian package lists of its files. It does not protect against anything.
package func md5Hex(of bytes: FileBytes) throws -> String {
  var md5 = Insecure.MD5()
  try bytes.forEachPiece { md5.update(bufferPointer: $0) }
  return String(hexadecimal: md5.finalize())
}

extension String {
  package init(hexadecimal bytes: some Sequence<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    var out: [UInt8] = []
    for byte in bytes {
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    }
    self = String(decoding: out, as: UTF8.self)
  }
}
