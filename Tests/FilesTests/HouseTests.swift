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

  /// The tests that docs/hostile-input.md names are there.
  @Test func whatIsSaidToBeTriedIsTried() throws {
    let text = String(decoding: try Files.read(Workshop.root.appending("docs/hostile-input.md")), as: UTF8.self)
    var suites: [String: String] = [:]
    let tests = Workshop.root.appending("Tests")
    for folder in try Files.names(in: tests).map({ tests.appending(bytes: $0) }) where Files.isFolder(folder) {
      for name in try Files.names(in: folder).map({ String(decoding: $0, as: UTF8.self) })
      where name.hasSuffix(".swift") {
        let source = String(decoding: try Files.read(folder.appending(name)), as: UTF8.self)
        for match in source.matches(of: /(?m)^(?:@Suite.* )?(?:final )?(?:struct|class) (\w+Tests)\b/) {
          suites[String(match.1)] = source
        }
      }
    }
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| tried ") }
    #expect(rows.count > 30)
    for row in rows {
      guard let test = row.firstMatch(of: /\| `(\w+)(?:\.(\w+))?` \|$/) else {
        Issue.record("no test: \(row)")
        continue
      }
      let source = suites[String(test.1)]
      #expect(source != nil, "no suite: \(row)")
      if let function = test.2 { #expect(source?.contains("func \(function)(") == true, "no such test: \(row)") }
    }
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
