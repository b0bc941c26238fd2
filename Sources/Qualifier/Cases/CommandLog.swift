// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What make, a compiler, dkms or a package manager has written.
struct CommandLog {
  let lines: [String]
  /// Whether the disk was seen to be full meanwhile: what fails for that may say something else altogether.
  private let diskWasFull: Bool

  init(_ text: String, diskWasFull: Bool = false) {
    self.diskWasFull = diskWasFull
    lines = text.split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }
  }

  /// The line that says why it failed: the compiler's first error, else modpost's, else what a script said.
  var firstError: String? {
    let marks: [(String) -> Bool] = [
      { $0.contains(": error: ") || $0.contains(": fatal error: ") },
      { $0.hasPrefix("ERROR: modpost") || $0.contains("undefined!") },
      // What the package itself says.
      { $0.contains(": the modules ") && $0.contains(" could not be ") },
      { $0.contains(": cannot ") || $0.contains("No such file or directory") && !$0.hasPrefix("grep:") },
      { $0.hasPrefix("make") && $0.contains("***") },
      { $0.hasPrefix("E: ") || $0.hasPrefix("Error!") || $0.lowercased().hasPrefix("error:") },
    ]
    for mark in marks {
      if let line = lines.first(where: mark) { return CommandLog.short(line) }
    }
    return nil
  }

  /// The disk of this machine is no fault of a release.
  var isOutOfSpace: Bool {
    // What the C library, apt and dnf say.
    let words = ["No space left on device", "enough free space", "more space needed on the"]
    return diskWasFull || lines.contains { line in words.contains { line.contains($0) } }
  }

  /// Without the folder in which dkms has built.
  private static func short(_ line: String) -> String {
    guard let start = line.firstRange(of: "/var/lib/dkms/"),
      let end = line[start.upperBound...].firstRange(of: "/build/")
    else { return line }
    return String(line[..<start.lowerBound]) + line[end.upperBound...]
  }
}
