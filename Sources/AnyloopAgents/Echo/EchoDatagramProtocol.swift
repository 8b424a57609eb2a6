import AnyloopCore

/// Sends every datagram back to where it came from (RFC 862).
///
/// A datagram socket has no backpressure: while the send buffer is above its high watermark, datagrams are
/// dropped and counted, as the network would.
public final class EchoDatagramProtocol: DatagramProtocol {
    private var transport: (any DatagramTransport)?
    private var isPaused = false

    /// Datagrams that were not sent back: the buffer was full, or the sender has no address.
    public private(set) var droppedCount = 0

    /// An echo for one endpoint.
    public init() {}

    /// Keeps the transport.
    public func connectionMade(_ transport: any DatagramTransport) {
        self.transport = transport
    }

    /// Sends `data` to `address`.
    public func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) {
        guard let transport, let address, !isPaused else {
            droppedCount += 1
            return
        }
        transport.send(data, to: address)
    }

    /// Starts to drop.
    public func pauseWriting() {
        isPaused = true
    }

    /// Sends again.
    public func resumeWriting() {
        isPaused = false
    }

    /// Lets go of the transport.
    public func connectionLost(_ error: TransportError?) {
        transport = nil
    }
}
