public import AnyloopCore
import AnyloopNativeLoop
import AnyloopSystem
import CAnyloopSystem
import NIOCore
import NIOPosix

extension NIOLoop {
    /// The largest datagram that is received whole, in bytes: as asyncio's.
    static let longestDatagram = 262_144

    /// Opens a datagram endpoint; UDP over a channel of SwiftNIO's.
    ///
    /// Unix sockets' are the native loop's: SwiftNIO takes a datagram from a sender without a name for a failure.
    public func createDatagramEndpoint(
        local: AnyloopCore.SocketAddress?, remote: AnyloopCore.SocketAddress?, options: DatagramOptions,
        protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport {
        if (remote ?? local)?.isUnix ?? false {
            return try native.createDatagramEndpoint(
                local: local, remote: remote, options: options, protocolFactory: protocolFactory)
        }
        let (descriptor, made) = try native.openDatagramSocket(
            local: local, remote: remote, options: options, protocolFactory: protocolFactory)
        return try open(descriptor, made, peer: remote)
    }

    /// Sends and receives on a socket of the application's, which the endpoint owns from here on.
    public func createDatagramEndpoint(
        descriptor: Int32, protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport {
        if AnyloopCore.SocketAddress.bound(descriptor)?.isUnix ?? true {
            return try native.createDatagramEndpoint(descriptor: descriptor, protocolFactory: protocolFactory)
        }
        try native.prepareAdoption(of: descriptor, kind: Int32(ANYLOOP_DATAGRAM), "A datagram socket was expected")
        let made: any DatagramProtocol
        do { made = try protocolFactory() } catch { throw .callback(name: "protocolFactory", error: error) }
        return try open(descriptor, made, peer: .peer(of: descriptor))
    }

    private func open(
        _ descriptor: Int32, _ made: any DatagramProtocol, peer: AnyloopCore.SocketAddress?
    ) throws(TransportError) -> any DatagramTransport {
        let transport = try NIODatagramTransport(
            nio: self, protocol: made, socket: AnyloopCore.SocketAddress.bound(descriptor), peerName: peer)
        let box = NIOLoopBound(transport, eventLoop: eventLoop)
        DatagramBootstrap(group: eventLoop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.longestDatagram))
            .channelOption(.maxMessagesPerRead, value: UInt(max(1, native.options.datagramBudget)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(box.value)
                }
            }
            .withBoundSocket(descriptor)
            .whenFailure { _ in box.value.loopCloses() }
        return transport
    }
}
