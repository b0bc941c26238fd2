// SPDX-License-Identifier: GPL-2.0-only

/// A tag object: the object that it names, and its signature.
struct GitTag {
  /// The tagged object, and its type.
  let object: String
  let type: String
  /// The signed name of the tag. The ref that leads to it may have another name.
  let name: String
  /// The signed text.
  let payload: [UInt8]
  let signature: Signature?

  enum Signature: Equatable {
    case openPGP([UInt8])
    case ssh
    case x509
    /// It is unclear what is signed.
    case malformed(String)
  }

  private static let marks: [(begin: String, end: String)] = [
    ("-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"),
    ("-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----"),
    ("-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"),
    ("-----BEGIN SIGNED MESSAGE-----", "-----END SIGNED MESSAGE-----"),
  ]

  /// nil if it is not a tag object. Source: git's parse_signed_buffer() and remove_signature().
  init?(_ bytes: [UInt8]) {
    var headers: [String] = []
    var payload: [UInt8] = []
    var rest = bytes[...]
    var isOfSignature = false
    while let line = GitTag.line(&rest), line.count > 1 {
      // The signature for git's other object format is in a header, which is not signed.
      isOfSignature = line.starts(with: "gpgsig".utf8) || isOfSignature && line.first == 0x20
      if !isOfSignature { payload += line }
      headers.append(String(decoding: line.dropLast(), as: UTF8.self))
    }
    func value(_ number: Int, _ key: String) -> String? {
      headers.count > number && headers[number].hasPrefix("\(key) ")
        ? String(headers[number].dropFirst(key.count + 1)) : nil
    }
    guard let object = value(0, "object"), let type = value(1, "type"), let name = value(2, "tag") else { return nil }
    self.object = object
    self.type = type
    self.name = name
    guard payload.count < bytes.count else {
      self.payload = payload
      signature = nil
      return
    }
    payload.append(0x0a)
    let (message, signature) = GitTag.split(rest)
    self.payload = payload + message
    self.signature = signature
  }

  /// The message of a tag, and the signature that follows it.
  private static func split(_ body: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, Signature?) {
    var rest = body
    var begins: [(place: Int, mark: (begin: String, end: String))] = []
    var end: Int?
    while !rest.isEmpty {
      let place = rest.startIndex
      guard let line = line(&rest) else { break }
      if let mark = marks.first(where: { line.starts(with: $0.begin.utf8) }) {
        begins.append((place, mark))
      } else if let mark = begins.last?.mark, line.starts(with: mark.end.utf8) {
        end = rest.startIndex
      }
    }
    guard let (place, mark) = begins.first else { return (body, nil) }
    let message = body[..<place]
    guard begins.count == 1 else { return (message, .malformed("it holds \(begins.count) signatures")) }
    guard let end, end > place else { return (message, .malformed("its signature has no end")) }
    guard body[end...].allSatisfy({ [0x09, 0x0a, 0x0d, 0x20].contains($0) }) else {
      return (message, .malformed("text follows its signature, which nobody signed"))
    }
    switch mark.begin.utf8.dropFirst(11).first {
    case UInt8(ascii: "P"): return (message, .openPGP(Array(body[place..<end])))
    default: return (message, mark.begin.contains("SSH") ? .ssh : .x509)
    }
  }

  /// The next line with its end.
  private static func line(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard !rest.isEmpty else { return nil }
    let end = rest.firstIndex(of: 0x0a).map { $0 + 1 } ?? rest.endIndex
    defer { rest = rest[end...] }
    return rest[..<end]
  }
}
