// SPDX-License-Identifier: GPL-2.0-only

import Model

extension Manifest.Module {
  /// The folder below the kernel's modules, as dkms.conf says it.
  var place: String { install.isEmpty ? "/updates/dkms" : install }
}

// The modules of a package in dkms.conf, which only some sites build in part.
extension DKMSPackage {
  /// The modules that every site builds.
  package var unconditional: [Manifest.Module] { modules.filter { $0.condition == nil } }

  /// The names of the others, each once, in their order.
  package var conditionalNames: [String] {
    modules.filter { $0.condition != nil }.map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// Which modules dkms builds, and before them those of other packages. dkms forgets the arrays before each reading.
  var moduleLines: [String] {
    var lines: [String] = []
    for (index, module) in unconditional.enumerated() { lines += Self.lines(module, "\(index)") }
    for name in conditionalNames { lines += conditionalLines(name) }
    for needed in package.buildDepends {
      lines.append("[[ ! -d ${dkms_tree-}/\(needed) ]] || BUILD_DEPENDS[${#BUILD_DEPENDS[@]}]=\"\(needed)\"")
    }
    if !package.buildDepends.isEmpty { lines.append("BUILD_DEPENDS_REBUILD=\"yes\"") }
    return lines
  }

  private static func lines(_ module: Manifest.Module, _ index: String, indent: String = "") -> [String] {
    [
      "BUILT_MODULE_NAME[\(index)]=\"\(module.name)\"", "BUILT_MODULE_LOCATION[\(index)]=\"\(module.path)/\"",
      "DEST_MODULE_LOCATION[\(index)]=\"\(module.place)\"",
    ].map { indent + $0 }
  }

  /// The first of its kinds that the site has is built. What was built is removed, whatever the site has then.
  private func conditionalLines(_ name: String) -> [String] {
    let kinds = modules.filter { $0.name == name && $0.condition != nil }
    // Each of the arrays is as long as this one was.
    var lines = ["next=${#BUILT_MODULE_NAME[@]}"]
    for (number, module) in kinds.enumerated() {
      let word = module.condition ?? ""
      lines.append(
        "\(number == 0 ? "if" : "elif") [[ $site_has == *\" \(word) \"* || $site_has == *\" \(word)=\"* ]]; then")
      lines += Self.lines(module, "next", indent: "  ")
    }
    if let last = kinds.last {
      let built = "${dkms_tree-}/\(package.module)/\(versionInDKMS)/${kernelver-}/*/module/\(name).ko*"
      lines.append("elif [[ ${action-} != build ]] && compgen -G \"\(built)\" >/dev/null; then")
      lines += Self.lines(last, "next", indent: "  ")
    }
    return lines + ["fi"]
  }
}
