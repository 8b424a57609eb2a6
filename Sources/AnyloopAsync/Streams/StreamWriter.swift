import AnyloopCore

/// Writes a byte stream, and waits where the peer is slow (asyncio: `StreamWriter`). Confined to its loop's thread.
///
/// Close it: a writer of an open connection that nobody holds any more closes it, too, but when is not said.
public final class StreamWriter {
    /// The transport underneath; its names, limits and pausing are the connection's (asyncio: `transport`).
    public private(set) var transport: any StreamTransport

    package let loop: any TaskLoop
    private let flow: StreamFlow
    private let reader: StreamReader?

    init(loop: any TaskLoop, transport: any StreamTransport, flow: StreamFlow, reader: StreamReader?) {
        self.loop = loop
        self.transport = transport
        self.flow = flow
        self.reader = reader
    }

    deinit {
        guard loop.remote.isOnLoopThread, !loop.isClosed, !transport.isClosing else { return }
        transport.close()
        guard let debugLoop = loop as? any DebugLoop, debugLoop.isDebug else { return }
        let record = LoopLogRecord(level: .warning, message: "unclosed StreamWriter of \(transport)")
        debugLoop.logHandler?(record)
    }

    /// Goes on over `transport`, which stands above the one before (asyncio: `_replace_writer`).
    package func replaceTransport(_ transport: any StreamTransport) {
        self.transport = transport
        (transport.streamProtocol as? StreamReaderProtocol)?.replaceTransport(transport)
    }

    /// Bytes that its reader holds.
    package var bufferedCount: Int { reader?.bufferedCount ?? 0 }

    /// Our own address; kept after the close (asyncio: `get_extra_info("sockname")`).
    public var socketName: SocketAddress? { transport.socketName }

    /// The peer's address; kept after the close (asyncio: `get_extra_info("peername")`).
    public var peerName: SocketAddress? { transport.peerName }

    /// Queues `bytes`; `drain` waits for the peer (asyncio: `write`).
    public func write(_ bytes: Span<UInt8>) { transport.write(bytes) }

    /// Queues `bytes`; `drain` waits for the peer (asyncio: `write`).
    public func write(_ bytes: [UInt8]) { transport.write(bytes) }

    /// Queues several pieces in order (asyncio: `writelines`); no newlines are added.
    public func writeLines(_ pieces: [[UInt8]]) { transport.write(contentsOf: pieces) }

    /// Ends our side once what is queued is sent (asyncio: `write_eof`).
    public func writeEOF() { transport.writeEOF() }

    /// Whether `writeEOF` works here (asyncio: `can_write_eof`).
    public var canWriteEOF: Bool { transport.canWriteEOF }

    /// Closes once what is queued is sent (asyncio: `close`); `waitClosed` waits for that.
    public func close() { transport.close() }

    /// Whether it is closing or closed (asyncio: `is_closing`).
    public var isClosing: Bool { transport.isClosing }

    /// Waits until the connection is gone (asyncio: `wait_closed`).
    ///
    /// - Throws: the error that ended the connection; `TransportError.cancelled` with the task.
    public nonisolated(nonsending) func waitClosed() async throws {
        try await flow.closed.value
    }

    /// Waits until the write buffer is below its high mark again; at once if it is (asyncio: `drain`).
    ///
    /// On a closing connection it gives up one turn, so that whoever writes in a loop gets to hear of the end.
    ///
    /// - Throws: the reader's `exception`; the error that ended the connection while this waited;
    ///   `TransportError.system` of `ECONNRESET` once the connection is lost; `.cancelled` with the task.
    public nonisolated(nonsending) func drain() async throws {
        if let error = reader?.exception { throw error }
        if transport.isClosing { try await loop.sleep(for: .zero) }
        try await flow.drain()
    }
}
