import AnyloopCore

/// What a server does with a connection, in a task of its own.
public typealias StreamHandler = (_ reader: StreamReader, _ writer: StreamWriter) async throws -> Void

/// Feeds a `StreamReader` from a transport, and tells a `StreamWriter` when to wait (asyncio:
/// `StreamReaderProtocol`). Confined to its loop's thread.
public final class StreamReaderProtocol: StreamProtocol {
    private let loop: any TaskLoop
    /// Weak, as in asyncio: what comes for a reader that nobody holds any more is dropped.
    private weak var reader: StreamReader?
    /// Holds the reader until the handler gets it.
    private var unclaimedReader: StreamReader?
    private var handler: StreamHandler?
    private var writer: StreamWriter?
    /// TLS knows no half-open connections: the end of the peer's side is that of ours (asyncio rule 127).
    private var isOverTLS = false
    private let flow: StreamFlow

    /// A protocol that feeds `reader`; with a `handler`, which gets it and a writer in a task once the connection is
    /// made.
    public init(loop: any TaskLoop, reader: StreamReader, handler: StreamHandler? = nil) {
        self.loop = loop
        self.reader = reader
        self.handler = handler
        if handler != nil { unclaimedReader = reader }
        flow = StreamFlow(loop: loop)
    }

    /// A writer on `transport`, which this protocol is told of.
    package func makeWriter(_ transport: any StreamTransport, _ reader: StreamReader?) -> StreamWriter {
        StreamWriter(loop: loop, transport: transport, flow: flow, reader: reader)
    }

    /// Starts the handler's task.
    public func connectionMade(_ transport: any StreamTransport) {
        isOverTLS = transport.tls != nil
        reader?.setTransport(transport)
        guard let handler, let reader else { return }
        self.handler = nil
        unclaimedReader = nil
        let writer = makeWriter(transport, reader)
        self.writer = writer
        let loop = loop
        loop.createTask { try await handler(reader, writer) }.addDoneCallback { task in
            if task.isCancelled { return transport.close() }
            guard let error = try task.exception() else { return }
            loop.callExceptionHandler(
                LoopException(
                    message: "Unhandled exception in client_connected_cb", error: error, transport: transport))
            transport.close()
        }
    }

    /// Goes on over `transport`, which stands above the one before.
    func replaceTransport(_ transport: any StreamTransport) {
        isOverTLS = transport.tls != nil
        reader?.replaceTransport(transport)
    }

    /// Feeds the reader.
    public func dataReceived(_ data: Span<UInt8>) { reader?.feedData(data) }

    /// Ends the reader; our side stays open for writing, unless it is TLS.
    public func eofReceived() -> Bool {
        reader?.feedEOF()
        return !isOverTLS
    }

    /// Ends whoever reads, drains or waits for the close.
    public func connectionLost(_ error: TransportError?) throws {
        if let error { reader?.setException(error) } else { reader?.feedEOF() }
        try flow.lost(error)
        reader = nil
        unclaimedReader = nil
        writer = nil
    }

    /// Has `drain` wait from here on.
    public func pauseWriting() { flow.pause() }

    /// Lets every `drain` go on.
    public func resumeWriting() { flow.resume() }
}
