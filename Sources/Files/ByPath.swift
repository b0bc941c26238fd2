// SPDX-License-Identifier: GPL-2.0-only

/// A path, or another name of a file, as a key: its bytes count. To a string, é as one scalar and é as two are equal.
private struct PathKey: Hashable, Sendable {
  let string: String

  init(_ string: String) { self.string = string }

  static func == (a: Self, b: Self) -> Bool { a.string.isSameInBytes(b.string) }

  func hash(into hasher: inout Hasher) {
    let isDone: Void? = string.utf8.withContiguousStorageIfAvailable {
      hasher.combine(bytes: UnsafeRawBufferPointer($0))
    }
    if isDone == nil { for byte in string.utf8 { hasher.combine(byte) } }
  }
}

/// Values by path. Names are bytes: two paths are one only when all of their bytes are the same.
package struct ByPath<Value> {
  private var storage: [PathKey: Value] = [:]

  package init() {}

  /// - Parameter pairs: of a path that comes twice, the last value counts.
  package init(_ pairs: some Sequence<(String, Value)>) {
    storage = Dictionary(pairs.map { (PathKey($0), $1) }) { $1 }
  }

  package subscript(path: String) -> Value? {
    get { storage[PathKey(path)] }
    set { storage[PathKey(path)] = newValue }
    _modify { yield &storage[PathKey(path)] }
  }

  package subscript(path: String, default value: @autoclosure () -> Value) -> Value {
    get { storage[PathKey(path)] ?? value() }
    _modify { yield &storage[PathKey(path), default: value()] }
  }

  package var keys: some Collection<String> { storage.keys.lazy.map(\.string) }
  package var values: some Collection<Value> { storage.values }
  package var isEmpty: Bool { storage.isEmpty }
  package var count: Int { storage.count }

  package func mapValues<Other>(_ transform: (Value) throws -> Other) rethrows -> ByPath<Other> {
    var mapped = ByPath<Other>()
    mapped.storage = try storage.mapValues(transform)
    return mapped
  }

  package func compactMapValues<Other>(_ transform: (Value) throws -> Other?) rethrows -> ByPath<Other> {
    var mapped = ByPath<Other>()
    mapped.storage = try storage.compactMapValues(transform)
    return mapped
  }

  package func filter(_ isIncluded: ((key: String, value: Value)) throws -> Bool) rethrows -> ByPath {
    var part = ByPath()
    part.storage = try storage.filter { try isIncluded(($0.key.string, $0.value)) }
    return part
  }

  @discardableResult
  package mutating func removeValue(forKey path: String) -> Value? { storage.removeValue(forKey: PathKey(path)) }
}

extension ByPath: Sequence {
  package func makeIterator() -> AnyIterator<(key: String, value: Value)> {
    var rest = storage.makeIterator()
    return AnyIterator { rest.next().map { ($0.key.string, $0.value) } }
  }

  package var underestimatedCount: Int { storage.count }
}

extension ByPath: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral pairs: (String, Value)...) { self.init(pairs) }
}

extension ByPath: Sendable where Value: Sendable {}
extension ByPath: Equatable where Value: Equatable {}

/// A set of paths, told apart by their bytes.
package struct PathSet: Sendable, Equatable {
  private var members: Set<PathKey> = []

  package init() {}
  package init(_ paths: some Sequence<String>) { members = Set(paths.map(PathKey.init)) }

  package var isEmpty: Bool { members.isEmpty }
  package func contains(_ path: String) -> Bool { members.contains(PathKey(path)) }

  /// - Returns: whether it was not there before.
  @discardableResult
  package mutating func insert(_ path: String) -> Bool { members.insert(PathKey(path)).inserted }

  package mutating func formUnion(_ paths: some Sequence<String>) { members.formUnion(paths.map(PathKey.init)) }

  package func union(_ paths: some Sequence<String>) -> PathSet {
    var all = self
    all.formUnion(paths)
    return all
  }

  package func subtracting(_ paths: some Sequence<String>) -> PathSet {
    var rest = self
    rest.members.subtract(paths.map(PathKey.init))
    return rest
  }
}

extension PathSet: Sequence {
  package func makeIterator() -> AnyIterator<String> {
    var rest = members.makeIterator()
    return AnyIterator { rest.next()?.string }
  }

  package var underestimatedCount: Int { members.count }
}

extension PathSet: ExpressibleByArrayLiteral {
  package init(arrayLiteral paths: String...) { self.init(paths) }
}
