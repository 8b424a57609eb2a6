import AnyloopCore
import CAnyloopSystem

/// How a `NativeLoop` works.
public struct NativeLoopOptions: Sendable {
    /// How the loop waits for descriptors.
    public var poller = PollerKind.standard
    /// How the loop learns that a child process ended.
    public var childWatcher = ChildWatcherKind.standard
    /// How long a server that ran out of descriptors stops accepting (asyncio rule 55: one second).
    public var acceptRetryDelay = Duration.seconds(1)
    /// Connections that one listening socket may take in one turn, if its backlog does not say fewer.
    public var acceptBudget = 64
    /// Datagrams that one socket may receive in one turn.
    public var datagramBudget = 32
    /// Datagrams that wait for the socket, at most; the next is dropped and `errorReceived` hears `ENOBUFS`.
    public var datagramQueueLimit = 65536

    /// The defaults.
    public init() {}
}

/// Whoever turns a native loop in its stead.
package struct LoopHost {
    /// Watches descriptors and tells of what is ready, without ever waiting.
    package var poller: any Poller
    /// Has a turn made soon; from any thread.
    package var wake: @Sendable () -> Void

    package init(poller: any Poller, wake: @escaping @Sendable () -> Void) {
        self.poller = poller
        self.wake = wake
    }
}

/// How the loop treats what asyncio orders more strictly than native mode needs.
///
/// `.native` calls `connectionMade` where the connection comes up: in the accept's own turn, in the connect's
/// event, inside `adoptConnection`. `.asyncio` keeps CPython's steps, each a callback of the ready queue:
///
/// - accept (rule 53): every accepted socket of a batch is finished by a callback of its own, which makes the
///   protocol; it queues `connectionMade`, then the start of reading. So: factory, factory, made, made.
/// - connect and adopt (rule 48): factory; `connectionMade` by the queue; reading starts; `completion`.
/// - `connectionLost` after a close that had to flush comes straight from the write event (rule 94).
/// - writes after `close` are still appended while older ones are being flushed (rule 83).
/// - one datagram a readable event instead of a budget; misuse of an endpoint as rules 109, 110 and 113 have it.
/// - a factory that throws while accepting is reported in debug mode only (rule 54).
/// - timers of the same deadline in the order of CPython's heap (rule 23).
///
/// `StreamTransport`s start by `NativeLoop.start(_:completion:)`, which is where the two part.
package enum Discipline {
    case native
    case asyncio
}

/// The loop of this package: one thread, one poller, callbacks in asyncio's order.
///
/// A turn waits for descriptors, runs what was queued before it, then what the descriptors bring, then the timers
/// that are due; what these queue runs in the next turn (asyncio rules 2, 3). Confined to the thread that runs it.
/// `closeLoop` must be called for the descriptors to be given back.
@safe
public final class NativeLoop: Loop {
    /// What the loop was made with.
    public let options: NativeLoopOptions

    let discipline: Discipline
    let poller: any Poller
    package let nativeRemote: NativeRemote
    let timers: any LoopTimers
    let nativeExecutor: NativeExecutor
    let threadPool = ThreadPool()

    /// What Swift tasks prefer so that they run on this loop: `Task(executorPreference: loop.taskExecutor)`.
    public let taskExecutor: NativeTaskExecutor

    /// The loop that transports name as theirs, where another is built on top of this one.
    package weak var facade: (any Loop)?

    /// What another world's loop runs in this one's turns; nil for most.
    package var guest: (any LoopGuest)?

    /// One buffer that every read goes into: 256 KiB, asyncio's largest chunk (rule 65).
    let scratch: UnsafeMutableBufferPointer<UInt8>

    let readyQueue = ReadyQueue()
    /// Whoever owns a descriptor on this loop, by descriptor.
    var watchers: [Watcher?] = []
    /// Answers for names before the system is asked.
    var nameResolver: NameResolver?
    /// Work that must hear of the loop's closing although it has no descriptor: connects, name look-ups.
    var pendingWork: [UInt64: any PendingWork] = [:]
    var signalHandlers: [Int32: Handle] = [:]
    /// What `AnyloopAsync` keeps for this loop.
    public var asyncState: AnyObject?

    /// Counts turns, so that what happened in this one is told from what happened before.
    private(set) var turnNumber: UInt32 = 0

    /// Asks whoever turns the loop for a turn, where that is not the loop itself: something waits in the queue, or a
    /// timer was set.
    package var turnRequest: (() -> Void)?

    private let events: UnsafeMutableBufferPointer<anyloop_event>
    private var due: [TimerHandle] = []
    /// How many of `events` the end of this hosted turn dispatches, with what is due; nil: it has to look first.
    private var hostedEvents: Int32?
    private var nextGeneration: UInt32 = 1
    private var nextWorkNumber: UInt64 = 1
    /// Whether `run` or `runOnce` is under way.
    public private(set) var isRunning = false
    /// Whether `closeLoop` was called.
    public internal(set) var isClosed = false { didSet { needsCare = isClosed || isDebug } }
    package private(set) var isStopping = false
    var wakeWatcher: Watcher?
    var isPollerClosed = false

    /// Whether callbacks are timed and the calling thread is checked; from the start with `ANYLOOP_DEBUG` in the
    /// environment (asyncio rule 21).
    public var isDebug = unsafe anyloop_environment_has("ANYLOOP_DEBUG") != 0 {
        didSet { needsCare = isClosed || isDebug }
    }
    /// Closed or in debug mode: one look for both where callbacks come in.
    private var needsCare = false
    /// In debug mode, callbacks that take as long or longer are logged (asyncio rule 20).
    public var slowCallbackDuration = Duration.milliseconds(100)
    /// Told what asyncio tells its logger; nil prints warnings and errors to standard error.
    public var logHandler: ((LoopLogRecord) -> Void)?

    /// Told of errors that nobody waits for; nil logs them.
    public var exceptionHandler: ((LoopException) throws -> Void)?

    /// A loop of its own, to be run on whatever thread calls `run`.
    ///
    /// Writing to a connection that the peer closed must not end the process: `SIGPIPE` is ignored from here on,
    /// unless the process handles it already.
    ///
    /// - Throws: `TransportError.system` if the poller or the wake-up descriptor cannot be made.
    public convenience init(options: NativeLoopOptions = NativeLoopOptions()) throws(TransportError) {
        try self.init(options: options, discipline: .native)
    }

    /// A loop for another to build on; one that is turned by `hostedBy` brings a poller that never waits.
    package init(
        options: NativeLoopOptions, discipline: Discipline, hostedBy host: LoopHost? = nil
    ) throws(TransportError) {
        self.options = options
        self.discipline = discipline
        timers = discipline == .asyncio ? HeapqTimers() : TimerHeap()
        if let host { poller = host.poller } else { poller = try options.poller.make() }
        do throws(TransportError) { nativeRemote = try NativeRemote(wakeHost: host?.wake) } catch {
            poller.close()
            throw error
        }
        nativeExecutor = NativeExecutor(remote: nativeRemote)
        taskExecutor = NativeTaskExecutor(nativeExecutor)
        unsafe scratch = .allocate(capacity: 262_144)
        unsafe events = .allocate(capacity: 512)
        anyloop_ignore_sigpipe()
        let wake = WakeWatcher(loop: self, descriptor: nativeRemote.wakeDescriptor)
        wakeWatcher = wake
        attach(wake)
        if watch(wake, .read) != 0 { throw .system(SystemError(Errno.noMemory, "watching the wake-up descriptor")) }
        nativeExecutor.bind(to: self)
        needsCare = isDebug
    }

    deinit {
        // Without `closeLoop` nothing of the application's is told any more; the system's things still go.
        if !isClosed {
            warnUnclosed()
            nativeExecutor.unbind()
            timers.removeAll()
            _ = nativeRemote.close()
            poller.close()
        }
        unsafe scratch.deallocate()
        unsafe events.deallocate()
    }

    /// As Python's ResourceWarning: silent unless somebody looks (asyncio rule 32).
    package func warnUnclosed() {
        if isDebug || logHandler != nil { log(.warning, "unclosed event loop") }
    }

    /// The poller in use.
    public var pollerKind: PollerKind { poller.kind }

    /// The loop that runs on this thread right now (asyncio: `get_running_loop`, rule 13).
    public static var running: NativeLoop? {
        guard let pointer = unsafe anyloop_thread_loop() else { return nil }
        return unsafe Unmanaged<NativeLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The time on the monotonic clock, read at the call: a timer is never early, however long the turn takes.
    public var now: LoopInstant { monotonicNow() }

    /// The one handle that other threads may hold.
    public var remote: any LoopRemote { nativeRemote }

    /// The executor of actors that live on this loop.
    public var executor: NativeExecutor { nativeExecutor }

    // MARK: Scheduling

    /// Runs `callback` in the next turn; on a closed loop the handle comes back cancelled.
    @discardableResult
    public func callSoon(_ callback: @escaping () throws -> Void) -> Handle {
        let handle = Handle(callback)
        if needsCare, refuses(handle) { return handle }
        queue(.handle(handle))
        return handle
    }

    /// Runs `callback` at `when` or later; on a closed loop the handle comes back cancelled.
    @discardableResult
    public func callAt(_ when: LoopInstant, _ callback: @escaping () throws -> Void) -> TimerHandle {
        let timer = TimerHandle(when: when, callback)
        if needsCare, refuses(timer) { return timer }
        timers.insert(timer)
        if let turnRequest { turnRequest() }
        return timer
    }

    /// Queues `item` behind everything that was queued before, from this thread or another (asyncio rule 18).
    func queue(_ item: ReadyItem) {
        // Native mode takes what other threads post once a turn.
        if discipline == .asyncio, nativeRemote.hasWork { takeRemoteWork() }
        readyQueue.push(item)
        if let turnRequest { turnRequest() }
    }

    // MARK: Running

    /// Runs turns until `stop`.
    public func run() throws(TransportError) {
        try enter()
        defer { leave() }
        repeat { turn(limit: -1) } while !isStopping
    }

    /// Runs one turn, waiting at most `timeout`; nil waits for the next deadline or descriptor.
    public func runOnce(timeout: Duration?) throws(TransportError) {
        try enter()
        defer { leave() }
        turn(limit: timeout.map { max(0, $0.saturatingNanoseconds) } ?? -1)
    }

    /// Ends `run` once the current turn is over; before `run`, one turn is run without waiting (asyncio rule 8).
    public func stop() {
        isStopping = true
    }

    package func enter() throws(TransportError) {
        guard !isClosed else { throw .loopClosed }
        guard !isRunning else { throw .usage("This event loop is already running") }
        guard unsafe anyloop_thread_loop() == nil else {
            throw .usage("Cannot run the event loop while another loop is running")
        }
        isRunning = true
        nativeRemote.bindToThread()
        unsafe anyloop_set_thread_loop(Unmanaged.passUnretained(self).toOpaque())
    }

    package func leave() {
        isRunning = false
        isStopping = false
        anyloop_set_thread_loop(nil)
    }

    /// One turn that waits at most `limit` nanoseconds; negative: as long as nothing is due.
    private func turn(limit: Int64) {
        turnNumber &+= 1
        timers.prepare()
        let count = poll(limit)
        if nativeRemote.hasWork { takeRemoteWork() }
        if timers.count > 0 { timers.takeDue(at: now, into: &due) }
        runReady()
        dispatch(count)
        runDue()
    }

    /// The part of a turn before a host looks at its own descriptors: what is queued runs.
    ///
    /// Our descriptors and the timers are looked at before that, as in a turn of our own: what comes of the queue's
    /// callbacks waits for the next turn. With an empty queue there is no such difference, and the host may wait.
    ///
    /// - Parameter isOnly: the turn is to end before the host waits: whoever turns the loop looks at what its callbacks
    ///   did. Otherwise a turn that found nothing goes over into the next one's wait.
    package func beginHostedTurn(isOnly: Bool) {
        turnNumber &+= 1
        timers.prepare()
        if nativeRemote.hasWork { takeRemoteWork() }
        hostedEvents = nil
        guard readyQueue.count > 0 else { return }
        let count = poll(0)
        if timers.count > 0 { timers.takeDue(at: now, into: &due) }
        runReady()
        // With nothing found and nothing queued the turn is over, and the host's wait is the next one's.
        if isOnly || count != 0 || !due.isEmpty || waitTime(limit: -1) == 0 { hostedEvents = count }
    }

    /// The part of a turn after the host has brought what its descriptors had: what other threads posted if it waited,
    /// our own descriptors, the timers that are due.
    package func endHostedTurn() {
        guard let count = hostedEvents else {
            if nativeRemote.hasWork {
                takeRemoteWork()
                runReady()
            }
            dispatch(poll(0))
            if timers.count > 0 { timers.takeDue(at: now, into: &due) }
            return runDue()
        }
        hostedEvents = nil
        dispatch(count)
        runDue()
    }

    /// Whether a hosted turn has something to do at its end, so that the host must not wait.
    package var isTurnDue: Bool {
        if hostedEvents != nil || nativeRemote.hasWork || readyQueue.count > 0 || isStopping { return true }
        guard let deadline = timers.deadline else { return false }
        return deadline <= now
    }

    private func poll(_ limit: Int64) -> Int32 {
        let count = unsafe poller.wait(timeout: waitTime(limit: limit), events: events)
        guest?.waitEnded()
        if count < 0 {
            callExceptionHandler(
                LoopException(message: "waiting for descriptors failed", error: SystemError(-count, "\(poller.kind)")))
        }
        return count
    }

    private func runReady() {
        for _ in 0..<readyQueue.count { if isDebug { runNextTimed() } else { runNext() } }
    }

    private func dispatch(_ count: Int32) {
        var index = 0
        while index < Int(count) {
            dispatch(unsafe events[index])
            index += 1
        }
    }

    private func runDue() {
        if !due.isEmpty {
            for index in due.indices {
                if isDebug { runTimed { runHandle(due[index]) } } else { runHandle(due[index]) }
            }
            due.removeAll(keepingCapacity: true)
        }
        guest?.turnEnds()
    }

    /// How many nanoseconds a turn may wait now, at most `limit`; negative: for ever.
    package func waitTime(limit: Int64) -> Int64 {
        if readyQueue.count > 0 || isStopping || nativeRemote.hasWork || hostedEvents != nil { return 0 }
        var earliest = timers.deadline
        if let due = guest?.waitBegins() { earliest = earliest.map { min($0, due) } ?? due }
        guard let deadline = earliest else { return limit }
        let left = max(0, (deadline - now).saturatingNanoseconds)
        return limit < 0 ? left : min(left, limit)
    }

    @inline(__always)
    private func dispatch(_ event: anyloop_event) {
        let descriptor = Int(event.key & 0xFFFF_FFFF)
        guard descriptor < watchers.count, let watcher = watchers[descriptor],
            watcher.generation == UInt32(truncatingIfNeeded: event.key >> 32)
        else { return }
        var seen = watcher.interest.intersection(Interest(rawValue: event.ready))
        if watcher.mutedTurn == turnNumber { seen.subtract(watcher.muted) }
        guard !seen.isEmpty else { return }
        if isDebug { runTimed { watcher.ready(seen) } } else { watcher.ready(seen) }
    }

    func runNext() {
        switch readyQueue.pop() {
        case .handle(let handle): runHandle(handle)
        case .ending(let watcher): watcher.finish()
        case .job(let job): nativeExecutor.run(job)
        case .taskJob(let job): taskExecutor.run(job)
        case .resumption(let continuation): unsafe nativeExecutor.resume(continuation)
        }
    }

    private func runHandle(_ handle: Handle) {
        guard let callback = handle.callback else { return }
        handle.callback = nil
        do { try callback() } catch { reportCallback("", error, handle) }
    }

    /// Runs a handle that stays, such as a reader's.
    func runKeeping(_ handle: Handle) {
        guard let callback = handle.callback else { return }
        do { try callback() } catch { reportCallback("", error, handle) }
    }

    private func takeRemoteWork() {
        for work in nativeRemote.take() {
            switch work {
            case .callback(let callback): readyQueue.push(.handle(Handle(callback)))
            case .job(let job): readyQueue.push(.job(job))
            case .taskJob(let job): readyQueue.push(.taskJob(job))
            case .resolved(let number, let result):
                guard let request = pendingWork.removeValue(forKey: number) as? ResolveRequest else { continue }
                readyQueue.push(.handle(Handle { request.finish(result) }))
            }
        }
    }

    // MARK: Descriptors

    /// Makes `watcher` the owner of its descriptor on this loop; nothing is watched yet.
    package func attach(_ watcher: Watcher) {
        let slot = Int(watcher.descriptor)
        if slot >= watchers.count {
            watchers.append(contentsOf: repeatElement(nil, count: slot + 1 - watchers.count))
        }
        watcher.generation = nextGeneration
        nextGeneration &+= 1
        watchers[slot] = watcher
    }

    /// Ends the ownership; events that were on their way miss the watcher.
    package func detach(_ watcher: Watcher) {
        _ = watch(watcher, [])
        let slot = Int(watcher.descriptor)
        guard slot >= 0, slot < watchers.count, watchers[slot] === watcher else { return }
        watchers[slot] = nil
    }

    /// Whoever owns descriptors by a `DelegatingWatcher`.
    package var ownedDescriptors: [any DescriptorOwner] {
        watchers.compactMap { ($0 as? DelegatingWatcher)?.owner }
    }

    /// Changes what `watcher` is woken for; 0 or an `errno`.
    @discardableResult
    package func watch(_ watcher: Watcher, _ interest: Interest) -> Int32 {
        guard interest != watcher.interest else { return 0 }
        guard !isPollerClosed else {
            watcher.interest = interest
            return 0
        }
        watcher.mute(watcher.interest.subtracting(interest), turn: turnNumber)
        let code = poller.change(watcher.descriptor, key: watcher.key, from: watcher.interest, to: interest)
        // Whatever became of a removal, the watcher counts as removed: the descriptor is about to go.
        if code == 0 || interest.isEmpty { watcher.interest = interest }
        return interest.isEmpty ? 0 : code
    }

    /// Has the watcher's `finish` run in the next turn.
    func end(_ watcher: Watcher) {
        queue(.ending(watcher))
    }

    @discardableResult
    package func register(_ work: any PendingWork) -> UInt64 {
        let number = nextWorkNumber
        nextWorkNumber += 1
        pendingWork[number] = work
        return number
    }
}

/// Tasks and timers of another world that a loop runs in its turns.
package protocol LoopGuest: AnyObject {
    /// The loop is about to wait: when it must go on at the latest, nil if nothing of the guest's is due.
    func waitBegins() -> LoopInstant?

    /// The wait is over.
    func waitEnded()

    /// The turn's callbacks and events are done: the guest's tasks run.
    func turnEnds()

    /// The loop is being closed.
    func loopCloses()
}

/// Work without a descriptor that must hear when its loop is closed.
package protocol PendingWork: AnyObject {
    func loopCloses()
}
