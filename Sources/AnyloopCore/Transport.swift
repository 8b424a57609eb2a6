/// The write buffer's two marks, in bytes.
///
/// `pauseWriting` comes once when the buffer goes above `high`, `resumeWriting` once when it is at or
/// below `low` (asyncio rules 85 to 89).
public struct WriteBufferLimits: Hashable, Sendable {
    /// Above this the protocol is told to pause.
    public let high: Int
    /// At or below this it is told to go on.
    public let low: Int

    /// 64 KiB and 16 KiB.
    public static let standard = WriteBufferLimits(uncheckedHigh: 65536, low: 16384)

    /// 512 KiB and 128 KiB: where a TLS transport begins (asyncio rule 125).
    public static let tls = WriteBufferLimits(uncheckedHigh: 524_288, low: 131_072)

    private init(uncheckedHigh: Int, low: Int) {
        high = uncheckedHigh
        self.low = low
    }

    /// The marks asyncio derives: only `high` gives `low = high / 4`, only `low` gives `high = 4 * low`,
    /// neither gives the standard.
    ///
    /// - Throws: `TransportError.usage` unless `high >= low >= 0` (asyncio rule 86).
    public init(high: Int? = nil, low: Int? = nil) throws(TransportError) {
        let top = high ?? low.map { $0.multipliedReportingOverflow(by: 4).overflow ? Int.max : $0 * 4 } ?? 65536
        // Floored, as Python divides.
        let bottom = low ?? top >> 2
        guard top >= bottom, bottom >= 0 else {
            throw .usage(.argument("high (\(top)) must be >= low (\(bottom)) must be >= 0"))
        }
        self.init(uncheckedHigh: top, low: bottom)
    }
}

/// What stream and datagram transports share (asyncio: `BaseTransport`). Confined to its loop's thread.
public protocol Transport: AnyObject {
    /// The loop that drives this transport.
    var loop: any Loop { get }

    /// Whether the transport is closing or closed.
    var isClosing: Bool { get }

    /// Flushes what is queued, then closes; reading stops now. Idempotent (asyncio rules 94, 95).
    func close()

    /// Closes now and drops what is queued. Idempotent.
    func abort()

    /// Our own address; kept after the close.
    var socketName: SocketAddress? { get }

    /// The peer's address, nil where it has none; kept after the close.
    var peerName: SocketAddress? { get }

    /// Bytes taken from the protocol and not yet given to the kernel.
    var writeBufferSize: Int { get }

    /// The marks in force.
    var writeBufferLimits: WriteBufferLimits { get }

    /// Sets the marks; pauses at once if the buffer is above the new high (asyncio rule 88).
    func setWriteBufferLimits(_ limits: WriteBufferLimits)

    /// Writes that came after the end and were dropped (asyncio rule 83).
    var droppedWriteCount: Int { get }
}

/// Moves a byte stream for one protocol: TCP, Unix stream, TLS over another (asyncio: `Transport`).
public protocol StreamTransport: Transport {
    /// The protocol that gets the callbacks; nil after `connectionLost`. Setting it changes who gets the next
    /// one, with no `connectionMade` or `connectionLost` for either (asyncio rule 101).
    var streamProtocol: (any StreamProtocol)? { get set }

    /// Sends `bytes`: what the socket takes goes at once, the rest is copied and queued.
    ///
    /// Dropped and counted after the end; dropped and reported to the loop's exception handler after `writeEOF`.
    func write(_ bytes: Span<UInt8>)

    /// Sends `bytes`, keeping a reference instead of a copy where the socket does not take it all.
    func write(_ bytes: [UInt8])

    /// Sends several pieces in order with one gathering call, without joining them (asyncio: `writelines`).
    func write(contentsOf pieces: [[UInt8]])

    /// Sends `count` bytes of the open file `descriptor` from `offset`, in order with other writes.
    ///
    /// The kernel moves the bytes where it can (`sendfile`). `completion` runs later on the loop with the
    /// number of bytes sent: fewer than `count` if the file ended early. The descriptor must stay open until
    /// then and stays the caller's.
    func sendFile(
        descriptor: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void)

    /// Ends our side once what is queued is sent; reading goes on (asyncio rule 82). Idempotent.
    func writeEOF()

    /// Whether `writeEOF` works here; not over TLS.
    var canWriteEOF: Bool { get }

    /// Stops `dataReceived` and `eofReceived` at once, for what is already buffered too (asyncio rule 68).
    func pauseReading()

    /// Undoes `pauseReading`.
    func resumeReading()

    /// Whether the transport is neither paused nor closing.
    var isReading: Bool { get }

    /// Closes with a reset, so that the peer sees `ECONNRESET` (`SO_LINGER` of zero); otherwise as `abort`.
    func reset()

    /// What the TLS handshake agreed on, kept after the close; nil without TLS.
    var tls: TLSInfo? { get }
}

extension StreamTransport {
    /// Nil.
    public var tls: TLSInfo? { nil }
}

/// Sends and receives datagrams for one protocol (asyncio: `DatagramTransport`).
public protocol DatagramTransport: Transport {
    /// The protocol that gets the callbacks; nil after `connectionLost`.
    var datagramProtocol: (any DatagramProtocol)? { get }

    /// Sends one datagram, to `address` or to the connected peer where it is nil; queued if the socket is full.
    ///
    /// On an endpoint without a peer an `address` is needed, on one with a peer it must be nil or that peer;
    /// otherwise the datagram is dropped and `errorReceived` gets a `TransportError.usage`. A loop that does as
    /// asyncio tells the exception handler instead, and without an address it ends the endpoint (rules 109, 110).
    func send(_ bytes: Span<UInt8>, to address: SocketAddress?)
}
