/// Which way bytes go through one end of a pipe.
public enum PipeDirection: String, Sendable, CaseIterable {
    /// Bytes come in (asyncio: `ReadTransport`).
    case reading
    /// Bytes go out (asyncio: `WriteTransport`).
    case writing
}

/// One end of a pipe: a stream transport of which only one half works (asyncio rule 115).
///
/// It is a `StreamTransport`, so that stream protocols, readers and writers serve for pipes as well. Calls of the
/// half that is not there have no effect; a write on an end that is read is dropped, counted and reported to the
/// loop's exception handler (asyncio: `AttributeError`). There are no addresses, and `reset` is `abort`.
///
/// A protocol on an end that is read gets `connectionMade`, `dataReceived`, `eofReceived`, whose answer does not
/// count, and `connectionLost`. What `dataReceived` throws is reported, and does not end the transport.
///
/// A protocol on an end that is written gets `connectionMade`, `pauseWriting`, `resumeWriting` and `connectionLost`:
/// when the reader goes, with `EPIPE` if bytes were still waiting and nil otherwise. `writeEOF` and `close` are one:
/// the end is closed once what is queued is written.
public protocol PipeTransport: StreamTransport {
    /// Which half works.
    var direction: PipeDirection { get }
}

/// A loop that reads and writes pipes, sockets and character devices (asyncio rule 115).
public protocol PipeLoop: Loop {
    /// Reads `descriptor`, which is the transport's from here on and does not block any more
    /// (asyncio: `connect_read_pipe`).
    ///
    /// `connectionMade` comes in the next turn; reading starts after it.
    ///
    /// - Throws: `TransportError.usage` for a plain file and the like, `.callback` if the factory threw, `.system`,
    ///   `.loopClosed`; the descriptor stays the caller's then.
    @discardableResult
    func connectReadPipe(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any PipeTransport

    /// Writes to `descriptor`; otherwise as `connectReadPipe` (asyncio: `connect_write_pipe`).
    @discardableResult
    func connectWritePipe(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any PipeTransport
}
