import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// Listening sockets that share a factory.
final class NativeServer: AccountedServer {
    let loop: NativeLoop
    let account: ServerAccount

    /// The listening sockets are the application's: what accepted ones inherit is not ours.
    private let hasForeignSockets: Bool
    private var listeners: [Listener]

    init(
        loop: NativeLoop, sockets: [BoundSocket], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol, hasForeignSockets: Bool
    ) {
        self.loop = loop
        self.hasForeignSockets = hasForeignSockets
        account = ServerAccount(loop: loop, sockets: sockets, options: options, protocolFactory: protocolFactory)
        listeners = sockets.map { Listener(descriptor: $0.descriptor) }
        for listener in listeners {
            listener.server = self
            loop.attach(listener)
        }
    }

    /// Looked up among all of the loop's: connections pay nothing for it.
    var clients: [any StreamTransport] {
        loop.watchers.compactMap { watcher in
            guard let transport = watcher as? NativeStreamTransport, transport.server === self else { return nil }
            return transport
        }
    }

    // MARK: Listening

    func beginAccepting() { adjustAccepting() }

    func adjustAccepting() {
        for listener in listeners { loop.watch(listener, account.mayAccept ? .read : []) }
    }

    func endAccepting() {
        for listener in listeners { listener.shut(loop) }
        listeners = []
    }

    // MARK: Accepting

    /// Takes over an accepted socket; see `Discipline` for the order.
    func accepted(_ descriptor: Int32, peer: SocketAddress?) {
        connectionBegan()
        heedLimit()
        switch loop.discipline {
        case .native:
            finishAccept(AcceptedSocket(descriptor), peer: peer)
        case .asyncio:
            let socket = AcceptedSocket(descriptor)
            loop.callSoon { [self] in finishAccept(socket, peer: peer) }
        }
    }

    private func finishAccept(_ socket: AcceptedSocket, peer: SocketAddress?) {
        do {
            let made = try makeProtocol()
            if hasForeignSockets { prepare(socket) }
            let transport = NativeStreamTransport(
                loop: loop, descriptor: socket.take(), protocol: made, peer: peer, server: self)
            loop.start(transport, completion: nil)
        } catch {
            socket.close()
            connectionFailed(error)
        }
    }

    /// What listeners of our own hand down to accepted sockets.
    private func prepare(_ socket: AcceptedSocket) {
        // Both fail on a Unix socket, which has neither.
        _ = anyloop_set_option(socket.descriptor, Int32(ANYLOOP_OPTION_NO_DELAY), 1)
        if account.options.keepAlive { _ = anyloop_set_option(socket.descriptor, Int32(ANYLOOP_OPTION_KEEP_ALIVE), 1) }
    }
}

/// An accepted socket that no transport owns yet; closed if none ever does.
private final class AcceptedSocket {
    private(set) var descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close() }

    func take() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    func close() {
        if descriptor >= 0 { _ = anyloop_close(take()) }
    }
}
