import AnyloopCore
import AnyloopTesting

/// Stands between a transport and a subject's protocol, and sees all that passes between them.
///
/// A protocol that hands its transport over to another one (an upgrade) stays under observation.
final class ObservedConnection: StreamProtocol {
    /// The protocol under test; changes when it hands over, nil after `connectionLost`.
    fileprivate(set) var inner: (any StreamProtocol)?
    /// The law that every callback was reported to.
    private(set) var grammar = CallbackGrammar(.stream)
    /// What the protocol holds as its transport; nil before `connectionMade`.
    private(set) var transport: ObservedTransport?
    /// Callbacks and calls so far: while it stands still, nothing happens.
    fileprivate(set) var activity = 0
    /// Bytes that `dataReceived` was given.
    private(set) var receivedCount = 0
    /// Whether `eofReceived` came.
    private(set) var sawEnd = false
    /// Whether `connectionLost` came.
    private(set) var isLost = false
    /// Whether the protocol has paused reading.
    fileprivate var isReadingPaused = false
    private var cameInPause = false
    /// The callbacks in order.
    private(set) var callbacks = CallbackSequence()
    /// Set before `connectionMade`: the watermark's high mark.
    var highWatermark: Int?

    init(_ inner: any StreamProtocol) { self.inner = inner }

    /// The first way in which callbacks broke their grammar, or came although reading was paused (asyncio rule 68).
    var violation: String? {
        grammar.violation?.description ?? (cameInPause ? "dataReceived came while reading was paused" : nil)
    }

    func connectionMade(_ transport: any StreamTransport) throws {
        activity += 1
        let observed = ObservedTransport(transport, self)
        self.transport = observed
        if let highWatermark { transport.setWriteBufferLimits(try WriteBufferLimits(high: highWatermark)) }
        callbacks.append(.made)
        grammar.enter(.made)
        defer { grammar.leave() }
        try inner?.connectionMade(observed)
    }

    func dataReceived(_ data: Span<UInt8>) throws {
        activity += 1
        receivedCount += data.count
        if isReadingPaused { cameInPause = true }
        callbacks.append(.data)
        grammar.enter(.data)
        defer { grammar.leave() }
        try inner?.dataReceived(data)
    }

    func eofReceived() throws -> Bool {
        activity += 1
        sawEnd = true
        callbacks.append(.eof)
        grammar.enter(.eof)
        defer { grammar.leave() }
        return try inner?.eofReceived() ?? false
    }

    func connectionLost(_ error: TransportError?) throws {
        activity += 1
        isLost = true
        callbacks.lostCause = error.map(AnyloopTesting.TraceEvent.cause)
        callbacks.append(.lost)
        grammar.enter(.lost)
        defer {
            grammar.leave()
            inner = nil
        }
        try inner?.connectionLost(error)
    }

    func pauseWriting() throws {
        activity += 1
        callbacks.append(.pause)
        grammar.enter(.pause)
        defer { grammar.leave() }
        try inner?.pauseWriting()
    }

    func resumeWriting() throws {
        activity += 1
        callbacks.append(.resume)
        grammar.enter(.resume)
        defer { grammar.leave() }
        try inner?.resumeWriting()
    }
}

/// The transport as an observed protocol sees it: passes everything on and keeps count.
final class ObservedTransport: StreamTransport {
    private let base: any StreamTransport
    private unowned let observer: ObservedConnection
    /// Bytes that the protocol has given to be sent.
    private(set) var writtenCount = 0
    /// Whether the protocol has ended its side: `writeEOF`, `close`, `abort` or `reset`.
    private(set) var hasEnded = false
    /// Whether the protocol has dropped what was queued: `abort` or `reset`.
    private(set) var hasAborted = false

    init(_ base: any StreamTransport, _ observer: ObservedConnection) {
        self.base = base
        self.observer = observer
    }

    var loop: any Loop { base.loop }
    var isClosing: Bool { base.isClosing }
    var socketName: SocketAddress? { base.socketName }
    var peerName: SocketAddress? { base.peerName }
    var writeBufferSize: Int { base.writeBufferSize }
    var writeBufferLimits: WriteBufferLimits { base.writeBufferLimits }
    var droppedWriteCount: Int { base.droppedWriteCount }
    var canWriteEOF: Bool { base.canWriteEOF }
    var isReading: Bool { base.isReading }
    var tls: TLSInfo? { base.tls }

    var streamProtocol: (any StreamProtocol)? {
        get { observer.inner }
        set { observer.inner = newValue }
    }

    func close() {
        note()
        hasEnded = true
        base.close()
    }

    func abort() {
        note()
        hasEnded = true
        hasAborted = true
        base.abort()
    }

    func reset() {
        note()
        hasEnded = true
        hasAborted = true
        base.reset()
    }

    func writeEOF() {
        note()
        hasEnded = true
        base.writeEOF()
    }

    func setWriteBufferLimits(_ limits: WriteBufferLimits) { base.setWriteBufferLimits(limits) }

    func write(_ bytes: Span<UInt8>) {
        note(bytes.count)
        base.write(bytes)
    }

    func write(_ bytes: [UInt8]) {
        note(bytes.count)
        base.write(bytes)
    }

    func write(contentsOf pieces: [[UInt8]]) {
        note(pieces.reduce(0) { $0 + $1.count })
        base.write(contentsOf: pieces)
    }

    func sendFile(
        descriptor: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        note()
        base.sendFile(descriptor: descriptor, offset: offset, count: count) { [self] result in
            note((try? result.get()) ?? 0)
            completion(result)
        }
    }

    func pauseReading() {
        note()
        observer.isReadingPaused = true
        base.pauseReading()
    }

    func resumeReading() {
        note()
        observer.isReadingPaused = false
        base.resumeReading()
    }

    private func note(_ count: Int = 0) {
        observer.activity += 1
        if !hasEnded { writtenCount += count }
    }
}
