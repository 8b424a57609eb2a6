import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore
import Synchronization

/// What NIO's stream, server and datagram channels have in common: one descriptor on a `NativeEventLoop`.
///
/// Life (`Phase`): fresh, registered, watched while it connects, active, closed. Events and errors are those of NIO's
/// own channels, in their order; what NIO treats as a mistake of the program and traps fails here with
/// `ChannelError.inappropriateOperationForState` or `EventLoopError.unsupportedOperation`.
// Unchecked: besides the atomics and the lock everything is touched on the loop's thread only.
class HostChannel: Channel, ChannelCore, DescriptorOwner, @unchecked Sendable {
    enum Phase: UInt8, Comparable {
        case fresh
        /// `channelRegistered` was told; the poller does not know the descriptor yet.
        case registered
        /// The poller knows it, since a connection is coming up.
        case watched
        /// The promise of bind or connect is told, `channelActive` is not.
        case activating
        case active
        case closed

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    /// What other threads may read.
    struct Shared {
        var local: SocketAddress?
        var remote: SocketAddress?
        var allocator = ByteBufferAllocator()
    }

    final let loop: NativeEventLoop
    final let parent: (any Channel)?
    final let watcher: DelegatingWatcher
    final let closePromise: EventLoopPromise<Void>
    final let activity = Atomic(false)
    final let writability: Atomic<Bool>
    final let shared: Mutex<Shared>
    // Made from `self`, so set by `init` before it returns, and never again.
    private var madePipeline: ChannelPipeline!

    // The loop's thread only from here on.
    final var phase = Phase.fresh
    /// What is to be watched, and is once `phase` allows it.
    final private(set) var interest: Interest = []
    /// Changes of `interest` wait for the end of the activation, which makes one call of them.
    private var isActivating = false
    final var loopAllocator = ByteBufferAllocator()
    final var received: NIOPooledRecvBufferAllocator
    final var maxMessagesPerRead: UInt = 4
    final var autoRead = true
    final var readPending = false
    final var hasSeenEnd = false
    final var pendingConnect: EventLoopPromise<Void>?
    final var waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)
    final var writeSpinCount: UInt = 16
    /// What handlers were told last.
    final var toldWritable = true
    private var isFlushing = false

    init(
        loop: NativeEventLoop, descriptor: Int32, parent: (any Channel)?, remote: SocketAddress?,
        receiving: any RecvByteBufferAllocator, isWritable: Bool = true
    ) {
        self.loop = loop
        self.parent = parent
        watcher = DelegatingWatcher(watching: descriptor)
        closePromise = loop.makePromise(of: Void.self)
        writability = Atomic(isWritable)
        shared = Mutex(Shared(local: try? RawSocket.localAddress(descriptor), remote: remote))
        received = NIOPooledRecvBufferAllocator(capacity: Int(maxMessagesPerRead), recvAllocator: receiving)
        madePipeline = ChannelPipeline(channel: self)
    }

    // MARK: What subclasses do

    /// Whether what is flushed waits for the socket.
    var hasFlushedWrites: Bool { false }

    /// Whether this is a channel that anything is written to.
    var mayWrite: Bool { true }

    /// Queues a write.
    func add(_ data: NIOAny, _ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }

    /// What is queued is to be sent.
    func markFlushed() {}

    /// Sends what is flushed; whether all of it went.
    func sendFlushed() throws -> Bool { true }

    /// Fails what is queued.
    func failWrites(_ error: any Error) {}

    /// Reads at most `maxMessagesPerRead` messages; whether there was one. Throws `ChannelError.eof` at the end.
    func receive() throws -> Bool { false }

    /// Whether an error of `receive` ends the channel.
    func endsChannel(_ error: any Error) -> Bool { true }

    /// Whether the end of the peer's data leaves the channel open.
    var staysOpenAtEnd: Bool { false }

    /// Whether reading makes sense.
    var mayRead: Bool { true }

    /// Begins to connect; whether it is done.
    func startConnect(to address: SocketAddress) throws -> Bool { throw ChannelError.operationUnsupported }

    /// Ends a connect that took a while.
    func finishConnect() throws { throw ChannelError.operationUnsupported }

    /// Whether an active channel may become active again: a datagram socket may be connected once more.
    var mayReactivate: Bool { false }

    /// The socket reported an error: whether the channel is still to be looked at for its other events.
    func socketFailed() -> Bool {
        hungUp()
        return false
    }

    func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        try setCommonOption(option, value: value)
    }

    func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        try commonOption(option)
    }

    func bind0(to address: SocketAddress, promise: EventLoopPromise<Void>?) {
        guard mayProceed(promise) else { return }
        do {
            try RawSocket.bind(descriptor, to: address)
            updateAddresses(remote: false)
            promise?.succeed(())
        } catch {
            promise?.fail(error)
        }
    }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isOnLoop(promise) else { return }
        guard mode == .all || phase == .closed else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        closeAll(error: error, promise: promise)
    }

    /// Gives the descriptor back; 0 or a negated `errno`.
    func closeDescriptor() -> Int32 {
        let code = anyloop_close(watcher.descriptor)
        watcher.descriptor = -1
        return code
    }

    func read0() { startReading() }

    /// A server's child that no handler kept.
    func channelRead0(_ data: NIOAny) {}

    // MARK: Channel

    final var descriptor: Int32 { watcher.descriptor }
    final var isOpen: Bool { phase != .closed }
    final var pipeline: ChannelPipeline { madePipeline }
    final var eventLoop: any EventLoop { loop }
    final var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    final var _channelCore: any ChannelCore { self }
    final var isActive: Bool { activity.load(ordering: .relaxed) }
    final var isWritable: Bool { writability.load(ordering: .relaxed) }
    final var localAddress: SocketAddress? { shared.withLock { $0.local } }
    final var remoteAddress: SocketAddress? { shared.withLock { $0.remote } }
    final var allocator: ByteBufferAllocator {
        loop.inEventLoop ? loopAllocator : shared.withLock { $0.allocator }
    }

    // MARK: Checks

    /// Fails `promise` on another thread than the loop's.
    @inline(__always)
    final func isOnLoop(_ promise: EventLoopPromise<Void>?) -> Bool {
        if loop.inEventLoop { return true }
        promise?.fail(EventLoopError.unsupportedOperation)
        return false
    }

    /// Fails `promise` on another thread or if the channel is closed.
    @inline(__always)
    final func mayProceed(_ promise: EventLoopPromise<Void>?) -> Bool {
        guard isOnLoop(promise) else { return false }
        guard phase != .closed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return false
        }
        return true
    }

    // MARK: Watching

    final func watch(_ directions: Interest) { setInterest(interest.union(directions)) }

    final func unwatch(_ directions: Interest) { setInterest(interest.subtracting(directions)) }

    private func setInterest(_ wanted: Interest) {
        guard wanted != interest, isOpen else { return }
        interest = wanted
        if phase >= .watched, !isActivating { applyInterest() }
    }

    final func applyInterest() {
        // Errors and hang-ups are always reported; NIO's channels tell them from the rest.
        let code = loop.native.watch(watcher, interest.union([.error, .hangUp]))
        guard code != 0 else { return }
        let error = IOError(errnoCode: code, reason: "epoll_ctl")
        pipeline.syncOperations.fireErrorCaught(error)
        closeAll(error: error, promise: nil)
    }

    /// Holds back changes of what is watched until `body` is over.
    final func withOneChange(_ body: () -> Void) {
        isActivating = true
        body()
        isActivating = false
        if isOpen { applyInterest() }
    }

    // MARK: Flushing

    /// Sends what is flushed, also what is while this runs; watches the socket if it takes no more.
    final func flushNow() {
        guard !isFlushing else { return }
        isFlushing = true
        var isBlocked = false
        while !isBlocked, hasFlushedWrites, isOpen {
            do { isBlocked = try !sendFlushed() } catch {
                readRest()
                close0(error: error, mode: .all, promise: nil)
            }
        }
        isFlushing = false
        guard isOpen else { return }
        if isBlocked, hasFlushedWrites { watch(.write) } else { unwatch(.write) }
    }

    /// Before a write error closes the channel: what the peer had sent is still delivered.
    private func readRest() {
        guard readIfNeeded() else { return }
        var hasRead = false
        while isOpen, (try? receive()) == true { hasRead = true }
        if hasRead, phase == .active { pipeline.syncOperations.fireChannelReadComplete() }
    }
}
