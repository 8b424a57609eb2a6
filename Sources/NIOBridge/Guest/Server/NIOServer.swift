import AnyloopCore
import AnyloopNativeLoop
import AnyloopSystem
import CAnyloopSystem
import NIOCore
import NIOPosix

/// Listening channels of SwiftNIO's that share a factory.
///
/// The sockets are bound before SwiftNIO gets them, so that all of them are had or none, with an error that says which.
final class NIOServer: AccountedServer, NIOResident {
    private let nio: NIOLoop
    let account: ServerAccount
    private var channels: [any Channel] = []

    init(
        nio: NIOLoop, sockets: [BoundSocket], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) {
        self.nio = nio
        account = ServerAccount(
            loop: nio.native, sockets: sockets, options: options, protocolFactory: protocolFactory)
        nio.enroll(self)
    }

    var clients: [any StreamTransport] { nio.transports(of: self) }

    // MARK: Listening

    func beginAccepting() {
        let here = NIOLoopBound(self, eventLoop: nio.eventLoop)
        // Not from here: the bootstrap takes its time, and a server that is closed at once must not listen on.
        nio.eventLoop.execute { here.value.handOver() }
    }

    /// Gives the sockets to SwiftNIO.
    private func handOver() {
        guard isServing else { return }
        for index in account.sockets.indices where account.sockets[index].descriptor >= 0 {
            let descriptor = account.sockets[index].descriptor
            account.sockets[index].descriptor = -1
            serve(descriptor)
        }
    }

    /// Connections that SwiftNIO accepts in a row; one where each may be the last.
    private var acceptBudget: UInt {
        account.options.connectionLimit != nil ? 1 : UInt(account.acceptBudget)
    }

    private func serve(_ descriptor: Int32) {
        let here = NIOLoopBound(self, eventLoop: nio.eventLoop)
        ServerBootstrap(group: nio.eventLoop)
            .serverChannelOption(.backlog, value: Int32(clamping: account.options.backlog))
            .serverChannelOption(.maxMessagesPerRead, value: acceptBudget)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let server = here.value
                    // The bootstrap may take its time.
                    guard !server.account.isClosed else { throw TransportError.cancelled }
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
                guard !account.isClosed else { return }
                nio.native.report("listening failed", TransportError.fromNIO(error, "listen"))
                close()
            }
    }

    func adjustAccepting() {
        for channel in channels { try? channel.syncOptions?.setOption(.autoRead, value: account.mayAccept) }
    }

    func endAccepting() {
        for channel in channels { channel.close(promise: nil) }
        channels = []
        nio.dismiss(self)
    }

    func loopCloses() { close() }

    // MARK: Accepting

    /// Makes the protocol for an accepted channel; throwing closes it.
    private func accept(_ channel: any Channel) throws {
        nio.turns.noteActivity()
        connectionBegan()
        do {
            let made = try makeProtocol()
            if account.options.keepAlive {
                try channel.syncOptions?.setOption(.socketOption(.so_keepalive), value: 1)
            }
            let transport = NIOStreamTransport(nio: nio, protocol: made, server: self)
            try channel.pipeline.syncOperations.addHandler(transport)
        } catch {
            connectionFailed(error)
            throw error
        }
        heedLimit()
    }

    fileprivate func failed(_ error: any Error, _ descriptor: Int32) {
        nio.turns.noteActivity()
        guard let error = error as? IOError, !Errno.isOfOneConnection(error.errnoCode) else { return }
        acceptFailed(error.errnoCode, descriptor)
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
