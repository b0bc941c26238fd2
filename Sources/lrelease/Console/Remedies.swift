// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What libraries advise, in the words of the command line.
enum Remedies {
  static func words(for remedy: any Remedy) -> String {
    switch remedy {
    case let remedy as SystemRemedy: words(remedy)
    default: remedy.words ?? ""
    }
  }

  private static func words(_ remedy: SystemRemedy) -> String {
    switch remedy {
    case .freeSpace: "free some space there, or write elsewhere (--output, and TMPDIR for work in progress)"
    case .chooseWritableFolder: "choose a folder that can be written (--output, and TMPDIR for work in progress)"
    }
  }
}
