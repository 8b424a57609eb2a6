public import AnyloopCore
import AnyloopNativeLoop
import AnyloopSystem
import CAnyloopSystem
import NIOCore
import NIOPosix

extension NIOLoop {
    /// Connects and makes a protocol for the connection; several addresses race as RFC 8305 says.
    @discardableResult
    public func createConnection(
        to endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        let world = ConnectorWorld<any Channel>(
            dial: { [self] in NIODial(nio: self, to: $0, from: $1, completion: $2) },
            adopt: { [self] channel, factory, completion in
                completion(Result { () throws(TransportError) in try adopt(channel, protocolFactory: factory) })
            },
            discard: { $0.close(promise: nil) })
        let connector = Connector(
            loop: native, world: world, endpoint: endpoint, options: options, protocolFactory: protocolFactory,
            completion: completion)
        connector.start()
        return connector
    }

    /// Makes a transport of a channel that is connected and reads nothing yet; closes it on an error.
    private func adopt(
        _ channel: any Channel, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any StreamTransport {
        do {
            let transport = NIOStreamTransport(nio: self, protocol: try protocolFactory())
            try channel.pipeline.syncOperations.addHandler(transport)
            transport.takeOver(channel)
            return transport
        } catch {
            channel.close(promise: nil)
            throw .callback(name: "protocolFactory", error: error)
        }
    }

    /// Takes over a connected stream socket; on an error it stays the caller's.
    @discardableResult
    public func adoptConnection(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any StreamTransport {
        try native.prepareAdoption(of: descriptor, kind: Int32(ANYLOOP_STREAM), "A Stream Socket was expected")
        let made: any StreamProtocol
        do { made = try protocolFactory() } catch { throw .callback(name: "protocolFactory", error: error) }
        // Fails on a Unix socket, which has no delay to turn off.
        _ = anyloop_set_option(descriptor, Int32(ANYLOOP_OPTION_NO_DELAY), 1)
        let transport = NIOStreamTransport(nio: self, protocol: made)
        transport.name(
            socket: AnyloopCore.SocketAddress.bound(descriptor), peer: AnyloopCore.SocketAddress.peer(of: descriptor))
        let box = NIOLoopBound(transport, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(box.value)
                }
            }
            .withConnectedSocket(descriptor)
            .whenFailure { _ in box.value.loopCloses() }
        return transport
    }
}

/// One connect to one address.
private final class NIODial: Cancellable {
    private var completion: ((Result<any Channel, TransportError>) -> Void)?
    private var channel: (any Channel)?

    /// Begins to connect; `completion` runs once, unless cancelled before.
    init(
        nio: NIOLoop, to address: AnyloopCore.SocketAddress, from local: AnyloopCore.SocketAddress?,
        completion: @escaping (Result<any Channel, TransportError>) -> Void
    ) {
        self.completion = completion
        do throws(TransportError) { try begin(nio, address, local) } catch {
            nio.native.callSoon { [self] in finish(.failure(error)) }
        }
    }

    private func begin(
        _ nio: NIOLoop, _ address: AnyloopCore.SocketAddress, _ local: AnyloopCore.SocketAddress?
    ) throws(TransportError) {
        let eventLoop = nio.eventLoop
        let here = NIOLoopBound(self, eventLoop: eventLoop)
        let target = try address.forNIO()
        var bootstrap = ClientBootstrap(group: eventLoop)
            // Nothing is read before there is a protocol; the limit in time is the caller's.
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connectTimeout(.hours(24 * 365))
            .channelInitializer { channel in
                here.value.channel = channel
                return channel.eventLoop.makeSucceededVoidFuture()
            }
        if let local { bootstrap = bootstrap.bind(to: try local.forNIO()) }
        let turns = nio.turns
        bootstrap.connect(to: target).assumeIsolated().whenComplete { [self] result in
            turns.noteActivity()
            if case .failure(ChannelError.ioOnClosedChannel) = result {
                // Closed by a shutdown, of which the loop is about to tell.
                return eventLoop.execute { here.value.finish(.failure(.loopClosed)) }
            }
            finish(
                result.mapError { error in
                    TransportError.fromNIO(error, "connect to \(address)") ?? .cancelled
                })
        }
    }

    private func finish(_ result: Result<any Channel, TransportError>) {
        guard let completion else { return }
        self.completion = nil
        channel = nil
        completion(result)
    }

    func cancel() {
        completion = nil
        channel?.close(promise: nil)
        channel = nil
    }
}
