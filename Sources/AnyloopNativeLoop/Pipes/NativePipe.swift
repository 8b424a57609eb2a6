import AnyloopCore
import CAnyloopSystem

/// What both ends of pipes share; the members of the half that is not there have no effect.
///
/// On both loops in asyncio's steps: `connectionMade`, the start and `connectionLost` come from the ready queue.
class NativePipe: Watcher, PipeTransport {
    final let native: NativeLoop
    final let direction: PipeDirection
    final var streamProtocol: (any StreamProtocol)?
    final private(set) var phase = NativeStreamTransport.Phase.open
    final var flow = WriteFlow()
    /// `connectionMade` was called; without it there is no `connectionLost` either.
    final private var isMade = false
    final private var cause: TransportError?

    init(loop: NativeLoop, descriptor: Int32, direction: PipeDirection, protocol streamProtocol: any StreamProtocol) {
        native = loop
        self.direction = direction
        self.streamProtocol = streamProtocol
        super.init(descriptor: descriptor)
        loop.attach(self)
        loop.callSoon { self.callConnectionMade() }
        loop.callSoon { self.start() }
    }

    final var loop: any Loop { native.facade ?? native }
    final var socketName: SocketAddress? { nil }
    final var peerName: SocketAddress? { nil }
    final var isClosing: Bool { phase != .open }
    final var writeBufferLimits: WriteBufferLimits { flow.limits }
    final var droppedWriteCount: Int { flow.droppedCount }

    private func callConnectionMade() {
        guard phase != .over else { return }
        isMade = true
        guarded { try streamProtocol?.connectionMade(self) }
    }

    /// Watches the descriptor for the first time.
    func start() {}

    // MARK: The half that is not there

    var isReading: Bool { false }
    func pauseReading() {}
    func resumeReading() {}

    var writeBufferSize: Int { 0 }
    var canWriteEOF: Bool { false }
    func setWriteBufferLimits(_ limits: WriteBufferLimits) {}
    func write(_ bytes: Span<UInt8>) { refuseWrite() }
    func write(_ bytes: [UInt8]) { refuseWrite() }
    func write(contentsOf pieces: [[UInt8]]) { refuseWrite() }
    func writeEOF() {}

    final func sendFile(
        descriptor: Int32, offset: Int64, count: Int, completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        let failure = TransportError.usage("sendfile is not supported for transport \(type(of: self))")
        native.callSoon { completion(.failure(failure)) }
    }

    private func refuseWrite() {
        flow.refuse()
        native.misuse(
            .notImplemented("an end of a pipe that is read has no write(); write to the other"), self, streamProtocol)
    }

    // MARK: Events

    /// Adds a direction; a descriptor that cannot be watched is told to the exception handler, as a failed callback.
    final func widen(_ direction: Interest) {
        guard phase == .open || phase == .closing, !interest.contains(direction) else { return }
        let code = native.watch(self, interest.union(direction))
        if code != 0 { native.reportCallback("", TransportError.system(code, "watching a pipe")) }
    }

    final func narrow(_ direction: Interest) {
        guard interest.contains(direction) else { return }
        native.watch(self, interest.subtracting(direction))
    }

    // MARK: Ending

    func close() { if !isClosing { lose(nil) } }

    func abort() { lose(nil) }

    final func reset() { abort() }

    /// Begins a close, which goes on until the end of what waits.
    final func beginClosing() { if phase == .open { phase = .closing } }

    /// Has `connectionLost` called from the ready queue.
    func lose(_ cause: TransportError?) {
        guard phase == .open || phase == .closing else { return }
        phase = .ending
        self.cause = cause
        native.watch(self, [])
        native.end(self)
    }

    final override func finish() {
        guard phase != .over else { return }
        phase = .over
        native.watch(self, [])
        if isMade { guarded { try streamProtocol?.connectionLost(cause) } }
        streamProtocol = nil
        native.detach(self)
        _ = anyloop_close(descriptor)
        descriptor = -1
    }

    final override func loopCloses() { lose(.loopClosed) }

    // MARK: Errors

    /// Runs a callback of the protocol's; what it throws is an exception in a callback, and ends nothing.
    final func guarded(_ callback: () throws -> Void) {
        do { try callback() } catch { native.reportCallback("", error) }
    }
}
