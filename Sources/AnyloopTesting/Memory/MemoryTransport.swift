import AnyloopCore

/// A stream transport in memory; the other end is a `MemoryPeer` or another transport of the same loop.
///
/// Keeps asyncio's contract to the letter (rules 63 to 101): `connectionMade` and `connectionLost` from the
/// ready queue, one `dataReceived` for each chunk that was sent, writes at once where the other end has room.
public final class MemoryTransport: StreamTransport {
    /// Where written bytes go.
    enum Outlet {
        case none
        case peer(MemoryPeer)
        case transport(MemoryTransport)
    }

    /// Something queued to be written.
    enum Piece {
        case bytes([UInt8], start: Int)
        case file(MemoryFileSend)
    }

    let memoryLoop: MemoryLoop
    var outlet = Outlet.none
    var server: MemoryServer?
    /// Who gets the callbacks.
    public var streamProtocol: (any StreamProtocol)?
    /// Our address, kept after the end.
    public let socketName: SocketAddress?
    /// The other end's address, kept after the end.
    public let peerName: SocketAddress?

    // What came from the other end and was not read yet; `inboxStart` chunks at the front are spent.
    var inbox: [LentBuffer] = []
    var inboxStart = 0
    var inboxBytes = 0
    var inboxFinished = false
    var inboxReset = false

    var queue: [Piece] = []
    var queueStart = 0
    /// Bytes that the other end has no room for yet; files do not count.
    public internal(set) var writeBufferSize = 0
    /// The marks in force.
    public var writeBufferLimits: WriteBufferLimits { flow.limits }
    /// Writes dropped after the end.
    public var droppedWriteCount: Int { flow.droppedCount }
    /// Whether it is closing or closed.
    public internal(set) var isClosing = false
    /// asyncio's `_conn_lost`: `connectionLost` is queued or was called.
    var isEnding = false
    private var endError: TransportError?
    private var isReadingPaused = false
    private var isReadingStarted = false
    private var isReadingDone = false
    var flow = WriteFlow()
    var refusal: WriteRefusal = []
    private var resetsOnEnd = false
    private var isDetached = false

    var isCandidate = false
    var slot = -1
    /// Runs after `connectionMade`, in the turn that follows it.
    var onMade: (() -> Void)?

    init(loop: MemoryLoop, socketName: SocketAddress?, peerName: SocketAddress?) {
        memoryLoop = loop
        self.socketName = socketName
        self.peerName = peerName
    }

    deinit {
        for buffer in inbox[inboxStart...] { buffer.drop() }
    }

    /// The loop it is on.
    public var loop: any Loop { memoryLoop }
    /// Always true.
    public var canWriteEOF: Bool { true }
    /// Whether it is neither paused nor closing.
    public var isReading: Bool { !isReadingPaused && !isClosing }

    /// Sets the marks; pauses at once if the buffer is above the new high.
    public func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        flow.limits = limits
        pauseIfFull()
    }

    // MARK: Set-up

    func start(_ streamProtocol: any StreamProtocol) {
        self.streamProtocol = streamProtocol
        memoryLoop.register(self)
        memoryLoop.ready.append(.made(self))
    }

    func performMade() {
        do {
            try streamProtocol?.connectionMade(self)
        } catch {
            // Rule 64: reported, the transport stays open and reads.
            report("Exception in callback connection_made()", error)
        }
        isReadingStarted = true
        memoryLoop.enlist(self)
        if let onMade {
            self.onMade = nil
            memoryLoop.callSoon(onMade)
        }
    }

    // MARK: What the other end does

    /// Room for bytes from another transport.
    var window: Int { max(0, memoryLoop.streamWindow - inboxBytes) }

    func receive(_ bytes: Span<UInt8>) {
        guard !isDetached, !inboxFinished, !inboxReset, !bytes.isEmpty else { return }
        inbox.append(LentBuffer(bytes))
        inboxBytes += bytes.count
        memoryLoop.enlist(self)
    }

    func receiveFinish() {
        guard !isDetached else { return }
        inboxFinished = true
        memoryLoop.enlist(self)
    }

    func receiveReset() {
        guard !isDetached else { return }
        inboxReset = true
        memoryLoop.enlist(self)
    }

    /// The other end has room again.
    func outletOpened() {
        if writeBufferSize > 0 { memoryLoop.enlist(self) }
    }

    // MARK: Reading

    var canRead: Bool {
        isReadingStarted && !isReadingDone && !isReadingPaused && !isClosing && !isEnding
            && (inboxStart < inbox.count || inboxFinished || inboxReset)
    }

    /// One read, as one `recv` of a readable event (rule 65).
    func readEvent() {
        guard canRead else { return }
        if inboxStart < inbox.count {
            let buffer = takeChunk()
            do {
                try buffer.lend { bytes throws in try streamProtocol?.dataReceived(bytes) }
            } catch {
                fail("data_received", name: "dataReceived", error)
            }
            if case .transport(let other) = outlet { other.outletOpened() }
        } else if inboxReset {
            end(with: MemoryTransport.connectionReset(during: "recv"))
        } else {
            readEOF()
        }
        if canRead { memoryLoop.enlist(self) }
    }

    private func takeChunk() -> LentBuffer {
        let buffer = inbox[inboxStart]
        inboxStart += 1
        inboxBytes -= buffer.count
        if inboxStart == inbox.count {
            inbox.removeAll(keepingCapacity: true)
            inboxStart = 0
        }
        return buffer
    }

    private func readEOF() {
        isReadingDone = true
        do {
            let keepsOpen = try streamProtocol?.eofReceived() ?? false
            if !keepsOpen { close() }
        } catch {
            fail("eof_received", name: "eofReceived", error)
        }
    }

    /// Stops reading at once; what arrives waits.
    public func pauseReading() { isReadingPaused = true }

    /// Reads on, from the next turn.
    public func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        memoryLoop.enlist(self)
    }

    // MARK: Ending

    /// Sends what is queued, then ends.
    public func close() {
        guard !isClosing else { return }
        isClosing = true
        guard queueStart == queue.count else { return }
        isEnding = true
        memoryLoop.ready.append(.lost(self))
    }

    /// Ends now and drops what is queued.
    public func abort() { end(with: nil) }

    /// Ends with a reset that the other end sees.
    public func reset() {
        resetsOnEnd = true
        end(with: nil)
    }

    /// Drops what is queued and calls `connectionLost` in the next turn (asyncio: `_force_close`).
    func end(with error: TransportError?) {
        guard !isEnding else { return }
        dropQueue(error ?? .cancelled)
        isClosing = true
        isEnding = true
        endError = error
        memoryLoop.ready.append(.lost(self))
    }

    private func dropQueue(_ error: TransportError) {
        for piece in queue[queueStart...] {
            if case .file(let file) = piece { file.fail(error, on: memoryLoop) }
        }
        queue.removeAll()
        queueStart = 0
        writeBufferSize = 0
    }

    func performLost() {
        guard !isDetached else { return }
        isDetached = true
        memoryLoop.unregister(self)
        do {
            try streamProtocol?.connectionLost(endError)
        } catch {
            report("Exception in callback connection_lost()", error)
        }
        streamProtocol = nil
        closeOutlet()
        if let server {
            self.server = nil
            server.connectionEnded()
        }
        if let onMade {
            self.onMade = nil
            memoryLoop.callSoon(onMade)
        }
    }

    /// What the kernel does on close: a reset if input was left unread or asked for, else the end of stream.
    private func closeOutlet() {
        let isReset = resetsOnEnd || inboxStart < inbox.count
        switch outlet {
        case .none: break
        case .peer(let peer): peer.noteEnd(isReset ? .reset : .finish)
        case .transport(let other):
            if isReset { other.receiveReset() } else { other.receiveFinish() }
            other.outlet = .none
        }
        outlet = .none
    }

    /// Lets go of everything without a callback.
    func letGo() {
        isDetached = true
        isEnding = true
        isClosing = true
        streamProtocol = nil
        outlet = .none
        server = nil
        onMade = nil
        queue = []
        queueStart = 0
        slot = -1
    }

    private func fail(_ callback: String, name: String, _ error: any Error) {
        report("Fatal error: protocol.\(callback)() call failed.", error)
        end(with: .callback(name: name, error: error))
    }

    func report(_ message: String, _ error: (any Error)?) {
        memoryLoop.callExceptionHandler(LoopException(message: message, error: error, transport: self))
    }

    static func connectionReset(during operation: String) -> TransportError {
        .system(SystemError(errno: 104, operation: operation, text: "Connection reset by peer"))
    }
}
