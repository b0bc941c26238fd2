// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import Testing

@Suite struct AtomicDirectoryTests {
  private struct Stop: Error {}

  private func directory(_ path: FilePath, exchanges: Bool = true) -> AtomicDirectory {
    var directory = AtomicDirectory(
      path, doing: "writing", busy: ReleaseError(.conflict, doing: "writing", reason: "busy"),
      conflict: ReleaseError(.conflict, doing: "writing", reason: "there"))
    directory.exchanges = exchanges
    return directory
  }

  private func names(_ folder: FilePath) throws -> [String] {
    try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
  }

  private func expectRefusal(_ reason: String, _ body: () async throws -> Void) async {
    let error = await #expect(throws: ReleaseError.self) { try await body() }
    #expect(error?.reason == reason)
  }

  /// Something in `path`: a file `name`, and one in a folder.
  private func make(_ path: FilePath, _ name: String) throws {
    try TreeWriter(path).write([.init(name, .file([1])), .init("sub/\(name)", .file([2]))])
  }

  @Test func aNewOneAppearsWhole() async throws {
    try await withScratch { folder in
      let path = folder.appending("x/y/new")
      try await directory(path).create { part in
        #expect(!Files.exists(path))
        try make(part, "a")
      }
      #expect(try names(path) == ["a", "sub"])
      #expect(try names(path.removingLastComponent()) == ["new"])
      var status = stat()
      #expect(stat(path.string, &status) == 0 && status.st_mode & 0o777 == 0o755)
    }
  }

  @Test func aFailureLeavesNothing() async throws {
    try await withScratch { folder in
      await #expect(throws: Stop.self) {
        try await directory(folder.appending("x/y/new")).create { part in
          try make(part, "a")
          throw Stop()
        }
      }
      let left = try names(folder)
      #expect(left == [])
    }
  }

  @Test func oneThatIsThereIsLeftAlone() async throws {
    try await withScratch { folder in
      let path = folder.appending("old")
      try make(path, "a")
      await expectRefusal("there") { try await directory(path).create { try make($0, "b") } }
      #expect(try names(path) == ["a", "sub"])
      #expect(try names(folder) == ["old"])
      // One that comes while we write, be it empty.
      let late = folder.appending("late")
      await expectRefusal("there") { try await directory(late).create { _ in try Files.makeFolder(late) } }
      #expect(try names(late) == [])
      #expect(try names(folder) == ["late", "old"])
    }
  }

  @Test(arguments: [true, false]) func aReplacementKeepsTheNewOne(exchanges: Bool) async throws {
    try await withScratch { folder in
      let path = folder.appending("it")
      try make(path, "old")
      let directory = directory(path, exchanges: exchanges)
      // A failure keeps the old one.
      await #expect(throws: Stop.self) {
        try await directory.create(replacing: true) { part in
          try make(part, "half")
          throw Stop()
        }
      }
      #expect(try names(path) == ["old", "sub"])
      try await directory.create(replacing: true) { part in
        #expect(try names(path) == ["old", "sub"])
        try make(part, "new")
      }
      #expect(try names(path) == ["new", "sub"])
      #expect(try names(path.appending("sub")) == ["new"])
      #expect(try names(folder) == ["it"])
      // Nobody holds the new one.
      #expect(try FileLock(folder: path).tryAcquire(.exclusive))
    }
  }

  @Test(arguments: ["echo x > it", "ln -s mine it", "ln -s nowhere it", "mkfifo it"])
  func whatIsNoFolderMakesWayAndIsNotFollowed(script: String) async throws {
    try await withScratch { folder in
      _ = try await Command("sh", ["-ec", "mkdir mine; touch mine/a; \(script)"], directory: folder).check(
        doing: "making")
      let path = folder.appending("it")
      await expectRefusal("there") { try await directory(path).create { try make($0, "new") } }
      try await directory(path).create(replacing: true) { try make($0, "new") }
      #expect(try names(path) == ["new", "sub"])
      #expect(try names(folder.appending("mine")) == ["a"])
      #expect(try names(folder) == ["it", "mine"])
    }
  }

  @Test func aLinkInPlaceOfThePartIsNotFollowed() async throws {
    try await withScratch { folder in
      try make(folder.appending("mine"), "a")
      symlink("mine", folder.appending(".it.partial").string)
      await #expect(throws: ReleaseError.self) {
        try await directory(folder.appending("it")).create { try make($0, "new") }
      }
      #expect(try names(folder.appending("mine")) == ["a", "sub"])
      #expect(try names(folder) == [".it.partial", "mine"])
    }
  }

  // MARK: killed

  @Test func whatAKilledProcessHasLeftGoes() async throws {
    try await withScratch { folder in
      let path = folder.appending("it")
      // While it wrote, or after the exchange, with the old one half removed.
      for there in [false, true] {
        if there { try make(path, "new") }
        try make(folder.appending(".it.partial"), "rest")
        try await directory(path).create(replacing: there) { part in
          #expect(try names(part) == [])
          try make(part, "next")
        }
        #expect(try names(path) == ["next", "sub"])
        #expect(try names(folder) == ["it"])
        try Files.remove(path)
      }
    }
  }

  @Test func withoutExchangeTheOldOneComesBack() async throws {
    try await withScratch { folder in
      let path = folder.appending("it")
      // Between its two renames: the old one is aside, the new one has no name yet.
      try make(folder.appending(".it.partial.old"), "old")
      try make(folder.appending(".it.partial"), "rest")
      await expectRefusal("there") { try await directory(path).create { try make($0, "next") } }
      #expect(try names(path) == ["old", "sub"])
      #expect(try names(folder) == ["it"])
      // After both: the old one is left over.
      try make(folder.appending(".it.partial.old"), "older")
      try await directory(path).create(replacing: true) { try make($0, "next") }
      #expect(try names(path) == ["next", "sub"])
      #expect(try names(folder) == ["it"])
    }
  }

  // MARK: several

  @Test func twoAtATimeExcludeEachOther() async throws {
    try await withScratch { folder in
      let path = folder.appending("it")
      try make(path, "old")
      try await directory(path).create(replacing: true) { part in
        await expectRefusal("busy") { try await directory(path).create(replacing: true) { _ in throw Stop() } }
        try make(part, "new")
      }
      #expect(try names(path) == ["new", "sub"])
      // Who holds the old one still removes it.
      let lock = try FileLock(folder: path)
      #expect(try lock.tryAcquire(.exclusive))
      await expectRefusal("busy") { try await directory(path).create(replacing: true) { try make($0, "newer") } }
      #expect(try names(path) == ["new", "sub"])
      #expect(try names(folder) == ["it"])
      lock.release()
    }
  }

  @Test func manyAtATimeLeaveOneWhole() async throws {
    try await withScratch { folder in
      let path = folder.appending("it")
      try make(path, "old")
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<8 {
          group.addTask {
            for round in 0..<20 {
              do {
                try await directory(path).create(replacing: true) { try make($0, "\(number).\(round)") }
              } catch {
                #expect((error as? ReleaseError)?.reason == "busy", "\(error)")
              }
              #expect(Files.exists(path))
            }
          }
        }
      }
      let left = try names(path)
      #expect(left.count == 2)
      #expect(try names(path.appending("sub")) == [left[0]])
      #expect(try names(folder) == ["it"])
    }
  }
}
