import Logging
import NIOCore
import Synchronization

/// The listeners and connections of one server, from the accept to the end, on whatever loops they are.
final class ServerConnections: Sendable {
    private enum Phase {
        case open
        /// Nothing is accepted any more; connections end when their requests have.
        case quiescing
        /// Connections end at once.
        case closing
    }

    private struct State {
        var phase = Phase.open
        var listeners: [any Channel] = []
        var connections: [ObjectIdentifier: any Channel] = [:]
        var whenClosing: (@Sendable () -> Void)?
        var drained: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Connections that are open.
    var count: Int { state.withLock { $0.connections.count } }

    /// Whether a shutdown has not begun yet.
    var isOpen: Bool { state.withLock { $0.phase == .open } }

    /// Knows `listener` from now on; closes it at once if the shutdown has begun.
    func add(listener: any Channel) {
        let isOpen = state.withLock { state in
            state.listeners.append(listener)
            return state.phase == .open
        }
        if !isOpen { listener.close(promise: nil) }
    }

    /// Knows `connection` until it has closed; one that comes late is told so at once.
    func add(_ connection: any Channel) {
        let phase = state.withLock { state in
            state.connections[ObjectIdentifier(connection)] = connection
            return state.phase
        }
        connection.closeFuture.whenComplete { [self] _ in remove(connection) }
        tell(connection, phase)
    }

    /// Tells `connection` again what phase it is in, now that all its handlers are there.
    func isSetUp(_ connection: any Channel) {
        tell(connection, state.withLock { $0.phase })
    }

    /// Closes the listeners and lets connections end with the requests that they have; false if that has begun.
    func quiesce() -> Bool { move(to: .quiescing, from: [.open]) }

    /// Closes the listeners and all connections.
    func close() { _ = move(to: .closing, from: [.open, .quiescing]) }

    /// Calls `action` once `close` is called, or now if it was; for one action.
    func whenClosing(_ action: @escaping @Sendable () -> Void) {
        let isClosing = state.withLock { state in
            state.whenClosing = action
            return state.phase == .closing
        }
        if isClosing { action() }
    }

    /// Waits until no connection is left; for one waiter.
    func drained() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.connections.isEmpty { state.drained = continuation }
                return state.connections.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    private func move(to phase: Phase, from former: [Phase]) -> Bool {
        let found: State? = state.withLock { state in
            guard former.contains(state.phase) else { return nil }
            state.phase = phase
            return state
        }
        guard let found else { return false }
        for listener in found.listeners { listener.close(promise: nil) }
        for connection in found.connections.values { tell(connection, phase) }
        if phase == .closing { found.whenClosing?() }
        return true
    }

    private func tell(_ connection: any Channel, _ phase: Phase) {
        switch phase {
        case .open: break
        case .quiescing:
            connection.eventLoop.execute {
                connection.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            }
        case .closing: connection.close(promise: nil)
        }
    }

    private func remove(_ connection: any Channel) {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.connections[ObjectIdentifier(connection)] = nil
            guard state.connections.isEmpty else { return nil }
            defer { state.drained = nil }
            return state.drained
        }
        waiting?.resume()
    }
}

/// Stands in a listener's pipeline and registers what it accepts.
final class ConnectionCollector: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let connections: ServerConnections

    init(_ connections: ServerConnections) {
        self.connections = connections
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connections.add(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }
}
