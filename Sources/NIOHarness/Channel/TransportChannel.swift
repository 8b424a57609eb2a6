import AnyloopCore
import NIOBridge
public import NIOCore
import Synchronization

/// A channel of NIO's whose bytes a stream transport of ours moves.
///
/// A pipeline on it behaves as on NIO's own socket channel (`NIOPosix`): automatic and asked-for reading, writability by
/// its marks, promises of writes once the transport has passed them on, half-closure, the three modes of close, errors of
/// the connection fired through the pipeline. Two things are the transport's: an end of stream waits while reading is
/// paused (asyncio rule 68), and writability returns at the first look below the low mark.
///
/// `PipelineProtocol` makes it. Only on the event loop, but for `isActive`, `isWritable`, the addresses and what NIO's
/// `Channel` forwards there by itself.
///
/// `@unchecked Sendable`: what other threads may read is atomic or does not change; the rest is used on the event loop.
public final class TransportChannel: Channel, @unchecked Sendable {
    /// How far its life is.
    enum Stage { case fresh, active, closed }

    /// How far its output is.
    enum Output {
        case open
        /// It ends once what is flushed is on its way.
        case ending(EventLoopPromise<Void>?)
        case ended
    }

    /// The event loop of the loop that the transport is on.
    public let eventLoop: any EventLoop
    /// NIO's allocator.
    public var allocator: ByteBufferAllocator { ByteBufferAllocator() }
    /// Our own address, kept after the close; nil where NIO has no such address.
    public let localAddress: NIOCore.SocketAddress?
    /// The peer's address, kept after the close; nil where NIO has no such address.
    public let remoteAddress: NIOCore.SocketAddress?
    /// Nil.
    public var parent: (any Channel)? { nil }
    /// The handlers.
    public private(set) lazy var pipeline = ChannelPipeline(channel: self)

    /// Nil once it has ended.
    var transport: (any StreamTransport)?
    let closePromise: EventLoopPromise<Void>
    let onError: (any Error) -> Void
    private let activeFlag = Atomic<Bool>(false)
    private let writableFlag = Atomic<Bool>(true)

    var stage = Stage.fresh { didSet { activeFlag.store(stage == .active, ordering: .releasing) } }
    var isInputOpen = true
    var output = Output.open
    var autoRead = true
    var allowsHalfClosure = false
    /// Whether `read` was called and not answered yet.
    var isReadPending = false
    var isTransportPaused = false
    /// Whether bytes are on their way through the pipeline.
    var isDelivering = false
    var writes = PendingWrites()

    /// A channel over `transport`; `onError` hears of errors that no handler has kept.
    init(
        _ transport: any StreamTransport, on eventLoop: any EventLoop, onError: @escaping (any Error) -> Void
    ) {
        self.transport = transport
        self.eventLoop = eventLoop
        self.onError = onError
        localAddress = try? transport.socketName?.forNIO()
        remoteAddress = try? transport.peerName?.forNIO()
        closePromise = eventLoop.makePromise(of: Void.self)
        _ = pipeline
    }

    /// Succeeds once the channel is closed; never fails.
    public var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    /// Whether the connection stands.
    public var isActive: Bool { activeFlag.load(ordering: .acquiring) }
    /// Whether less is queued than the marks allow.
    public var isWritable: Bool { writableFlag.load(ordering: .acquiring) }
    /// The part that the head of the pipeline calls.
    public var _channelCore: any ChannelCore { self }

    /// Registers and activates it, once its handlers are in the pipeline.
    func start() {
        pipeline.syncOperations.fireChannelRegistered()
        guard stage == .fresh else { return }
        stage = .active
        // Every byte that the transport keeps is heard of again, so that promises and writability can be told.
        writes.watch(0, on: transport)
        pipeline.syncOperations.fireChannelActive()
        readIfWanted()
    }

    // MARK: Reading

    /// Takes bytes through the pipeline.
    func receive(_ data: Span<UInt8>) {
        guard stage == .active, isInputOpen else { return }
        isDelivering = true
        isReadPending = false
        var buffer = allocator.buffer(capacity: data.count)
        unsafe buffer.writeBytes(data.bytes)
        pipeline.syncOperations.fireChannelRead(NIOAny(buffer))
        if stage == .active { pipeline.syncOperations.fireChannelReadComplete() }
        isDelivering = false
        readIfWanted()
    }

    /// The peer ended its side; whether ours stays open.
    func receiveEnd() -> Bool {
        guard stage == .active else { return false }
        pipeline.syncOperations.fireChannelReadComplete()
        guard stage == .active else { return false }
        close0(error: ChannelError.eof, mode: allowsHalfClosure ? .input : .all, promise: nil)
        return stage == .active
    }

    /// The connection is gone.
    func lose(_ error: TransportError?) {
        transport = nil
        guard stage != .closed else { return }
        if let error { pipeline.syncOperations.fireErrorCaught(error.forChannels) }
        close0(error: error?.forChannels ?? ChannelError.ioOnClosedChannel, mode: .all, promise: nil)
    }

    /// Asks the pipeline for a read if the channel reads by itself, and has the transport do as was asked.
    func readIfWanted() {
        if stage == .active, isInputOpen, autoRead, !isReadPending { pipeline.syncOperations.read() }
        guard stage == .active, isInputOpen, let transport, isTransportPaused == isReadPending else { return }
        isTransportPaused.toggle()
        if isTransportPaused { transport.pauseReading() } else { transport.resumeReading() }
    }

    // MARK: Writing

    /// Tells promises and writability of what the transport has passed on, and ends the output where that was to come.
    func settleWrites() {
        while let promise = writes.takePassed(transport) { promise.succeed(()) }
        guard stage == .active else { return }
        updateWritability()
        writes.watch(isWritable ? 0 : max(0, writes.marks.low - 1), on: transport)
        guard case .ending(let promise) = output, writes.isEmpty(transport) else { return }
        output = .ended
        transport?.writeEOF()
        promise?.succeed(())
        pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.outputClosed)
    }

    /// Compares what is queued with the marks (`WriteBufferWaterMark`).
    func updateWritability() {
        let queued = writes.queued(transport)
        guard isWritable ? queued > writes.marks.high : queued < writes.marks.low else { return }
        writableFlag.store(!isWritable, ordering: .releasing)
        if stage == .active { pipeline.syncOperations.fireChannelWritabilityChanged() }
    }
}
