// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// The output of make, a compiler, dkms or a package manager.
struct CommandLog {
  let lines: [String]
  /// Whether the disk was full: the program that failed may report something else.
  private let diskWasFull: Bool

  init(_ text: String, diskWasFull: Bool = false) {
    self.diskWasFull = diskWasFull
    lines = text.split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }
  }

  /// The line that says why it failed: the first error of the compiler, else of modpost, else of a script.
  var firstError: String? {
    let marks: [(String) -> Bool] = [
      { $0.contains(": error: ") || $0.contains(": fatal error: ") },
      { $0.hasPrefix("ERROR: modpost") || $0.contains("undefined!") },
      // Messages of the package itself.
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

  /// A full disk of this machine is not the fault of the release.
  var isOutOfSpace: Bool {
    // Messages of the C library, apt and dnf.
    let words = ["No space left on device", "enough free space", "more space needed on the"]
    return diskWasFull || lines.contains { line in words.contains { line.contains($0) } }
  }

  /// Removes the build folder of dkms.
  private static func short(_ line: String) -> String {
    guard let start = line.firstRange(of: "/var/lib/dkms/"),
      let end = line[start.upperBound...].firstRange(of: "/build/")
    else { return line }
    return String(line[..<start.lowerBound]) + line[end.upperBound...]
  }
}
