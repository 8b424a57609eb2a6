public import AnyloopCore
public import AnyloopNativeLoop
public import NIOCore
import NIOPosix

/// SwiftNIO's event loop as a loop of ours: our protocols run on it as guests, unchanged.
///
/// Waiting and sockets are SwiftNIO's. The order of callbacks, timers, tasks, and what SwiftNIO has nothing for (child
/// processes, signals, descriptors of the application's) are those of a native loop that SwiftNIO's turns. Callbacks of
/// connections come straight from SwiftNIO's events: the liberties are those of the native loop, and
/// `NIOLiberty.all`. Confined to its thread; `closeLoop` must be called, unless SwiftNIO's loop is shut down, which
/// closes this one.
public final class NIOLoop: NativeLoopFacade {
    /// The loop that keeps our order, below.
    public let native: NativeLoop

    /// SwiftNIO's loop.
    public let eventLoop: any EventLoop

    let turns: NIOTurns
    /// What SwiftNIO's loop is left by; nil on one that SwiftNIO runs itself.
    private let fiber: NIOFiber?
    private let residents = NIOResidents()

    /// A loop that belongs to the calling thread until `closeLoop`; SwiftNIO waits in `run` and `runOnce` only.
    ///
    /// A thread has one such loop at most at a time: it is SwiftNIO's current event loop there, in between, too.
    ///
    /// - Throws: `TransportError.usage` if the thread has an event loop of SwiftNIO already, `.system` if the system
    ///   gives no memory or descriptors.
    public convenience init(options: NativeLoopOptions = NativeLoopOptions()) throws(TransportError) {
        let fiber = try NIOFiber()
        do throws(TransportError) { try self.init(fiber.eventLoop, fiber: fiber, options: options) } catch {
            fiber.end()
            throw error
        }
    }

    /// A loop on top of one that SwiftNIO runs itself, such as one of a `MultiThreadedEventLoopGroup`.
    ///
    /// `run`, `runOnce` and `stop` are not for this one: it runs, and is kept alive by its event loop, until it is closed
    /// or the event loop is shut down. A shutdown closes it before SwiftNIO's loop ends: whoever is open or waits hears
    /// `.loopClosed`, and afterwards it is as after `closeLoop`.
    ///
    /// - Throws: `TransportError.usage` elsewhere than in that event loop, for one that is not SwiftNIO's own, or if
    ///   another loop runs there; `.loopClosed` if the event loop is shut down; `.system`.
    public convenience init(
        on eventLoop: any EventLoop, options: NativeLoopOptions = NativeLoopOptions()
    ) throws(TransportError) {
        guard eventLoop.inEventLoop else {
            throw .usage("NIOLoop(on:) must be called in its event loop: use eventLoop.execute or submit")
        }
        guard NIOPipeBootstrap(validatingGroup: eventLoop) != nil else {
            throw .usage("NIOLoop(on:) needs an event loop of SwiftNIO's: take one of a MultiThreadedEventLoopGroup")
        }
        try self.init(eventLoop, fiber: nil, options: options)
        try native.enter()
        turns.attach()
        // Whoever closes it, or SwiftNIO, lets go of it: it must not go by itself, from another thread even.
        turns.whenShutDown = { self.end() }
    }

    private init(
        _ eventLoop: any EventLoop, fiber: NIOFiber?, options: NativeLoopOptions
    ) throws(TransportError) {
        self.eventLoop = eventLoop
        // Filled in below; read on the loop only.
        let box = NIOLoopBoundBox<WeakTurns>(WeakTurns(), eventLoop: eventLoop)
        let wake: @Sendable () -> Void = { eventLoop.execute { box.value.turns?.noteRemoteWork() } }
        let look: @Sendable () -> Void = { eventLoop.execute { box.value.turns?.noteActivity() } }
        let poller = try NIOSidePoller(wake: look)
        self.fiber = fiber
        native = try NativeLoop(
            options: options, discipline: .native, hostedBy: LoopHost(poller: poller, wake: wake))
        let turns = NIOTurns(eventLoop: eventLoop, native: native, poller: poller, fiber: fiber)
        self.turns = turns
        box.value.turns = turns
        native.facade = self
        native.turnRequest = { [unowned turns] in turns.noteActivity() }
        native.register(residents)
        turns.whenShutDown = { [unowned self] in end() }
        try turns.prepare()
    }

    deinit {
        // Nothing of the application's lives on it any more; SwiftNIO's loop must not stay behind on this thread.
        guard !native.isClosed, eventLoop.inEventLoop else { return }
        native.warnUnclosed()
        closeLoop()
    }

    // MARK: Running

    /// Runs turns until `stop`.
    ///
    /// - Throws: `TransportError.usage` while it runs already, which a loop that SwiftNIO runs always does;
    ///   `.loopClosed` after `closeLoop`.
    public func run() throws(TransportError) { try run(once: nil) }

    /// Runs one turn, waiting at most `timeout`; nil waits for the next deadline or descriptor.
    public func runOnce(timeout: Duration?) throws(TransportError) {
        try run(once: timeout.map { max(0, $0.saturatingNanoseconds) } ?? -1)
    }

    private func run(once limit: Int64?) throws(TransportError) {
        try native.enter()
        defer { native.leave() }
        turns.run(once: limit)
        if fiber?.isOver ?? false { end() }
    }

    /// Ends what is open with `TransportError.loopClosed`, and SwiftNIO's loop if it belongs to this one. Idempotent.
    ///
    /// While the loop runs this is reported to the exception handler and does nothing, but for a loop that SwiftNIO
    /// runs itself, which lives on.
    public func closeLoop() {
        guard !native.isClosed else { return }
        guard fiber == nil || !native.isRunning else { return native.closeLoop() }
        end()
        fiber?.end()
    }

    /// Tells everybody of the end, and gives everything back but SwiftNIO's loop.
    private func end() {
        guard !native.isClosed else { return }
        if native.isRunning { native.leave() }
        native.closeLoop()
        native.turnRequest = nil
        turns.end()
    }

    // MARK: Residents

    func enroll(_ resident: any NIOResident) { residents.all[ObjectIdentifier(resident)] = resident }

    func dismiss(_ resident: any NIOResident) { residents.all[ObjectIdentifier(resident)] = nil }

    /// The connections that a server accepted.
    func transports(of server: NIOServer) -> [any StreamTransport] {
        residents.all.values.compactMap { ($0 as? NIOStreamTransport).flatMap { $0.server === server ? $0 : nil } }
    }
}

/// What must hear of its loop's closing.
protocol NIOResident: AnyObject {
    func loopCloses()
}

/// What hears of the loop's closing: transports, servers.
private final class NIOResidents: PendingWork {
    var all: [ObjectIdentifier: any NIOResident] = [:]

    func loopCloses() {
        let leaving = all.values
        all = [:]
        for resident in leaving { resident.loopCloses() }
    }
}

private struct WeakTurns {
    weak var turns: NIOTurns?
}
