import AnyloopCore
import AnyloopNativeLoop
import AnyloopSystem
import CAnyloopSystem
import NIOCore
import NIOPosix

/// Listening channels of SwiftNIO's that share a factory.
///
/// The sockets are bound before SwiftNIO gets them, so that all of them are had or none, with an error that says which.
final class NIOServer: Server, NIOResident {
    private let nio: NIOLoop
    private let options: ServerOptions
    /// Nil once the server is closed: what it captured is let go.
    private var protocolFactory: (() throws -> any StreamProtocol)?
    private var sockets: [BoundSocket]
    private var channels: [any Channel] = []
    private var closedCallbacks: [() -> Void] = []
    private(set) var isServing = false
    private var isClosed = false
    private(set) var connectionCount = 0
    private var isAtLimit = false
    private var retryTimer: TimerHandle?

    init(
        nio: NIOLoop, sockets: [BoundSocket], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) {
        self.nio = nio
        self.sockets = sockets
        self.options = options
        self.protocolFactory = protocolFactory
        nio.enroll(self)
    }

    var addresses: [AnyloopCore.SocketAddress] { sockets.map(\.address) }

    var clients: [any StreamTransport] { nio.transports(of: self) }

    func startServing() throws(TransportError) {
        guard !isClosed else { throw .usage("this server is closed; make another") }
        guard !isServing else { return }
        for socket in sockets { try socket.listen(backlog: options.backlog) }
        isServing = true
        let here = NIOLoopBound(self, eventLoop: nio.eventLoop)
        // Not from here: the bootstrap takes its time, and a server that is closed at once must not listen on.
        nio.eventLoop.execute { here.value.handOver() }
    }

    /// Gives the sockets to SwiftNIO.
    private func handOver() {
        guard isServing else { return }
        for index in sockets.indices where sockets[index].descriptor >= 0 {
            let descriptor = sockets[index].descriptor
            sockets[index].descriptor = -1
            serve(descriptor)
        }
    }

    /// Connections that SwiftNIO accepts in a row; one where each may be the last.
    private var acceptBudget: UInt {
        options.connectionLimit != nil ? 1 : UInt(max(1, min(options.backlog, nio.native.options.acceptBudget)))
    }

    private func serve(_ descriptor: Int32) {
        let here = NIOLoopBound(self, eventLoop: nio.eventLoop)
        ServerBootstrap(group: nio.eventLoop)
            .serverChannelOption(.backlog, value: Int32(clamping: options.backlog))
            .serverChannelOption(.maxMessagesPerRead, value: acceptBudget)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let server = here.value
                    // The bootstrap may take its time.
                    guard !server.isClosed else { throw TransportError.cancelled }
                    server.channels.append(channel)
                    try channel.pipeline.syncOperations.addHandler(NIOListenerHandler(server, descriptor))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try here.value.accept(channel) }
            }
            .withBoundSocket(descriptor)
            .assumeIsolated()
            .whenFailure { [self] error in
                guard !isClosed else { return }
                nio.native.report("listening failed", TransportError.fromNIO(error, "listen"))
                close()
            }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        isServing = false
        retryTimer?.cancel()
        retryTimer = nil
        for channel in channels { channel.close(promise: nil) }
        channels = []
        for socket in sockets {
            socket.close()
            socket.removeFile(nio.native)
        }
        sockets = []
        protocolFactory = nil
        nio.dismiss(self)
        if connectionCount == 0 { tellClosed() }
    }

    func loopCloses() { close() }

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

    /// Makes the protocol for an accepted channel; throwing closes it.
    private func accept(_ channel: any Channel) throws {
        nio.turns.noteActivity()
        connectionCount += 1
        do {
            guard let protocolFactory else { throw TransportError.cancelled }
            let made = try protocolFactory()
            guard !isClosed else { throw TransportError.cancelled }
            if options.keepAlive {
                try channel.syncOptions?.setOption(.socketOption(.so_keepalive), value: 1)
            }
            let transport = NIOStreamTransport(nio: nio, protocol: made, server: self)
            try channel.pipeline.syncOperations.addHandler(transport)
        } catch {
            nio.native.report("Error on transport creation for incoming connection", error)
            connectionEnded()
            throw error
        }
        if let limit = options.connectionLimit, connectionCount >= limit {
            isAtLimit = true
            adjustAccepting()
        }
    }

    /// A connection of this server is over.
    func connectionEnded() {
        connectionCount -= 1
        if isAtLimit {
            isAtLimit = false
            adjustAccepting()
        }
        if isClosed, connectionCount == 0 { tellClosed() }
    }

    /// Out of descriptors or memory, or worse: accepting pauses and comes back (asyncio rule 55).
    fileprivate func failed(_ error: any Error, _ descriptor: Int32) {
        nio.turns.noteActivity()
        guard retryTimer == nil, isServing, let error = error as? IOError else { return }
        let code = error.errnoCode
        guard !Errno.isOfOneConnection(code) else { return }
        let message =
            Errno.isOutOfResources(code) ? "socket.accept() out of system resource" : "socket.accept() failed"
        nio.native.callExceptionHandler(
            LoopException(message: message, error: SystemError(code, "accept"), socket: descriptor))
        guard isServing else { return }
        retryTimer = nio.callLater(nio.native.options.acceptRetryDelay) { [weak self] in
            self?.retryTimer = nil
            self?.adjustAccepting()
        }
        adjustAccepting()
    }

    private func adjustAccepting() {
        let accepts = isServing && !isAtLimit && retryTimer == nil
        for channel in channels { try? channel.syncOptions?.setOption(.autoRead, value: accepts) }
    }
}

/// Hears what befalls a listening channel.
private final class NIOListenerHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let server: NIOServer
    private let descriptor: Int32

    init(_ server: NIOServer, _ descriptor: Int32) {
        self.server = server
        self.descriptor = descriptor
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { server.failed(error, descriptor) }
}

extension NIOLoop {
    /// Listens on `addresses`; all of them or none.
    public func createServer(
        on addresses: [AnyloopCore.SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        guard !isClosed else { throw .loopClosed }
        return try serve(BoundSocket.bound(to: addresses, options: options), options, protocolFactory)
    }

    /// Listens on sockets of the application's that are bound; all of them or none.
    public func createServer(
        descriptors: [Int32], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        try serve(native.adoptListeners(descriptors, options: options), options, protocolFactory)
    }

    private func serve(
        _ sockets: [BoundSocket], _ options: ServerOptions,
        _ protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        let server = NIOServer(nio: self, sockets: sockets, options: options, protocolFactory: protocolFactory)
        guard options.startServing else { return server }
        do throws(TransportError) { try server.startServing() } catch {
            server.close()
            throw error
        }
        return server
    }
}
