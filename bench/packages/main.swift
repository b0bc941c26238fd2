// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Files
import Glibc
import Operations
import Packagers
import Releases
import SystemPackage

// Makes one package and nothing else, for bench/run to measure:
//
//   lrelease-bench deb TARBALL PACKAGE         as dpkg-deb --build does of a folder
//   lrelease-bench rpm TARBALL SPEC PACKAGE    as rpmbuild -bb does
//   lrelease-bench source RELEASE FOLDER       as rpmbuild -ts and dpkg-source -b do

let arguments = Array(CommandLine.arguments.dropFirst())
let date: Int64 = 1_700_000_000

/// The files as they are to stand on the target.
func packageFiles(_ files: ByPath<SourceFile>) -> [PackageFile] {
  files.map { path, file in
    PackageFile(path: "usr/src/bench-1/\(path)", content: file.content, mode: file.isExecutable ? 0o755 : 0o644)
  }
}

switch (arguments.first, arguments.count) {
case (RPMWorker.word, _):
  exit(RPMWorker.main(arguments: Array(arguments.dropFirst())))
case ("deb", 3):
  let files = try await ArchiveSource(path: FilePath(arguments[1])).readAll(progress: .silent)
  let package = DebPackage(
    name: "bench", version: "1",
    fields: [("Maintainer", "Bench <bench@example.org>"), ("Description", "bench")],
    files: packageFiles(files), sourceDate: date)
  try await package.write(to: FilePath(arguments[2]))
case ("rpm", 4):
  let files = try await ArchiveSource(path: FilePath(arguments[1])).readAll(progress: .silent)
  let spec = String(decoding: try Files.read(FilePath(arguments[2])), as: UTF8.self)
  let package = RPMPackage(spec: spec, files: packageFiles(files), sourceDate: date)
  try await package.write(to: FilePath(arguments[3]), name: "bench")
case ("source", 3):
  let released = try await Release(opening: FilePath(arguments[1]), progress: .silent)
  try await Cut.writeSourcePackages(released.tree, released.plan, tarball: released.tarball, to: FilePath(arguments[2]))
default:
  print("usage: lrelease-bench deb TARBALL PACKAGE | rpm TARBALL SPEC PACKAGE | source RELEASE FOLDER")
  exit(64)
}
