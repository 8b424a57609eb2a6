import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// A connected stream socket on a `NativeLoop`: TCP or Unix.
///
/// Life: made, started (`NativeLoop.start`), open, closing (a close that flushes), ending (`connectionLost` is in
/// the ready queue), over. No memory of its own beyond this object until a write does not fit the socket.
final class NativeStreamTransport: Watcher, StreamTransport {
    enum Phase: UInt8 {
        case open
        /// `close` was called and bytes still wait.
        case closing
        /// `connectionLost` waits in the ready queue.
        case ending
        case over
    }

    let native: NativeLoop
    var streamProtocol: (any StreamProtocol)? {
        didSet { bufferedProtocol = streamProtocol as? any BufferedStreamProtocol }
    }
    /// The same object, where it lends its own buffer.
    private var bufferedProtocol: (any BufferedStreamProtocol)?

    var phase = Phase.open
    /// `connectionMade` was called; without it there is no `connectionLost` either.
    private var isMade = false
    /// Bytes may flow to the protocol.
    private var isStarted = false
    var isReadingPaused = false
    /// The peer's end was seen; the descriptor stays readable for ever and is not watched for that any more.
    var isAtEnd = false

    var queue: WriteQueue?
    var flow = WriteFlow()
    /// Why nothing may be written although it is open.
    var refusal: WriteRefusal = [] {
        didSet { takesWrites = refusal.isNone }
    }
    /// The same as every write asks it: a load, without a call into another module.
    private(set) var takesWrites = true
    var cause: TransportError?

    private(set) var peerName: SocketAddress?
    private var cachedSocketName: SocketAddress?
    /// The server that accepted this connection, told of its end.
    private(set) var server: NativeServer?

    init(
        loop: NativeLoop, descriptor: Int32, protocol streamProtocol: any StreamProtocol, peer: SocketAddress?,
        server: NativeServer? = nil
    ) {
        native = loop
        self.streamProtocol = streamProtocol
        bufferedProtocol = streamProtocol as? any BufferedStreamProtocol
        peerName = peer
        self.server = server
        super.init(descriptor: descriptor)
        loop.attach(self)
    }

    var loop: any Loop { native.facade ?? native }

    var isClosing: Bool { phase != .open }

    var isReading: Bool { !isReadingPaused && phase == .open }

    var canWriteEOF: Bool { true }

    var writeBufferSize: Int { queue?.byteCount ?? 0 }

    var writeBufferLimits: WriteBufferLimits { flow.limits }

    var droppedWriteCount: Int { flow.droppedCount }

    var socketName: SocketAddress? {
        if cachedSocketName == nil, descriptor >= 0 { cachedSocketName = .bound(descriptor) }
        return cachedSocketName
    }

    // MARK: Starting

    /// Tells the protocol, which a failure of its own does not end (asyncio rule 64).
    func callConnectionMade() {
        guard phase != .over else { return }
        isMade = true
        do { try streamProtocol?.connectionMade(self) } catch {
            native.reportCallback("connection_made", error)
        }
    }

    /// Lets bytes flow to the protocol, unless it paused or closed in `connectionMade`.
    func startReading() {
        isStarted = true
        watchReading()
    }

    // MARK: Events

    override func ready(_ events: Interest) {
        if events.contains(.read) { readReady() }
        if events.contains(.write), interest.contains(.write) { writeReady() }
    }

    private func readReady() {
        if let bufferedProtocol { return fillBuffer(of: bufferedProtocol) }
        let count = unsafe anyloop_receive(descriptor, native.scratch.baseAddress, native.scratch.count)
        if count > 0 {
            guard let streamProtocol else { return }
            do {
                // Not `scratch.span.extracting`: Swift 6.3's optimiser dies on that.
                let bytes = unsafe UnsafeBufferPointer(rebasing: native.scratch[..<Int(count)])
                try streamProtocol.dataReceived(unsafe bytes.span)
            } catch {
                fail("data_received", "dataReceived", error)
            }
        } else if count == 0 {
            receiveEnd()
        } else if !Errno.isTransient(Int32(-count)) {
            end(cause: .system(Int32(-count), "recv"))
        }
    }

    /// Receives into the protocol's own buffer (asyncio rules 104 to 106).
    private func fillBuffer(of bufferedProtocol: any BufferedStreamProtocol) {
        var room = 0
        var count: Int64 = 0
        do {
            try bufferedProtocol.lendBuffer(sizeHint: -1) { buffer in
                room = buffer.count
                guard room > 0 else { return }
                count = unsafe buffer.withUnsafeMutableBufferPointer {
                    unsafe anyloop_receive(descriptor, $0.baseAddress, $0.count)
                }
            }
            guard room > 0 else { throw UsageError("get_buffer() returned an empty buffer") }
        } catch {
            return fail("get_buffer", "lendBuffer", error)
        }
        if count > 0 {
            do { try bufferedProtocol.bufferUpdated(Int(count)) } catch {
                fail("buffer_updated", "bufferUpdated", error)
            }
        } else if count == 0 {
            receiveEnd()
        } else if !Errno.isTransient(Int32(-count)) {
            end(cause: .system(Int32(-count), "recv"))
        }
    }

    private func receiveEnd() {
        isAtEnd = true
        watchReading()
        var staysOpen = false
        do { staysOpen = try streamProtocol?.eofReceived() ?? false } catch {
            return fail("eof_received", "eofReceived", error)
        }
        if !staysOpen { close() }
    }

    // MARK: Reading

    func pauseReading() {
        isReadingPaused = true
        watchReading()
    }

    func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        // asyncio reads again then, and tells of the same end once more.
        if native.discipline == .asyncio { isAtEnd = false }
        watchReading()
    }

    /// Brings what is watched in line with the state.
    func watchReading() {
        if isStarted, isReading, !isAtEnd { widen(.read) } else { narrow(.read) }
    }

    func widen(_ direction: Interest) {
        guard !interest.contains(direction) else { return }
        let code = native.watch(self, interest.union(direction))
        if code != 0 { end(cause: .system(code, "watching a connection")) }
    }

    func narrow(_ direction: Interest) {
        guard interest.contains(direction) else { return }
        native.watch(self, interest.subtracting(direction))
    }

    // MARK: Ending

    func close() {
        guard phase == .open else { return }
        guard let queue, !queue.isEmpty else { return end(cause: nil) }
        phase = .closing
        narrow(.read)
    }

    func abort() { end(cause: nil) }

    func reset() {
        guard phase == .open || phase == .closing else { return }
        _ = anyloop_linger_zero(descriptor)
        end(cause: nil)
    }

    /// A callback threw: the handler hears of it, the connection ends (asyncio rules 66, 74).
    private func fail(_ callback: String, _ name: String, _ error: any Error) {
        // asyncio tells an error of the system to `connectionLost` only, whoever raised it (rule 67).
        if native.discipline == .native || !error.isOfTheSystem {
            native.report("Fatal error: protocol.\(callback)() call failed.", error, self, streamProtocol)
        }
        end(cause: .callback(name: name, error: error))
    }

    /// Drops what is queued and has `connectionLost` called from the ready queue (asyncio rules 94, 95).
    func end(cause: TransportError?) {
        guard phase == .open || phase == .closing else { return }
        phase = .ending
        self.cause = cause
        native.watch(self, [])
        if let queue {
            self.queue = nil
            for file in queue.drop() { file.finish(.failure(cause ?? .cancelled)) }
        }
        native.end(self)
    }

    override func finish() {
        guard phase == .ending else { return }
        phase = .over
        do { if isMade { try streamProtocol?.connectionLost(cause) } } catch {
            native.reportCallback("connection_lost", error)
        }
        streamProtocol = nil
        _ = socketName
        native.detach(self)
        _ = anyloop_close(descriptor)
        descriptor = -1
        server?.connectionEnded()
        server = nil
    }

    override func loopCloses() { end(cause: .loopClosed) }
}
