// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

extension Manifest {
  /// What is tried on a booted kernel: `[qualify]`. See docs/qualification.md.
  package struct Qualify: Sendable {
    /// A script of the tree that is run in the guest when the modules have been loaded and unloaded.
    package var smoke: String?
    /// The variants that the script is for; empty for all but those of extras.
    package var variants: [String]
    /// Binary packages of the release that the guest's programs come from, by format.
    package var debPackages: [String]
    package var rpmPackages: [String]
    /// Programs and further files of the target that the script needs, as names on the PATH or absolute paths.
    package var programs: [String]
    /// Modules of the kernel itself that the script needs.
    package var kernelModules: [String]
    /// Lines for modprobe.d in the guest.
    package var options: [String]
    /// MiB.
    package var memory: Int
    /// How long the script may take, where the guest has hardware virtualisation; without it, ten times that.
    package var seconds: Int
    /// Lines of the kernel's log with which the release's own modules complain.
    package var faults: [ExtendedExpression]
    /// Messages of compilers and kernels, with the kernel change behind them.
    package var known: [KnownChange]
    /// How a service of this project and a client of it are tried in two guests; nil if it has none.
    package var pair: Pair?

    /// Whether the script is for a package.
    package func covers(_ package: Package) -> Bool {
      variants.isEmpty ? package.extra == nil : variants.contains(package.variant)
    }

    /// The binary packages of a format.
    package func packages(_ format: Target.Format) -> [String] {
      switch format {
      case .deb: debPackages
      case .rpm: rpmPackages
      }
    }

    /// What two guests on one network do: one runs a service, the other uses it.
    package struct Pair: Sendable, Equatable {
      /// A script of the tree that starts and stops the service.
      package var service: String
      /// The package whose modules the guest of the service has.
      package var serviceVariant: String
      /// A script of the tree that uses the service.
      package var client: String
      package var clientVariant: String
    }

    /// A kernel change, recognised by the error that it causes.
    package struct KnownChange: Sendable, Equatable {
      /// A part of the message.
      package var error: String
      package var change: String
    }

    /// Nothing but loading and unloading.
    package static let plain = Qualify(
      smoke: nil, variants: [], debPackages: [], rpmPackages: [], programs: [], kernelModules: [], options: [],
      memory: 512, seconds: 60, faults: [], known: [], pair: nil)

    /// The kernel change behind a message, if the manifest knows it.
    package func change(behind message: String) -> String? {
      known.first { message.contains($0.error) }?.change
    }
  }
}

extension Manifest.Qualify {
  init?(_ table: inout TableReader) {
    let plain = Manifest.Qualify.plain
    smoke = table.optional(
      "smoke", .plainPath, "script of the tree that is run in the guest when the modules have been loaded")
    variants = table.optional(
      "variants", .array(.packageName), default: [],
      "variants that the script is for; all but those of extras when it is left out")
    debPackages = table.optional(
      "deb-packages", .array(.packageName), default: [],
      "binary packages of the release that the guest's programs come from")
    rpmPackages = table.optional("rpm-packages", .array(.word), default: [], "the same for RPM distributions")
    programs = table.optional(
      "programs", .array(.place), default: [],
      "programs and files of the target that the script needs: names on the PATH, or paths")
    kernelModules = table.optional(
      "kernel-modules", .array(.moduleName), default: [], "modules of the kernel itself that the script needs")
    options = table.optional("options", .array(.place), default: [], "lines for modprobe.d in the guest")
    memory = table.optional(
      "memory", .integer(64...65536), default: plain.memory, "memory of the guest in MiB; 512 when it is left out")
    seconds = table.optional(
      "seconds", .integer(1...86400), default: plain.seconds,
      "how long the script may take, with hardware virtualisation")
    faults = table.optional(
      "faults", .array(.extendedExpression), default: [],
      "extended regular expressions for lines of the kernel's log with which the modules themselves report a fault")
    known = table.optional(
      "known", .array(.table { KnownChange(&$0) }), default: [],
      "what is known of kernel changes that make it fail")
    pair = table.optional(
      "pair", .table { Pair(&$0) },
      "how a service and a client, of two releases, are tried in two guests on one network")
  }
}

extension Manifest.Qualify.Pair {
  fileprivate init?(_ table: inout TableReader) {
    let service = table.required(
      "service", .plainPath, "script of the tree that starts and stops the service: it is given 'start' or 'stop'")
    let serviceVariant = table.required(
      "service-variant", .packageName, "variant whose modules the guest of the service has")
    let client = table.required(
      "client", .plainPath, "script of the tree that uses the service: it is given the address of the service's guest")
    let clientVariant = table.required(
      "client-variant", .packageName, "variant whose modules the guest of the client has")
    guard let service, let serviceVariant, let client, let clientVariant else { return nil }
    self.init(service: service, serviceVariant: serviceVariant, client: client, clientVariant: clientVariant)
  }
}

extension Manifest.Qualify.KnownChange {
  fileprivate init?(_ table: inout TableReader) {
    let error = table.required("error", .place, "part of the message of a compiler or kernel")
    let change = table.required("change", .place, "the kernel change behind it")
    guard let error, let change else { return nil }
    self.init(error: error, change: change)
  }
}

extension Shape where Value == ExtendedExpression {
  fileprivate static var extendedExpression: Shape {
    Shape {
      .string(#"^(?!.*\\[1-9])[^{\#(PlainText.controls)]+$"#)
    } read: { node, path, findings in
      let text = Shape<String>.place.read(node, path, &findings)
      guard let text else { return nil }
      return ExtendedExpression(text)
        ?? Shape.string("an extended regular expression (\(ExtendedExpression.problem(in: text) ?? ""))", "") { _ in nil
        }
        .read(node, path, &findings)
    }
  }
}
