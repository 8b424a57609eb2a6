import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Where a case plays: its host, the groups it made, and what must be put away when it is over.
final class NIOStage: Sendable {
    let host: any EventLoopGroupHost

    private struct State {
        var groups: [any EventLoopGroup] = []
        var farChannels: [any Channel] = []
        var paths: [String] = []
    }

    private let state = NIOLockedValueBox(State())

    init(_ host: any EventLoopGroupHost) {
        self.host = host
    }

    /// A new group, shut down when the case is over.
    func group(_ threads: Int = 1) throws -> any EventLoopGroup {
        let group = try host.makeGroup(threads: threads)
        state.withLockedValue { $0.groups.append(group) }
        return group
    }

    /// The only loop of a new group.
    func loop() throws -> any EventLoop { try group().next() }

    /// A bootstrap of the host's, on one group for both roles.
    func serverBootstrap(_ group: any EventLoopGroup) -> any ServerBootstrapping {
        host.serverBootstrap(group: group, childGroup: group)
    }

    /// Remembers a channel of the far end, closed when the case is over.
    func keep(_ channel: any Channel) {
        state.withLockedValue { $0.farChannels.append(channel) }
    }

    /// A path in the directory for temporary files, removed when the case is over; short enough for a socket's address.
    func path() -> String {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("nio-battery-\(UInt32.random(in: 0 ... .max))").path
        state.withLockedValue { $0.paths.append(path) }
        return path
    }

    /// A file with those bytes, removed when the case is over, and open for reading.
    func file(_ bytes: ByteBuffer) throws -> NIOFileHandle {
        let path = path()
        try Data(bytes.readableBytesView).write(to: URL(fileURLWithPath: path))
        return try NIOFileHandle(_deprecatedPath: path)
    }

    /// Shuts every group down and puts everything away.
    func tearDown() async throws {
        let state = state.withLockedValue { state in
            defer { state = State() }
            return state
        }
        for channel in state.farChannels { channel.close(promise: nil) }
        for path in state.paths { try? FileManager.default.removeItem(atPath: path) }
        for group in state.groups { try await shutDown(group) }
    }

    /// Shuts a group down, which must not fail; a group may be shut down as often as one likes.
    func shutDown(_ group: any EventLoopGroup) async throws {
        let waiter = Waiter<Void>()
        group.shutdownGracefully(queue: .global()) { error in
            waiter.finish(error.map { .failure($0) } ?? .success(()))
        }
        try await waiter.value("the group's shutdown")
    }
}
