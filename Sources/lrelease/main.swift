// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import Packagers

if CommandLine.arguments.dropFirst().first == RPMWorker.word {
  exit(RPMWorker.main(arguments: Array(CommandLine.arguments.dropFirst(2))))
}
print("hi")
