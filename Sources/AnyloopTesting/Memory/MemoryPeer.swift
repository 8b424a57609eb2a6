import AnyloopCore

/// How a transport ended its side, as its peer saw it.
public enum StreamEnd: Hashable, Sendable {
    /// The end of stream (TCP: FIN).
    case finish
    /// Over TLS: the end of stream without `close_notify`.
    case truncated
    /// A reset (TCP: RST).
    case reset
}

/// The scripted other end of a `MemoryTransport`.
public final class MemoryPeer {
    /// The end under test.
    public let transport: MemoryTransport

    /// The bytes that left the transport, in order.
    public private(set) var received: [UInt8] = []

    /// How the transport ended, after all of `received`; nil while it has not.
    public private(set) var end: StreamEnd?

    /// Bytes the transport may still send before its writes block.
    public private(set) var window = Int.max

    init(transport: MemoryTransport) {
        self.transport = transport
    }

    /// Sends `bytes`: exactly one `dataReceived`, in a buffer of its own. Nothing for no bytes or after the end.
    public func send(_ bytes: Span<UInt8>) { transport.receive(bytes) }

    /// Sends `bytes`: exactly one `dataReceived`, in a buffer of its own.
    public func send(_ bytes: [UInt8]) { transport.receive(bytes.span) }

    /// Sends the UTF-8 bytes of `text`.
    public func send(_ text: String) { transport.receive(Array(text.utf8).span) }

    /// Ends this side (FIN), after what was sent.
    public func finish() { transport.receiveFinish() }

    /// Resets the connection (RST), after what was sent: the transport's reads and writes fail with `ECONNRESET`.
    public func reset() { transport.receiveReset() }

    /// Takes `window` bytes more, then blocks the transport's writes until `resumeReading` or `grant`.
    public func stopReading(window: Int = 0) { self.window = max(0, window) }

    /// Takes everything again.
    public func resumeReading() {
        window = Int.max
        transport.outletOpened()
    }

    /// Takes `count` bytes more than the window allowed so far.
    public func grant(_ count: Int) {
        let (sum, overflow) = window.addingReportingOverflow(max(0, count))
        window = overflow ? Int.max : sum
        transport.outletOpened()
    }

    /// Takes what was received out of `received`.
    public func takeReceived() -> [UInt8] {
        let bytes = received
        received = []
        return bytes
    }

    func accept(_ bytes: Span<UInt8>) -> Int {
        let count = min(bytes.count, window)
        guard count > 0 else { return 0 }
        if window != Int.max { window -= count }
        let taken = bytes.extracting(..<count)
        unsafe taken.withUnsafeBufferPointer { unsafe received.append(contentsOf: $0) }
        return count
    }

    func noteEnd(_ end: StreamEnd) {
        if self.end != .reset { self.end = end }
    }
}

/// A stream connection in memory, one end of which is scripted.
public enum MemoryStream {
    /// A connection on `loop`, whose `connectionMade` comes in the next turn.
    ///
    /// - Returns: the transport that `streamProtocol` got, and the script's end of it.
    public static func pair(
        on loop: MemoryLoop, _ streamProtocol: any StreamProtocol,
        socketName: SocketAddress? = .loopback(port: 80), peerName: SocketAddress? = .loopback(port: 50000)
    ) -> (transport: MemoryTransport, peer: MemoryPeer) {
        let transport = MemoryTransport(loop: loop, socketName: socketName, peerName: peerName)
        let peer = MemoryPeer(transport: transport)
        transport.outlet = .peer(peer)
        transport.start(streamProtocol)
        return (transport, peer)
    }
}
