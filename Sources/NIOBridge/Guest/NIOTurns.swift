import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore
import NIOPosix

/// Has the native loop's turns made by SwiftNIO's loop.
///
/// SwiftNIO waits, hands what its channels bring straight to our transports, and runs its tasks until none is left. A
/// turn of ours ends by such a task, which whoever was active asks for: our queue runs, and SwiftNIO waits again. What
/// is queued meanwhile runs in the next turn, after SwiftNIO has looked at its descriptors: asyncio's order.
final class NIOTurns: NIOScheduledCallbackHandler {
    /// Where SwiftNIO's loop is, seen from our turns.
    private enum Phase {
        /// Left: it runs nothing.
        case parked
        /// What is queued on our side runs.
        case turning
        /// It waits, or runs what its descriptors bring.
        case waiting
        /// As waiting, and the task that ends the turn is queued.
        case ending
    }

    private let eventLoop: any EventLoop
    private unowned let native: NativeLoop
    private let poller: NIOSidePoller
    /// Leaves the loop when a turn is over and this says so; nil on a loop that SwiftNIO runs itself.
    private let fiber: NIOFiber?
    private var phase = Phase.parked
    private var endTask: (@Sendable () -> Void)?
    private var marker: (channel: any Channel, descriptor: Int32)?

    /// One turn only, of at most so many nanoseconds (negative: any number).
    private var limit: Int64?
    private var deadline: LoopInstant?
    private var wakeUp: (at: LoopInstant, callback: NIOScheduledCallback)?
    private var isShuttingDown = false
    /// Called when SwiftNIO's loop is being shut down by another than us, before it closes the channels.
    var whenShutDown: (() -> Void)?

    init(eventLoop: any EventLoop, native: NativeLoop, poller: NIOSidePoller, fiber: NIOFiber?) {
        self.eventLoop = eventLoop
        self.native = native
        self.poller = poller
        self.fiber = fiber
        let here = NIOLoopBound(self, eventLoop: eventLoop)
        endTask = { here.value.endTurn() }
        fiber?.onEntry = { [unowned self] in resume() }
    }

    // MARK: From outside

    /// Makes turns until the loop is stopped, or one that waits at most `limit` nanoseconds (negative: for ever).
    func run(once limit: Int64?) {
        guard let fiber else { return }
        self.limit = limit
        fiber.enter()
    }

    /// Gets ready for the first turn.
    ///
    /// - Throws: `TransportError.loopClosed` if SwiftNIO's loop is shut down, `.system` without descriptors.
    func prepare() throws(TransportError) { marker = try makeMarker() }

    /// Begins to make turns on a loop that SwiftNIO runs.
    func attach() {
        phase = .waiting
        noteActivity()
    }

    /// Makes no more turns.
    func end() {
        isShuttingDown = true
        whenShutDown = nil
        // What is queued already finds nothing to do: the native loop may be gone by then.
        phase = .parked
        marker?.channel.close(promise: nil)
        marker = nil
        wakeUp?.callback.cancel()
        wakeUp = nil
        endTask = nil
    }

    /// SwiftNIO, or whoever else has the marker, closes it.
    fileprivate func markerCloses() { whenShutDown?() }

    /// Leaves the loop at the end of a run, and goes on in the next one.
    private func park() {
        phase = .parked
        // It was for this wait alone; left in place it would cost SwiftNIO a call in every wait to come.
        if limit != nil {
            wakeUp?.callback.cancel()
            wakeUp = nil
        }
        fiber?.leave()
        resume()
    }

    private func resume() {
        if isShuttingDown { return }
        deadline = limit.flatMap { $0 < 0 ? nil : native.now + .nanoseconds($0) }
        beginTurn()
    }

    /// Something happened that our side must see before SwiftNIO waits again.
    @inline(__always)
    func noteActivity() {
        guard phase == .waiting, let endTask else { return }
        phase = .ending
        eventLoop.execute(endTask)
    }

    /// Work came from another thread.
    func noteRemoteWork() {
        if native.isTurnDue { noteActivity() }
    }

    // MARK: Turns

    private func beginTurn() {
        phase = .turning
        native.beginHostedTurn(isOnly: limit != nil)
        prepareToWait()
    }

    private func endTurn() {
        guard phase == .ending else { return }
        phase = .turning
        native.endHostedTurn()
        if fiber != nil, limit != nil || native.isStopping { park() } else { beginTurn() }
    }

    private func prepareToWait() {
        phase = .waiting
        do throws(TransportError) { try poller.prepareToWait(force: native.hasSignalHandlers) } catch {
            native.report("watching descriptors beside SwiftNIO's loop failed", error)
        }
        let left = deadline.map { max(0, ($0 - native.now).saturatingNanoseconds) } ?? -1
        let wait = native.waitTime(limit: left)
        if wait == 0 { look() } else if wait > 0 { wake(at: native.now + .nanoseconds(wait)) }
    }

    private func wake(at instant: LoopInstant) {
        if let wakeUp {
            guard instant < wakeUp.at else { return }
            wakeUp.callback.cancel()
        }
        do {
            let when = NIODeadline.uptimeNanoseconds(UInt64(max(0, instant.nanoseconds)))
            wakeUp = (
                instant, try eventLoop.assumeIsolated().scheduleCallback(at: when, handler: self)
            )
        } catch {
            // The loop is shut down: nothing waits any more.
            wakeUp = nil
        }
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        wakeUp = nil
        guard phase == .waiting else { return }
        let isOver = deadline.map { $0 <= native.now } ?? false
        if isOver || native.isTurnDue { noteActivity() } else { prepareToWait() }
    }

    // MARK: Looking without waiting

    /// Has SwiftNIO look at its descriptors once without waiting, and ends the turn then.
    ///
    /// By a descriptor that is made readable: SwiftNIO runs tasks and timers before it looks, but hears of this only by
    /// looking.
    private func look() {
        // Only once the loop is shut down there is none.
        guard let marker, anyloop_eventfd_signal(marker.descriptor) == 0 else { return noteActivity() }
    }

    private func makeMarker() throws(TransportError) -> (channel: any Channel, descriptor: Int32) {
        let descriptor = anyloop_eventfd()
        guard descriptor >= 0 else { throw .system(-descriptor, "eventfd") }
        let here = NIOLoopBound(self, eventLoop: eventLoop)
        var result: Result<any Channel, any Error>?
        NIOPipeBootstrap(group: eventLoop)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 8))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOMarkerHandler(here.value))
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
            .assumeIsolated()
            .whenComplete { result = $0 }
        // On its loop a bootstrap of pipes does all of its work at once.
        switch result {
        case .success(let channel): return (channel, descriptor)
        case .failure(let error): throw .fromNIO(error, "eventfd") ?? .loopClosed
        case nil: throw .loopClosed
        }
    }
}

/// Hears that SwiftNIO has looked at its descriptors, and that its loop is shut down.
private final class NIOMarkerHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private unowned let turns: NIOTurns

    init(_ turns: NIOTurns) {
        self.turns = turns
    }

    /// The count that was written, which says nothing.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func channelReadComplete(context: ChannelHandlerContext) { turns.noteActivity() }

    /// The first thing that SwiftNIO's loop does in a shutdown is to close its channels, in any order.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all { turns.markerCloses() }
        context.close(mode: mode, promise: promise)
    }
}
