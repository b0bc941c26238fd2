// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Synchronization
import SystemPackage

/// Where the two guests of a pair meet: the network between them, and what one waits for of the other.
///
/// The client begins when the service has started, and the service stops when the client has done its work.
final class GuestMeeting: Sendable {
  /// The step in which a guest waits for the word.
  static let wait = "wait"

  private struct State {
    var serviceIsUp = false
    var clientIsDone = false
    var told: Set<GuestRole> = []
    var ended: Set<GuestRole> = []
  }

  /// What a guest is told.
  enum Word: Equatable {
    case nothing
    case go
    /// There is nothing more to wait for.
    case stop(String)
  }

  /// The folder with the socket, seen by both QEMU processes.
  let folder: FilePath
  private let state = Mutex(State())

  init(in folder: FilePath) { self.folder = folder }

  /// A name in `folder`, as the path of a socket has 107 bytes at most.
  private static let socket = "link"

  /// The word for a guest, by its reports so far. The word to go is given once.
  func word(for role: GuestRole, after reports: [GuestReport]) -> Word {
    state.withLock { state in
      if role == .service {
        state.serviceIsUp = reports.contains(.passed("start"))
      } else if reports.contains(where: \.endsClient) {
        state.clientIsDone = true
      }
      let isDue = role == .client ? state.serviceIsUp : state.clientIsDone
      if reports.last == .began(Self.wait), isDue, state.told.insert(role).inserted { return .go }
      // A client can do nothing without the service; a service whose client is gone stops as usual.
      guard role == .client, !state.clientIsDone, state.ended.contains(.service) else { return .nothing }
      return .stop(Self.left)
    }
  }

  /// Why a client is stopped: what ended the service is the cause.
  static let left = "the guest of the service has ended"

  /// A guest has ended, for whatever reason.
  func ended(_ role: GuestRole) {
    state.withLock { state in
      state.ended.insert(role)
      if role == .client { state.clientIsDone = true }
    }
  }

  /// The options of QEMU for this end of the network. Source: qapi/net.json of QEMU 7.2.
  func options(of role: GuestRole) -> [String] {
    let side = role == .service ? "server=on" : "server=off"
    let address = role == .service ? "52:54:00:00:02:15" : "52:54:00:00:02:16"
    return [
      "-netdev", "stream,id=n0,\(side),addr.type=unix,addr.path=\(Self.socket)",
      "-device", "virtio-net-pci,netdev=n0,mac=\(address),romfile=",
    ]
  }

  /// Waits until the service's QEMU listens, as the client's QEMU connects once.
  func serviceListens() async throws {
    let path = folder.appending(Self.socket)
    while !Files.exists(path), !state.withLock({ $0.ended.contains(.service) }) {
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension GuestReport {
  /// Whether the client needs the service no more.
  fileprivate var endsClient: Bool {
    switch self {
    case .passed("client"), .failed, .end: true
    default: false
    }
  }
}
