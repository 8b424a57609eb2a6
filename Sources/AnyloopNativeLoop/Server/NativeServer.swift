import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// Listening sockets that share a factory.
final class NativeServer: Server {
    let loop: NativeLoop
    let options: ServerOptions
    /// Nil once the server is closed: what it captured is let go.
    private var protocolFactory: (() throws -> any StreamProtocol)?

    /// The listening sockets are the application's: what accepted ones inherit is not ours.
    private let hasForeignSockets: Bool
    private var listeners: [Listener]
    private var closedCallbacks: [() -> Void] = []
    private(set) var isServing = false
    private var isClosed = false
    private(set) var connectionCount = 0
    private var isAtLimit = false
    private var retryTimer: TimerHandle?

    init(
        loop: NativeLoop, sockets: [BoundSocket], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol, hasForeignSockets: Bool
    ) {
        self.loop = loop
        self.hasForeignSockets = hasForeignSockets
        listeners = sockets.map(Listener.init)
        self.options = options
        self.protocolFactory = protocolFactory
        for listener in listeners {
            listener.server = self
            loop.attach(listener)
        }
    }

    var addresses: [SocketAddress] { listeners.map(\.socket.address) }

    /// Looked up among all of the loop's: connections pay nothing for it.
    var clients: [any StreamTransport] {
        loop.watchers.compactMap { watcher in
            guard let transport = watcher as? NativeStreamTransport, transport.server === self else { return nil }
            return transport
        }
    }

    func startServing() throws(TransportError) {
        guard !isClosed else { throw .usage("this server is closed; make another") }
        guard !isServing else { return }
        for listener in listeners { try listener.socket.listen(backlog: options.backlog) }
        isServing = true
        watchListeners()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        isServing = false
        retryTimer?.cancel()
        retryTimer = nil
        for listener in listeners { listener.shut(loop) }
        listeners = []
        // Sockets that are accepted already have their turn first (asyncio's discipline).
        if loop.discipline == .native || loop.isClosed {
            protocolFactory = nil
        } else {
            loop.callSoon { self.protocolFactory = nil }
        }
        if connectionCount == 0 { tellClosed() }
    }

    func whenClosed(_ callback: @escaping () -> Void) {
        if isClosed, connectionCount == 0 {
            callback()
        } else {
            closedCallbacks.append(callback)
        }
    }

    private func tellClosed() {
        let callbacks = closedCallbacks
        closedCallbacks = []
        for callback in callbacks { callback() }
    }

    // MARK: Accepting

    /// Accepts that a listener may do in one turn.
    var acceptBudget: Int {
        // asyncio takes a whole backlog (rule 53).
        max(1, loop.discipline == .asyncio ? options.backlog : min(options.backlog, loop.options.acceptBudget))
    }

    /// Whether another connection may be taken now.
    var mayAccept: Bool { isServing && !isAtLimit && retryTimer == nil }

    /// Takes over an accepted socket; see `Discipline` for the order.
    func accepted(_ descriptor: Int32, peer: SocketAddress?) {
        connectionCount += 1
        if let limit = options.connectionLimit, connectionCount >= limit {
            isAtLimit = true
            watchListeners()
        }
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
            guard let protocolFactory else { throw TransportError.cancelled }
            let made = try protocolFactory()
            // asyncio refuses to attach it then.
            guard !isClosed else { throw TransportError.cancelled }
            if hasForeignSockets { prepare(socket) }
            let transport = NativeStreamTransport(
                loop: loop, descriptor: socket.take(), protocol: made, peer: peer, server: self)
            loop.start(transport, completion: nil)
        } catch {
            socket.close()
            if loop.discipline == .native || loop.isDebug {
                loop.report("Error on transport creation for incoming connection", error)
            }
            connectionEnded()
        }
    }

    /// What listeners of our own hand down to accepted sockets.
    private func prepare(_ socket: AcceptedSocket) {
        // Both fail on a Unix socket, which has neither.
        _ = anyloop_set_option(socket.descriptor, Int32(ANYLOOP_OPTION_NO_DELAY), 1)
        if options.keepAlive { _ = anyloop_set_option(socket.descriptor, Int32(ANYLOOP_OPTION_KEEP_ALIVE), 1) }
    }

    /// A connection of this server is over.
    func connectionEnded() {
        connectionCount -= 1
        if isAtLimit {
            isAtLimit = false
            watchListeners()
        }
        if isClosed, connectionCount == 0 { tellClosed() }
    }

    /// Out of descriptors or memory, or worse: accepting pauses and comes back (asyncio rule 55).
    func ranOut(_ code: Int32, _ descriptor: Int32) {
        guard retryTimer == nil, isServing else { return }
        let message =
            Errno.isOutOfResources(code) ? "socket.accept() out of system resource" : "socket.accept() failed"
        loop.callExceptionHandler(
            LoopException(message: message, error: SystemError(code, "accept"), socket: descriptor))
        guard isServing else { return }
        retryTimer = loop.callLater(loop.options.acceptRetryDelay) { [weak self] in
            self?.retryTimer = nil
            self?.watchListeners()
        }
        watchListeners()
    }

    private func watchListeners() {
        for listener in listeners { loop.watch(listener, mayAccept ? .read : []) }
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
