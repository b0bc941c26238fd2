// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import Model
import SystemPackage

/// What is put into a guest, and what it does there.
struct Guest: Sendable {
  /// The release of its kernel, as `uname -r` says it.
  var kernel: String
  /// The modules to load and unload.
  var modules: [String]
  /// The script that is run when they have been; nil for none.
  var smoke: [UInt8]?
  var qualify: Manifest.Qualify

  /// What the release or its manifest needs and the target does not have.
  struct Lack: Error { var reason: String }

  /// Collects modules and programs below /guest of a root, with what they need.
  ///
  /// Arguments: KERNEL, modules, `--`, modules of the kernel, `--`, programs. What a kernel has no module of is built in,
  /// or gone: then the script that needs it says so. The kernel's own folder of modules is where depmod finds them.
  private static let collect = """
    set -eu
    kernel=$1
    shift
    rm -rf /guest
    target=/guest/usr/lib/modules/$kernel
    mkdir -p "$target" /guest/usr/bin /guest/usr/sbin /guest/usr/lib64 /guest/etc/modprobe.d
    for folder in bin sbin lib lib64; do ln -s "usr/$folder" "/guest/$folder"; done

    # A file at its place, below /usr where the distribution still has it outside; links become what they point to.
    place() {
      folder=$(readlink -f "$(dirname "$1")")
      case $folder in /usr/* | /etc/*) ;; *) folder=/usr$folder ;; esac
      mkdir -p "/guest$folder"
      [ -e "/guest$folder/$(basename "$1")" ] || cp -L "$1" "/guest$folder/$(basename "$1")"
    }
    libraries() {
      ldd "$1" 2>/dev/null | sed -n -e 's|.*=> \\(/[^ ]*\\).*|\\1|p' -e 's|^[[:space:]]*\\(/[^ ]*\\) (.*|\\1|p'
    }

    depmod "$kernel"
    # A site's configuration may have a program in place of a module; here the module itself is wanted.
    depends() { modprobe -C /dev/null -S "$kernel" --show-depends "$1" >/tmp/depends 2>/tmp/complaint; }
    taken() { sed -n 's/^insmod \\([^ ]*\\).*/\\1/p' /tmp/depends >>/tmp/modules; }
    while [ "$1" != -- ]; do
      depends "$1" || { echo "the module $1: $(head -n 1 /tmp/complaint)" >&2; exit 1; }
      taken
      shift
    done
    shift
    while [ "$1" != -- ]; do
      ! depends "$1" || taken
      shift
    done
    shift
    sort -u /tmp/modules | while read -r module; do
      inner=${module#*/lib/modules/"$kernel"/}
      mkdir -p "$target/$(dirname "$inner")"
      cp -L "$module" "$target/$inner"
    done
    cp -L "/lib/modules/$kernel"/modules.builtin* "/lib/modules/$kernel"/modules.order "$target" 2>/dev/null || :
    depmod -b /guest "$kernel" 2>/dev/null

    for name in sh kmod "$@"; do
      case $name in
      *'*'*)
        for file in $name; do [ ! -e "$file" ] || place "$file"; done
        continue
        ;;
      /*) program=$name ;;
      *) program=$(command -v "$name") || program= ;;
      esac
      [ -e "$program" ] || { echo "the program $name is not in the target" >&2; exit 1; }
      place "$program"
      for library in $(libraries "$program"); do place "$library"; done
    done
    for name in modprobe insmod rmmod lsmod depmod modinfo; do ln -sf ../bin/kmod "/guest/usr/sbin/$name"; done
    [ -e /guest/usr/bin/kmod ] || ln -s ../sbin/kmod /guest/usr/bin/kmod
    """

  /// The first process of the guest. The shell of busybox takes its own programs before those of the target, so it only
  /// prepares.
  private static let initProgram = """
    #!/bin/busybox sh
    /bin/busybox mkdir -p /proc /sys /dev /tmp /run /mnt /root /var/tmp /busybox
    /bin/busybox mount -t proc proc /proc
    /bin/busybox mount -t sysfs sysfs /sys
    /bin/busybox mount -t devtmpfs devtmpfs /dev
    /bin/busybox --install -s /busybox
    export PATH=/usr/sbin:/usr/bin:/busybox HOME=/root TMPDIR=/tmp LC_ALL=C
    exec /usr/bin/sh /etc/steps </dev/null >/dev/console 2>&1
    """

  /// What is tried, for the shell of the target: what the target has goes before what busybox has.
  private static let steps = """
    report() { printf '%s\\n' "$*" >/dev/ttyS1; }
    ln -sf /proc/mounts /etc/mtab
    [ -e /usr/bin/bash ] || ln -sf sh /usr/bin/bash
    for module in $(cat /etc/kernel-modules); do modprobe "$module"; done
    ip link set lo up
    if [ -e /sys/class/net/eth0 ]; then
      ip address add 10.0.2.15/24 dev eth0
      ip link set eth0 up
    fi
    report ready
    [ -z "$(cat /etc/hook)" ] || sh /etc/hook

    begin() { step=$1; report begin "$step"; }
    pass() { report pass "$step"; }
    fail() { report fail "$step" "$*"; finish; }
    finish() { report end; sync; reboot -f; }

    loaded() { grep -q "^$1 " /proc/modules; }
    load() {
      for module in $modules; do
        modprobe "$module" 2>/tmp/complaint ||
          fail "$module: $(head -n 1 /tmp/complaint)"
        loaded "$module" || fail "$module is not loaded, and modprobe does not complain"
      done
    }
    # Each as soon as nothing uses it.
    unload() {
      tries=0
      while :; do
        left=
        for module in $all; do
          if loaded "$module"; then
            rmmod "$module" 2>/tmp/complaint || left="$left $module"
          fi
        done
        [ -n "$left" ] || return 0
        tries=$((tries + 1))
        [ $tries -lt 30 ] || fail "cannot be unloaded:$left: $(head -n 1 /tmp/complaint)"
        [ $tries -lt 5 ] || sleep 1
      done
    }

    modules=$(cat /etc/load)
    all=$modules
    begin load
    load
    pass
    begin unload
    unload
    pass
    if [ -e /etc/smoke ]; then
      begin smoke
      if sh /etc/smoke >/tmp/smoke.log 2>&1; then
        cat /tmp/smoke.log
      else
        status=$?
        cat /tmp/smoke.log
        fail "$(grep -m 1 -i -e '^failed' -e error -e cannot /tmp/smoke.log || tail -n 1 /tmp/smoke.log) (status $status)"
      fi
      pass
      step=unload-again
      report begin "$step"
      unload
      pass
    fi
    finish
    """

  /// Puts the guest together in a root in which the modules and programs are installed.
  ///
  /// - Parameter hook: a script that is run before the first step, to see what a fault leads to.
  /// - Returns: the release's kernel image, seen from outside.
  func write(
    to path: FilePath, from session: ChrootSession, hook: String = "", doing: String
  ) async throws -> FilePath {
    let outcome = try await session.run(
      ["sh", "-c", Self.collect, "collect", kernel] + modules + ["--"] + qualify.kernelModules + ["--"]
        + (smoke == nil ? [] : qualify.programs), doing: doing)
    guard outcome.succeeded else {
      let words = BuildLog(outcome.errors)
      if words.isOutOfSpace { throw ReleaseError(errno: ENOSPC, doing: doing) }
      throw Lack(reason: outcome.complaint)
    }
    var initramfs = try Initramfs()
    try initramfs.addAll(session.written("/guest"))
    try initramfs.add("init", Array(Self.initProgram.utf8))
    try initramfs.add("etc/steps", Array(Self.steps.utf8))
    try initramfs.add("usr/bin/busybox", try busybox(doing: doing))
    func text(_ lines: [String]) -> [UInt8] { Array(lines.map { $0 + "\n" }.joined().utf8) }
    try initramfs.add("etc/load", text(modules.map { $0.replacing("-", with: "_") }), mode: 0o644)
    try initramfs.add("etc/kernel-modules", text(qualify.kernelModules), mode: 0o644)
    try initramfs.add("etc/hook", Array(hook.utf8), mode: 0o644)
    try initramfs.add("etc/modprobe.d/qualify.conf", text(qualify.options), mode: 0o644)
    try initramfs.add("etc/passwd", text(["root:x:0:0:root:/root:/bin/sh"]), mode: 0o644)
    try initramfs.add("etc/group", text(["root:x:0:"]), mode: 0o644)
    if let smoke { try initramfs.add("etc/smoke", smoke) }
    try Files.remove(path)
    try initramfs.write(to: path)
    return try session.kernelImage(kernel, doing: doing)
  }

  /// The shell of a guest is this machine's: it is linked statically, and not every distribution has one.
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
      .failed, doing: doing, reason: "the root holds no image of the kernel \(kernel)",
      advice: "name the package that brings it as 'images' of the target")
  }
}
