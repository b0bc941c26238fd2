// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc

/// Kernels whose releases are numbered alike, and which change together: those of kernel.org, those of EL 9.
///
/// A plan holds the families that it was made with, so that it says the same to a later lrelease that knows more of them.
package struct KernelFamily: Sendable, Equatable, Codable {
  /// What manifests and messages call it.
  package var name: String
  /// An extended regular expression that its releases match, as `uname -r` prints them. Those of kernel.org match none.
  package var release: String
  /// How many numbers say which kernels are of one line: 2 in 6.12, 4 in 5.14.0-611.
  package var line: Int
  /// What a package says about kernels of kernel.org holds for these, unless it says something about them.
  package var follows: Bool

  package init(_ name: String, _ release: String, line: Int, follows: Bool = false) {
    self.name = name
    self.release = release
    self.line = line
    self.follows = follows
  }

  package static let mainline = KernelFamily("mainline", "^", line: 2, follows: true)

  /// The first that a release is one of; kernels of kernel.org are all others, whatever a site appends to the number.
  package static func family(of release: String, among families: [KernelFamily]) -> KernelFamily {
    families.first { matches(release, $0.release) } ?? .mainline
  }

  /// The numbers of a release that this family compares; nil for what is no release.
  package func numbers(of release: String) -> [Int]? {
    KernelBuild.numbers(of: release, dashes: name != Self.mainline.name)
  }

  /// The line that a build is one of.
  package func line(of numbers: [Int]) -> [Int] {
    Array((numbers + Array(repeating: 0, count: max(0, line - numbers.count))).prefix(line))
  }

  /// What is wrong with an expression, as the C library, bash and grep read it; nil for nothing. It stands in quotes in
  /// scripts, and on one line.
  package static func fault(of expression: String) -> String? {
    let allowed = expression.utf8.allSatisfy { PlainText.isPlain($0, "_^$|().*+?[]-") }
    guard allowed, (1...200).contains(expression.utf8.count) else {
      return "it may hold letters, digits and '_^$|().*+?[]-', up to 200 of them"
    }
    var compiled = regex_t()
    let code = regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB)
    defer { if code == 0 { regfree(&compiled) } }
    guard code != 0 else { return nil }
    var words = [CChar](repeating: 0, count: 200)
    regerror(code, &compiled, &words, words.count)
    return String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// As grep -E does; a text that is no expression matches nothing.
  private static func matches(_ text: String, _ expression: String) -> Bool {
    var compiled = regex_t()
    guard regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB) == 0 else { return false }
    defer { regfree(&compiled) }
    return regexec(&compiled, text, 0, nil, 0) == 0
  }
}

extension KernelFamily {
  /// The families that lrelease knows. The first that matches counts, so those whose releases are also like another's come
  /// first.
  ///
  /// Those that follow carry the kernels of kernel.org with few changes. EL, SLES, Ubuntu and others bring later code into
  /// an older number: what is known about 6.12 says nothing about 6.12.0-55.el10.
  package static let known: [KernelFamily] = [
    // Built for EL, out of kernel.org.
    KernelFamily("elrepo", "[.]el[0-9]+[.]elrepo([.]|$)", line: 2, follows: true),
    // Oracle's own kernels.
    KernelFamily("uek", "[.]el[0-9]+uek([.]|$)", line: 4),
    KernelFamily("el7", "[.]el7([^0-9].*)?$", line: 4),
    KernelFamily("el8", "[.]el8([^0-9].*)?$", line: 4),
    KernelFamily("el9", "[.]el9([^0-9].*)?$", line: 4),
    KernelFamily("el10", "[.]el10([^0-9].*)?$", line: 4),
    KernelFamily("el11", "[.]el11([^0-9].*)?$", line: 4),
    KernelFamily("fedora", "[.]fc[0-9]+([.]|$)", line: 2, follows: true),
    KernelFamily("amazon", "[.]amzn[0-9]+([.]|$)", line: 2),
    KernelFamily("openeuler", "[.]oe[0-9]+(sp[0-9]+)?([.]|$)", line: 4),
    KernelFamily("kylin", "[.]ky[0-9]+([.]|$)", line: 4),
    KernelFamily("anolis", "[.](an|al)[0-9]+([.]|$)", line: 4),
    KernelFamily("tencentos", "[.](tl|tlinux)[0-9]+([.]|$)", line: 4),
    KernelFamily("azurelinux", "[.](azl|cm)[0-9]+([.]|$)", line: 2, follows: true),
    KernelFamily("photon", "[.]ph[0-9]+(-|[.]|$)", line: 2, follows: true),
    // 150700.53 is the seventh service pack of 15; before the third, the numbers were others.
    KernelFamily(
      "sles15",
      "-150[0-9]00[.][0-9]|^(4[.]12[.]14-(150|197)[.][0-9.]+|5[.]3[.]18-[0-9.]+)-(default|preempt|azure|rt)", line: 4),
    KernelFamily("sles16", "-160[0-9]00[.][0-9]", line: 4),
    KernelFamily("sles12", "^(4[.]4[.][0-9]+|4[.]12[.]14)-[0-9.]+-(default|azure|rt|xen)", line: 4),
    // Tumbleweed.
    KernelFamily(
      "opensuse", "^[0-9]+[.][0-9]+[.][0-9]+-[0-9][0-9.a-g]*-(default|debug|kvmsmall|pae|vanilla|64kb|longterm|rt)$",
      line: 2, follows: true),
    KernelFamily("proxmox", "^[0-9]+[.][0-9]+[.][0-9]+-[0-9]+(-bpo[0-9]+)?-pve(-signed)?$", line: 2),
    // Longterm and stable kernels; only what Debian itself appends is taken for Debian's.
    KernelFamily(
      "debian",
      "-(amd64|arm64|686|armmp|s390x|powerpc|powerpc64|powerpc64le|riscv64|mips64el|loong64)(-[a-z0-9]+)*$",
      line: 2, follows: true),
    // Builds of kernel.org by Ubuntu begin with a zero.
    KernelFamily(
      "ubuntu",
      "^[0-9]+[.][0-9]+[.][0-9]+-[1-9][0-9]*-(generic|lowlatency|aws|azure|gcp|gke|gkeop|oracle|ibm|kvm|nvidia"
        + "|oem|raspi|realtime|intel|xilinx|server|virtual|fips|bluefield)",
      line: 3),
  ]
}
