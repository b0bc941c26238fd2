// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import Model
import Processes
import SystemPackage

/// What a guest is for. The scripts of guests know these words.
enum GuestRole: String, Sendable {
  case alone
  /// Two guests on one network.
  case service, client

  /// On its network.
  var address: String { self == .client ? "10.0.2.16" : "10.0.2.15" }

  /// The other guest of the pair.
  var other: GuestRole? {
    switch self {
    case .alone: nil
    case .service: .client
    case .client: .service
    }
  }
}

/// The contents of a guest, and what it runs.
struct Guest: Sendable {
  /// The release of its kernel, as `uname -r` prints it.
  var kernel: String
  /// The modules to load and unload.
  var modules: [String]
  var role: GuestRole
  /// The script that runs after the modules are loaded; nil for none.
  var script: [UInt8]?
  var qualify: Manifest.Qualify
  /// The script that loads and unloads them, and runs `script`.
  var steps: [UInt8]

  /// What its reports begin with, which only this guest is given.
  let mark = String(hexadecimal: (0..<8).map { _ in UInt8.random(in: 0...255) })

  /// The names of its steps in their order.
  var stepNames: [String] {
    switch role {
    case .alone: ["load", "unload"] + (script == nil ? [] : ["smoke", "unload-again"])
    case .service: ["load", "start", GuestMeeting.wait, "stop", "unload"]
    case .client: ["load", GuestMeeting.wait, "client", "unload"]
    }
  }

  /// The steps that run a script of the manifest.
  static let scripts = ["smoke", "start", "client", "stop"]

  /// Something that the release or its manifest needs and the target lacks.
  struct MissingRequirement: Error { var reason: String }

  /// Assembles the guest in a chroot in which the modules and programs are installed.
  ///
  /// - Returns: the path of the kernel image, seen from outside the chroot.
  func write(to path: FilePath, from session: ChrootSession, doing: String) async throws -> FilePath {
    let collect = Script(PackageResources.collect_sh).text
    let outcome = try await session.run(
      ["sh", "-c", collect, "collect", kernel] + modules + ["--"] + qualify.kernelModules + ["--"]
        + (script == nil ? [] : qualify.programs), doing: doing)
    guard outcome.succeeded else {
      let words = CommandLog(outcome.errors)
      if words.isOutOfSpace { throw ReleaseError(errno: ENOSPC, doing: doing) }
      throw MissingRequirement(reason: outcome.complaint)
    }
    var initramfs = try Initramfs()
    try initramfs.addAll(session.written("/guest"))
    try initramfs.add("init", PackageResources.init_sh)
    try initramfs.add("etc/steps", steps)
    try initramfs.add("usr/bin/busybox", try busybox(doing: doing))
    func text(_ lines: [String]) -> [UInt8] { Array(lines.map { $0 + "\n" }.joined().utf8) }
    try initramfs.add("etc/mark", text([mark]), mode: 0o600)
    try initramfs.add("etc/role", text(["\(role.rawValue) \(role.address) \(role.other?.address ?? "")"]), mode: 0o644)
    try initramfs.add("etc/load", text(modules.map { $0.replacing("-", with: "_") }), mode: 0o644)
    try initramfs.add("etc/kernel-modules", text(qualify.kernelModules), mode: 0o644)
    try initramfs.add("etc/modprobe.d/qualify.conf", text(qualify.options), mode: 0o644)
    try initramfs.add("etc/passwd", text(["root:x:0:0:root:/root:/bin/sh"]), mode: 0o644)
    try initramfs.add("etc/group", text(["root:x:0:"]), mode: 0o644)
    if let script { try initramfs.add("etc/script", script) }
    try Files.remove(path)
    try initramfs.write(to: path)
    return try session.kernelImage(kernel, doing: doing)
  }

  /// The shell of a guest comes from this machine: it is linked statically, and not every distribution has one.
  private func busybox(doing: String) throws -> [UInt8] {
    let path = FilePath("/bin/busybox")
    guard Files.exists(path) else {
      throw ReleaseError(
        .missingTool, doing: doing, reason: "there is no \(path)", advice: "on Debian: apt-get install busybox-static")
    }
    return try Files.read(path)
  }
}

extension ChrootSession {
  /// The image of an installed kernel.
  fileprivate func kernelImage(_ kernel: String, doing: String) throws -> FilePath {
    let places = ["/boot/vmlinuz-\(kernel)", "/usr/lib/modules/\(kernel)/vmlinuz", "/lib/modules/\(kernel)/vmlinuz"]
    for place in places {
      if let path = found(place) { return path }
    }
    throw ReleaseError(
      .failed, doing: doing, reason: "the chroot has no image of the kernel \(kernel)",
      advice: "name the package that brings it as 'images' of the target")
  }
}
