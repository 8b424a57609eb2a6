import AnyloopCore
import AnyloopNativeLoop
import Glibc
import NIOCore

/// A stream channel of SwiftNIO's as a transport of ours; the last handler of its pipeline.
///
/// SwiftNIO's channel differs from asyncio's transport in when it ends, what it drops and what it counts. Here the
/// channel is closed by us only: `close` waits for what is queued, the peer's end is kept apart from the connection's
/// (`allowRemoteHalfClosure`), what comes during a pause is held, and the end is told in a turn of its own.
final class NIOStreamTransport: ChannelInboundHandler, StreamTransport, NIOResident {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = IOData

    enum Phase: UInt8 {
        /// The connection does not stand yet, or its protocol has not been told.
        case opening
        case open
        /// `close` was called and bytes still wait.
        case closing
        /// `connectionLost` waits in the ready queue.
        case ending
        case over
    }

    /// What the peer's side has come to.
    enum Inbound {
        case open
        /// Its end came during a pause and waits behind what is held.
        case endHeld
        /// The connection failed during a pause: told once reading is resumed, or by the next write.
        case failureHeld(TransportError)
        case ended

        /// Whether it has not come to an end yet.
        var isOpen: Bool { if case .open = self { true } else { false } }

        /// Whether an end waits to be told.
        var isHeld: Bool {
            switch self {
            case .open, .ended: false
            case .endHeld, .failureHeld: true
            }
        }

        var heldFailure: TransportError? { if case .failureHeld(let error) = self { error } else { nil } }
    }

    /// What SwiftNIO does with the channel.
    enum Intake: UInt8 {
        /// It reads of its own accord.
        case reading
        case resting
        /// It gave the channel up: both sides are ended, or it failed.
        case gone
    }

    /// Whether what comes is delivered.
    enum Reading: UInt8 {
        case flowing
        case paused
        /// What is held is delivered in a later turn, before anything newer.
        case resuming
    }

    let nio: NIOLoop
    var streamProtocol: (any StreamProtocol)? {
        didSet { bufferedProtocol = streamProtocol as? any BufferedStreamProtocol }
    }
    private var bufferedProtocol: (any BufferedStreamProtocol)?
    /// The server that accepted this connection, told of its end.
    private(set) var server: NIOServer?

    var context: ChannelHandlerContext?
    var phase = Phase.opening
    private(set) var inbound = Inbound.open
    private(set) var intake = Intake.reading
    private(set) var cause: TransportError?
    /// Keeps others off the channel's descriptor.
    private var claim: Watcher?

    private var reading = Reading.flowing
    /// What came while nothing was to be delivered, oldest first.
    private var held = CircularBuffer<ByteBuffer>()

    /// Bytes that SwiftNIO has taken and not confirmed.
    var unconfirmed = 0
    var flow = WriteFlow()
    var refusal: WriteRefusal = []

    private(set) var socketName: AnyloopCore.SocketAddress?
    private(set) var peerName: AnyloopCore.SocketAddress?

    init(nio: NIOLoop, protocol streamProtocol: any StreamProtocol, server: NIOServer? = nil) {
        self.nio = nio
        self.streamProtocol = streamProtocol
        bufferedProtocol = streamProtocol as? any BufferedStreamProtocol
        self.server = server
        nio.enroll(self)
    }

    var native: NativeLoop { nio.native }
    var loop: any Loop { nio }
    var isClosing: Bool { phase != .open && phase != .opening }
    var isReading: Bool { reading != .paused && !isClosing }
    var canWriteEOF: Bool { true }
    var writeBufferLimits: WriteBufferLimits { flow.limits }
    var droppedWriteCount: Int { flow.droppedCount }
    /// Whether what comes next has to wait.
    private var isHolding: Bool { reading == .paused || !held.isEmpty }

    // MARK: SwiftNIO's events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        start(
            socket: AnyloopCore.SocketAddress(context.localAddress),
            peer: AnyloopCore.SocketAddress(context.remoteAddress))
        nio.turns.noteActivity()
    }

    /// Gives the names of a socket before SwiftNIO gets it, which does not know all families.
    func name(socket: AnyloopCore.SocketAddress?, peer: AnyloopCore.SocketAddress?) {
        (socketName, peerName) = (socket, peer)
    }

    /// Begins on a channel that is active already and does not read.
    func takeOver(_ channel: any Channel) {
        intake = .resting
        start(
            socket: AnyloopCore.SocketAddress(channel.localAddress),
            peer: AnyloopCore.SocketAddress(channel.remoteAddress))
    }

    /// Tells the protocol that the connection stands; bytes flow from here on, unless it paused or closed.
    func start(socket: AnyloopCore.SocketAddress?, peer: AnyloopCore.SocketAddress?) {
        guard phase == .opening else { return }
        if socketName == nil, peerName == nil { (socketName, peerName) = (socket, peer) }
        phase = .open
        claimDescriptor()
        do { try streamProtocol?.connectionMade(self) } catch {
            native.reportCallback("connection_made", error)
        }
        adjustReading()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        nio.turns.noteActivity()
        let buffer = unwrapInboundIn(data)
        guard phase == .open else {
            if phase == .opening { held.append(buffer) }
            return
        }
        if isHolding { held.append(buffer) } else { deliver(buffer) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        inputEnded()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        nio.turns.noteActivity()
        let cause = TransportError.fromNIO(error, "recv")
        if phase == .open, isHolding, unconfirmed == 0 {
            // SwiftNIO has read what was there before; asyncio finds the failure behind it, by reading or writing.
            inbound = cause.map { .failureHeld($0) } ?? .endHeld
            return
        }
        if phase == .open, !askForBuffer() { return }
        end(cause: cause)
    }

    func channelInactive(context: ChannelHandlerContext) {
        nio.turns.noteActivity()
        intake = .gone
        giveUpDescriptor()
        switch phase {
        case .opening, .ending, .over: return
        case .closing: end(cause: nil)
        case .open:
            // Both sides are ended, which asyncio tells apart from the connection's end, or the peer went away after
            // its end, which asyncio hears of by the next write.
            inputEnded()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { resumeIfDrained() }

    private func inputEnded() {
        guard inbound.isOpen, phase == .open || phase == .opening else { return }
        nio.turns.noteActivity()
        if isHolding || phase == .opening { inbound = .endHeld } else { receiveEnd() }
    }

    // MARK: Delivering

    private func deliver(_ buffer: ByteBuffer) {
        if let bufferedProtocol { return fill(bufferedProtocol, buffer) }
        do { try streamProtocol?.dataReceived(buffer.readableBytesUInt8Span) } catch {
            fail("data_received", "dataReceived", error)
        }
    }

    /// Hands `buffer` over in portions of the protocol's own buffer (asyncio rules 104 to 106).
    private func fill(_ bufferedProtocol: any BufferedStreamProtocol, _ buffer: ByteBuffer) {
        var rest = buffer
        while rest.readableBytes > 0 {
            guard phase == .open, reading != .paused else {
                if phase == .open { held.prepend(rest) }
                return
            }
            var count = 0
            do {
                try bufferedProtocol.lendBuffer(sizeHint: -1) { room in
                    count = min(room.count, rest.readableBytes)
                    unsafe room.withUnsafeMutableBytes { target in
                        unsafe rest.withUnsafeReadableBytes { source in
                            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
                        }
                    }
                }
                guard count > 0 else { throw UsageError("get_buffer() returned an empty buffer") }
            } catch {
                return fail("get_buffer", "lendBuffer", error)
            }
            rest.moveReaderIndex(forwardBy: count)
            do { try bufferedProtocol.bufferUpdated(count) } catch {
                return fail("buffer_updated", "bufferUpdated", error)
            }
        }
    }

    private func receiveEnd() {
        let failure = inbound.heldFailure
        inbound = .ended
        guard askForBuffer() else { return }
        if let failure { return end(cause: failure) }
        var staysOpen = false
        do { staysOpen = try streamProtocol?.eofReceived() ?? false } catch {
            return fail("eof_received", "eofReceived", error)
        }
        if !staysOpen { close() }
    }

    /// Asks a buffered protocol for its buffer where asyncio would, though nothing comes but an end; false if that
    /// failed, which ends the connection.
    private func askForBuffer() -> Bool {
        do { try bufferedProtocol?.lendBuffer(sizeHint: -1) { _ in } } catch {
            fail("get_buffer", "lendBuffer", error)
            return false
        }
        return true
    }

    /// Delivers what is held, then the end if that is held, too.
    private func deliverHeld() {
        guard reading == .resuming else { return }
        reading = .flowing
        while phase == .open, reading != .paused, let buffer = held.popFirst() { deliver(buffer) }
        guard phase == .open, reading != .paused else { return }
        if inbound.isHeld { receiveEnd() }
        adjustReading()
    }

    // MARK: Reading

    func pauseReading() {
        reading = .paused
        adjustReading()
    }

    func resumeReading() {
        guard reading == .paused else { return }
        reading = .flowing
        adjustReading()
    }

    /// Brings SwiftNIO's reading in line with the state; what is held comes before anything newer.
    private func adjustReading() {
        if phase == .open, reading != .paused, !held.isEmpty || inbound.isHeld {
            guard reading == .flowing else { return }
            reading = .resuming
            native.callSoon { [self] in deliverHeld() }
            return
        }
        let wanted = phase == .open && reading != .paused && inbound.isOpen ? Intake.reading : .resting
        guard wanted != intake, intake != .gone else { return }
        intake = wanted
        // Fails on a closed channel only, which reads nothing.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: wanted == .reading)
    }

    // MARK: Ending

    func close() {
        guard phase == .open || phase == .opening else { return }
        guard unconfirmed > 0, intake != .gone else { return end(cause: nil) }
        phase = .closing
        held.removeAll()
        adjustReading()
    }

    func abort() { end(cause: nil) }

    func reset() {
        guard phase == .open || phase == .closing else { return }
        _ = (context?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        end(cause: nil)
    }

    /// A callback threw: the handler hears of it, the connection ends (asyncio rules 66, 74).
    func fail(_ callback: String, _ name: String, _ error: any Error) {
        native.report("Fatal error: protocol.\(callback)() call failed.", error, self, streamProtocol)
        end(cause: .callback(name: name, error: error))
    }

    /// Drops what is queued and has `connectionLost` called from the ready queue (asyncio rules 94, 95).
    func end(cause: TransportError?) {
        let before = phase
        guard before != .ending, before != .over else { return }
        phase = .ending
        self.cause = cause
        held.removeAll()
        closeChannel()
        guard before == .opening else {
            native.callSoon { [self] in finish() }
            return
        }
        // Who has not heard of the beginning hears of no end.
        streamProtocol = nil
        finish()
    }

    private func finish() {
        guard phase == .ending else { return }
        phase = .over
        do { try streamProtocol?.connectionLost(cause) } catch {
            native.reportCallback("connection_lost", error)
        }
        streamProtocol = nil
        nio.dismiss(self)
        server?.connectionEnded()
        server = nil
    }

    private func closeChannel() {
        giveUpDescriptor()
        context?.close(mode: .all, promise: nil)
    }

    /// Has the loop refuse the descriptor to `addReader` and its like.
    private func claimDescriptor() {
        let descriptor = try? context?.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self, { $0 })
        claim = descriptor.map { native.claim($0) }
    }

    private func giveUpDescriptor() {
        if let claim { native.detach(claim) }
        claim = nil
    }

    func loopCloses() {
        end(cause: .loopClosed)
        finish()
    }
}
