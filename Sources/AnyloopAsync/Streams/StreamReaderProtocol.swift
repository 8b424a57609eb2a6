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
    private var isPaused = false
    private var isLost = false
    private var drainWaiters: [Waiter<Void>] = []

    /// Done once the connection is lost.
    let closed: Future<Void>

    /// A protocol that feeds `reader`; with a `handler`, which gets it and a writer in a task once the connection is
    /// made.
    public init(loop: any TaskLoop, reader: StreamReader, handler: StreamHandler? = nil) {
        self.loop = loop
        self.reader = reader
        self.handler = handler
        if handler != nil { unclaimedReader = reader }
        closed = loop.createFuture()
    }

    deinit {
        // An error that nobody waited for was told to the reader.
        if closed.isDone, !closed.isCancelled { _ = try? closed.exception() }
    }

    /// Starts the handler's task.
    public func connectionMade(_ transport: any StreamTransport) {
        reader?.setTransport(transport)
        guard let handler, let reader else { return }
        self.handler = nil
        unclaimedReader = nil
        let writer = StreamWriter(loop: loop, transport: transport, streamProtocol: self, reader: reader)
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

    /// Feeds the reader.
    public func dataReceived(_ data: Span<UInt8>) { reader?.feedData(data) }

    /// Ends the reader; our side stays open for writing.
    public func eofReceived() -> Bool {
        reader?.feedEOF()
        return true
    }

    /// Ends whoever reads, drains or waits for the close.
    public func connectionLost(_ error: TransportError?) throws {
        isLost = true
        if let error { reader?.setException(error) } else { reader?.feedEOF() }
        if !closed.isDone {
            if let error { try closed.setError(error) } else { try closed.setResult() }
        }
        if isPaused { wakeDrainers(error) }
        reader = nil
        unclaimedReader = nil
        writer = nil
    }

    /// Has `drain` wait from here on.
    public func pauseWriting() { isPaused = true }

    /// Lets every `drain` go on.
    public func resumeWriting() {
        isPaused = false
        wakeDrainers(nil)
    }

    private func wakeDrainers(_ error: TransportError?) {
        for waiter in drainWaiters { waiter.finish(error.map(Result.failure) ?? .success(())) }
    }

    nonisolated(nonsending) func drain() async throws(TransportError) {
        if isLost { throw .system(SystemError(errno: 104, operation: "drain", text: "Connection lost")) }
        guard isPaused else { return }
        try loop.checkThread()
        let waiter = Waiter<Void>()
        drainWaiters.append(waiter)
        defer { drainWaiters.removeAll { $0 === waiter } }
        try await loop.suspend(waiter)
        try waiter.result?.get()
    }
}
