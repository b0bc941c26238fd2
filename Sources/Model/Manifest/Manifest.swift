// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc

/// What a release is made of, as its author wrote it. See `docs/manifest.md` for the reference.
package struct Manifest: Sendable {
  package var name: String
  /// The version with its placeholders, such as `{kernel}`.
  package var version: String
  package var summary: String
  package var description: String
  /// SPDX expression of the files that say nothing themselves and have no rule.
  package var license: String
  /// Holders of copyright beside those that files name, as `2001-2006 Example, Inc.`
  package var copyright: [String]
  /// Under which licences files are; the last that matches counts.
  package var licenceRules: [LicenceRule]
  package var homepage: String
  package var maintainer: String
  package var sources: [String: Source]
  package var rules: [TreeRule]
  package var generated: [GeneratedFile]
  package var prepare: [PrepareStep]
  package var extras: [String: Extra]
  package var packages: [Package]
  package var packaging: Packaging?
  package var qualify: Qualify
  package var audit: Audit?
  /// Families of kernels beside those that lrelease knows.
  package var ownFamilies: [KernelFamily]

  /// Where files of the release come from.
  package struct Source: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
      /// A Linux release: a tarball named after the kernel release below a URL or folder.
      case kernel
      /// A git repository, bare or not, read at `ref`.
      case git
      /// A folder, relative to the manifest.
      case folder
      /// A tarball of any kind, such as an earlier release.
      case archive
    }
    package var kind: Kind
    package var place: String
    package var ref: String?
    /// Its own version, as the manifest states it.
    package var version: String?
    /// Where its own version stands.
    package var versionFrom: VersionFrom?
    package var sha256: SHA256Digest?
    package var keyring: String?
    package var signers: [String]
    /// Signatures over SHA-1 count too.
    package var allowsSHA1: Bool
    package var series: String?
    /// Seconds since 1970; for a folder, or a tarball in the manifest, whose files have no reliable times.
    package var date: Int64?
    package var location: SourceLocation
  }

  /// Where to find the version of a source: in its tag, or in one of its files.
  package struct VersionFrom: Sendable {
    /// Patterns for the tag, if a tag is read; the first that matches counts.
    package var tags: [VersionPattern]
    /// A file of the source, and the line of it; both or neither.
    package var file: String?
    package var line: VersionPattern?
    package var location: SourceLocation

    package func version(ofTag tag: String) -> String? {
      tags.lazy.compactMap { $0.version(inTag: tag) }.first
    }
  }

  /// Files of a source and where they go in the release.
  package struct TreeRule: Sendable {
    package var source: String
    /// A file or a folder of the source; empty for all of it.
    package var from: String
    package var to: String
    package var include: [Glob]
    package var exclude: [Glob]
    package var rename: [String: String]
    package var isOverlay: Bool
    /// Of `from`.
    package var location: SourceLocation

    package init(
      source: String, from: String, to: String, include: [Glob], exclude: [Glob], rename: [String: String],
      isOverlay: Bool, location: SourceLocation
    ) {
      self.source = source
      self.from = from
      self.to = to
      self.include = include
      self.exclude = exclude
      self.rename = rename
      self.isOverlay = isOverlay
      self.location = location
    }

    package var text: String { "\(source):\(from)" }

    /// The files of a source that match one of the patterns, at their own places.
    package static func taking(_ patterns: [Glob]) -> TreeRule {
      TreeRule(
        source: "", from: "", to: "", include: patterns, exclude: [], rename: [:], isOverlay: false,
        location: SourceLocation(file: "", line: 1, column: 1))
    }

    package func matchesNothing(_ advice: String? = nil) -> ReleaseError {
      ReleaseError(
        .source, at: location, doing: "", reason: "the rule from \(text) matches no file",
        advice: advice ?? "correct 'from', 'include' or 'exclude', or take the rule out")
    }

    /// The path in the release for a file of the source; nil if the rule does not take it.
    package func destination(of path: String) -> String? {
      guard let relative = path.inner(of: from) else { return nil }
      if !relative.isEmpty {
        if !include.isEmpty && !include.contains(where: { $0.matches(relative) }) { return nil }
        if exclude.contains(where: { $0.matches(relative) }) { return nil }
      }
      let renamed = rename.first { $0.key.isSameInBytes(relative) }?.value ?? relative
      // A single file without 'to' keeps its name, at the top.
      if to.isEmpty { return renamed.isEmpty ? from.pathParts.last.map(String.init) : renamed }
      return renamed.isEmpty ? to : "\(to)/\(renamed)"
    }

    /// The path in the source for a file of the release, the inverse; nil if the file does not come from this rule.
    package func source(of path: String) -> String? {
      guard let inner = path.inner(of: to) else { return nil }
      let named = rename.filter { $0.value.isSameInBytes(inner) }.keys.sorted() + [inner]
      let places = named.map { $0.isEmpty ? from : from.isEmpty ? $0 : "\(from)/\($0)" }
      return (places + [from]).first { destination(of: $0)?.isSameInBytes(path) == true }
    }
  }

  /// A licence that applies to some files, whatever they say themselves.
  package struct LicenceRule: Sendable {
    package var paths: [Glob]
    /// SPDX expression.
    package var expression: String
    /// Why it differs from what the files say, or why they stay although their licence is incompatible with the rest.
    package var why: String?
    /// A file beside the manifest with the text of the licence.
    package var text: String?
    package var copyright: [String]
    package var location: SourceLocation

    package func matches(_ path: String) -> Bool { paths.contains { $0.matches(path) } }
  }

  /// What an audit looks for.
  package struct Audit: Sendable {
    /// What belongs to mainline, as rules from the kernel tree; empty if the rules of a kernel source say it.
    package var upstream: [TreeRule]
    /// The compatibility layer: its files, and the names by which `#include` gets them.
    package var compat: [Glob]
    package var includes: [Glob]
    package var probes: Probes?
    package var build: Build?
    package var location: SourceLocation

    /// Macros that say what the present kernel offers.
    package struct Probes: Sendable {
      package var prefix: String
      /// Input of autoconf, and headers.
      package var defined: [Glob]
      /// `probes/guard.c` defines HAVE_GUARD.
      package var files: [Glob]
      /// Prefix in results → prefix in the code.
      package var aliases: [String: String]
    }

    /// What the upstream part needs to be built in a kernel tree.
    package struct Build: Sendable {
      package var options: [String]
      package var includes: [String]
    }
  }

  /// A file made from a template beside the manifest.
  package struct GeneratedFile: Sendable {
    package var path: String
    package var template: String
    package var isExecutable: Bool
    package var isOverlay: Bool
    package var location: SourceLocation
  }

  /// A command that runs in the assembled tree, such as `sh autogen.sh`, and whose new files become part of the
  /// release.
  package struct PrepareStep: Sendable {
    package var run: [String]
    /// Programs whose versions decide the outcome; they are recorded and pinned.
    package var tools: [String]
    /// The files that it sees; all of the tree where there are none.
    package var inputs: [Glob]
    package var exclude: [Glob]
    package var location: SourceLocation
  }

  /// Code that a release can hold and does not hold by default.
  package struct Extra: Sendable {
    package var summary: String
    /// SPDX expression of its files that say nothing themselves and have no rule.
    package var license: String
    /// Holders of copyright of its files, where they are others than those of the manifest.
    package var copyright: [String]
    package var rules: [TreeRule]
    package var generated: [GeneratedFile]
    package var series: String?
    package var configure: [String]
    package var modules: [Module]
    /// Other extras that must be chosen too.
    package var needs: [String]
    /// Other extras that must not.
    package var conflicts: [String]
    /// Packages that it makes every .deb and every .rpm depend on.
    package var debDepends: [String]
    package var rpmDepends: [String]
    /// Packages that are made only with it; only they hold its files.
    package var packages: [Package]
    /// Kernels that every package supports with it, beside its own.
    package var kernels: Kernels?
    package var location: SourceLocation
  }

  /// A kernel module that a package builds.
  package struct Module: Sendable {
    package var name: String
    /// The folder of the tree in which it is built.
    package var path: String
    /// The folder below the kernel's modules where it is installed.
    package var install: String
    /// It has its own MODULE_VERSION, not that of the release.
    package var hasOwnVersion = false
    /// What a site must have for it, in the words that the package's `conditions` print; nil where every site builds it.
    package var condition: String?
  }

  /// A package to make.
  package struct Package: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
      /// Source code, from which dkms builds modules where the package is installed.
      case dkms
    }
    package var kind: Kind
    /// The extra that it belongs to.
    package var extra: String?
    package var variant: String
    package var module: String
    package var summary: String
    package var description: String
    package var include: [Glob]
    package var exclude: [Glob]
    package var files: [GeneratedFile]
    package var modules: [Module]
    package var kernels: Kernels
    package var architectures: String?
    package var probe: String?
    /// Files and folders of the tree that decide what the probe finds; empty for all.
    package var probeInputs: [String]
    package var make: String
    /// Script of the tree that prints what a site has.
    package var conditions: String?
    /// Modules of dkms that are built before these where a site has them.
    package var buildDepends: [String]
    /// Whether dkms strips debug information from the modules.
    package var strips: Bool
    /// Files of the build folder that stay beside the modules that dkms has built.
    package var keep: [String]
    package var configure: [String]
    package var deb: Relations?
    package var rpm: Relations?
    package var location: SourceLocation

    /// nil when it is not made in this format.
    package func relations(_ format: Target.Format) -> Relations? {
      switch format {
      case .deb: deb
      case .rpm: rpm
      }
    }
  }

  /// The packaging with which a release builds itself, using the distributions' own tools.
  package struct Packaging: Sendable {
    /// The folder that becomes `debian/`.
    package var debian: String
    /// The spec that becomes `<name>.spec`.
    package var spec: String
    package var packages: [BuiltPackage]
    package var location: SourceLocation
    package var debianLocation: SourceLocation
    package var specLocation: SourceLocation
  }

  /// A package that is made when the release builds itself, such as its programs, and not when it is cut. It has one name
  /// at least.
  package struct BuiltPackage: Sendable {
    package var rpm: String?
    package var deb: String?
    /// The DKMS package with whose files it is made as well.
    package var variant: String?
    /// What it is made of, of the release.
    package var files: [Glob]
    package var exclude: [Glob]
    package var location: SourceLocation

    /// Its names, for people.
    package var names: String { Set([rpm, deb].compactMap { $0 }).sorted().joined(separator: ", ") }
  }

  /// The name of a package in one format, and its relations to others.
  package struct Relations: Sendable {
    package var name: String
    package var recipe: String
    package var recipeLocation: SourceLocation
    package var depends: [String]
    package var recommends: [String]
    package var provides: [String]
    package var conflicts: [String]
    package var replaces: [String]
    /// Configuration on the target: `path` is absolute there.
    package var etc: [GeneratedFile]
    package var location: SourceLocation
  }
}

extension Manifest {
  /// Extras in the order in which they are applied, in whatever order they were given: by name, after those that they
  /// need.
  package func ordered(_ chosen: [String]) -> [String] {
    var rest = Set(chosen).sortedByBytes()
    var ordered: [String] = []
    // Where extras need each other, the first by name begins.
    while let next = rest.first(where: { name in extras[name]?.needs.allSatisfy { !rest.contains($0) } ?? true })
      ?? rest.first
    {
      ordered.append(next)
      rest.removeAll { $0 == next }
    }
    return ordered
  }

  /// The tree rules of extras.
  package func rules(of extras: [String]) -> [TreeRule] { extras.flatMap { self.extras[$0]?.rules ?? [] } }

  /// The files that extras make from templates.
  package func generated(of extras: [String]) -> [GeneratedFile] { extras.flatMap { self.extras[$0]?.generated ?? [] } }

  /// Whether a file of the release is one of an extra: one that it makes, that a rule of it takes, or that a patch or a step
  /// adds in a folder of it. What another source brings into such a folder is not.
  package func holds(_ path: String, _ origin: Origin, extra: Extra) -> Bool {
    if extra.generated.contains(where: { $0.path.isSameInBytes(path) }) { return true }
    let isMade = sources[origin.source] == nil && !generated.contains { $0.path.isSameInBytes(path) }
    return extra.rules.contains { rule in
      let isItsSource = rule.source == origin.source
      if isItsSource, let place = origin.path, rule.destination(of: place)?.isSameInBytes(path) == true { return true }
      return (isMade || isItsSource && origin.patches != nil) && !rule.to.isEmpty && path.inner(of: rule.to) != nil
    }
  }

  /// The packages of a release that is made with these extras.
  package func packages(with extras: [String]) -> [Package] {
    packages + extras.flatMap { self.extras[$0]?.packages ?? [] }
  }

  /// The extras that add to a package; none add to an extra's own package.
  package func extras(_ chosen: [String], addingTo package: Package) -> [Extra] {
    package.extra == nil ? chosen.compactMap { extras[$0] } : []
  }

  /// What a package builds in a release that is made with these extras.
  package func modules(of package: Package, with extras: [String]) -> [Module] {
    package.modules + self.extras(extras, addingTo: package).flatMap(\.modules)
  }
}
