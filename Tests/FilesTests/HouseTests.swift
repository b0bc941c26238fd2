// SPDX-License-Identifier: GPL-2.0-only

import Files
import SystemPackage
import TestSupport
import Testing

/// The structure that docs/design.md draws is the one that stands.
@Suite struct HouseTests {
  /// The modules as docs/design.md lists them, from the top.
  private func drawn() throws -> [String] {
    let text = String(decoding: try Files.read(Workshop.root.appending("docs/design.md")), as: UTF8.self)
    return text.split(separator: "\n").compactMap { $0.firstMatch(of: /^    Sources\/(\w+)\s/).map { String($0.1) } }
  }

  /// What Package.swift says that each module needs, of ours.
  private func declared() throws -> [String: Set<String>] {
    let text = String(decoding: try Files.read(Workshop.root.appending("Package.swift")), as: UTF8.self)
    var modules: [String: Set<String>] = [:]
    for match in text.matches(of: /(?s)module\(\s*"(\w+)",\s*\[(.*?)\]/) {
      modules[String(match.1)] = Set(match.2.matches(of: /"(\w+)"/).map { String($0.1) })
    }
    if let command = text.firstMatch(of: /(?s)name: "lrelease",\s*dependencies: \[(.*?)\]/) {
      modules["lrelease"] = Set(command.1.matches(of: /"(\w+)"/).map { String($0.1) })
    }
    modules["TestSupport"] = nil
    return modules
  }

  @Test func thePictureHasTheModulesOfThePackage() throws {
    #expect(try Set(drawn()) == Set(declared().keys))
  }

  @Test func arrowsRunDownwards() throws {
    let order = try drawn()
    for (module, needs) in try declared() {
      guard let place = order.firstIndex(of: module) else { continue }
      for need in needs {
        guard let other = order.firstIndex(of: need) else { continue }
        #expect(other > place, "\(module) needs \(need), which docs/design.md has above it")
      }
    }
  }

  @Test func everyImportIsDeclared() throws {
    let declared = try declared()
    for (module, needs) in declared {
      var pending = [Workshop.root.appending("Sources").appending(module)]
      var used: Set<String> = []
      while let folder = pending.popLast() {
        for name in try Files.names(in: folder) {
          let path = folder.appending(bytes: name)
          if Files.isFolder(path) { pending.append(path) }
          guard path.extension == "swift" else { continue }
          let text = String(decoding: try Files.read(path), as: UTF8.self)
          let imports = text.matches(of: /(?m)^import (\w+)$/).map { String($0.1) }
          for name in imports where declared[name] != nil {
            used.insert(name)
            #expect(needs.contains(name), "\(path) imports \(name), which Package.swift does not give to \(module)")
          }
        }
      }
      let idle = needs.intersection(declared.keys).subtracting(used)
      #expect(idle.isEmpty, "\(module) declares \(idle.sorted()) and imports none of it")
    }
  }
}
