import AnyloopCore

/// A loop without a system below it: its clock stands still until it is moved, its network is memory.
///
/// Callbacks run in asyncio's order (rules 1 to 5, 23 to 27; equal deadlines in the order they were
/// scheduled): a turn runs what was queued before it, then at most one read and one write event for each
/// transport, then the timers that are due. The same program gives the same order every time.
///
/// A loop keeps what is open on it alive; `closeLoop` or `reset` lets go of it.
public final class MemoryLoop: Loop {
    /// One step of a turn. Internal steps have cases of their own so that they need no closure.
    enum Work {
        case handle(Handle)
        case readable(MemoryTransport)
        case writable(MemoryTransport)
        case made(MemoryTransport)
        case lost(MemoryTransport)
        case accept(MemoryServer)
        case datagram(MemoryDatagramTransport)
        case datagramMade(MemoryDatagramTransport)
        case datagramLost(MemoryDatagramTransport)
    }

    /// The time on the manual clock; starts at zero.
    public internal(set) var now = LoopInstant(nanoseconds: 0)

    /// Told of errors nobody waits for; nil keeps them in `exceptions` only.
    public var exceptionHandler: ((LoopException) throws -> Void)?

    /// The errors that were given to the handler, the first `exceptionLimit` of them.
    public internal(set) var exceptions: [LoopException] = []

    /// How many errors `exceptions` keeps.
    public static let exceptionLimit = 1000

    /// What names resolve to; literals need no entry, a name without one fails with `EAI_NONAME` (-2).
    public var hosts: [String: [SocketAddress]] = ["localhost": [.loopback(port: 0)]]

    /// Addresses at which connecting neither succeeds nor fails, so that time limits show.
    public var unanswered: Set<SocketAddress> = []

    /// The bytes a connection between two protocols of this loop holds on their way, each direction.
    public var streamWindow = 65536

    var ready: [Work] = []
    private var running: [Work] = []
    /// Made by the first timer: most replays set none.
    private var timers: TimerHeap?
    private var due: [TimerHandle] = []
    /// Those that may have a read or write event in the next turn.
    private var candidates: [MemoryTransport] = []
    private var spareCandidates: [MemoryTransport] = []
    private var datagramCandidates: [MemoryDatagramTransport] = []
    private var acceptCandidates: [MemoryServer] = []
    /// Everything that is open, each at its `slot`.
    var transports: [MemoryTransport] = []
    var servers: [SocketAddress: MemoryServer] = [:]
    var datagrams: [SocketAddress: MemoryDatagramTransport] = [:]
    var nextPort: UInt16 = 49152
    private var posted: MemoryRemote?
    private var isRunning = false
    private var stopping = false
    /// Whether `closeLoop` was called.
    public private(set) var isClosed = false

    /// A loop with nothing to do, at time zero.
    public init() {}

    /// The handle for other threads.
    public var remote: any LoopRemote {
        if let posted { return posted }
        let remote = MemoryRemote()
        if isClosed { remote.close() }
        posted = remote
        return remote
    }

    /// Queues `callback` for the next turn.
    @discardableResult
    public func callSoon(_ callback: @escaping () throws -> Void) -> Handle {
        let handle = Handle(callback)
        if isClosed { handle.cancel() } else { ready.append(.handle(handle)) }
        return handle
    }

    /// Runs `callback` once the clock reached `when`.
    @discardableResult
    public func callAt(_ when: LoopInstant, _ callback: @escaping () throws -> Void) -> TimerHandle {
        let timer = TimerHandle(when: when, callback)
        guard !isClosed else {
            timer.cancel()
            return timer
        }
        let heap = timers ?? TimerHeap()
        timers = heap
        heap.insert(timer)
        return timer
    }

    /// Keeps `exception` and gives it to the handler.
    public func callExceptionHandler(_ exception: LoopException) {
        if exceptions.count < MemoryLoop.exceptionLimit { exceptions.append(exception) }
        do { try exceptionHandler?(exception) } catch {
            // As asyncio's default handler would log it (rule 16); here it is kept.
            guard exceptions.count < MemoryLoop.exceptionLimit else { return }
            exceptions.append(LoopException(message: "Unhandled error in exception handler", error: error))
        }
    }

    // MARK: Running

    /// Runs turns until `stop`, moving the clock to the next deadline whenever there is nothing else to do.
    ///
    /// - Throws: `TransportError.usage` if it runs already, or once nothing is left that could call `stop`.
    public func run() throws(TransportError) {
        try checkRunnable()
        defer { stopping = false }
        repeat {
            guard stopping || moveClock(atMost: nil) else {
                throw .usage("nothing is left to do on this MemoryLoop and nobody called stop()")
            }
            turn()
        } while !stopping
    }

    /// Runs one turn; with nothing to do, moves the clock to the next deadline or by `timeout`, whichever is less.
    public func runOnce(timeout: Duration?) throws(TransportError) {
        try checkRunnable()
        _ = moveClock(atMost: timeout)
        turn()
        stopping = false
    }

    /// Runs turns until nothing is left to do at this point in time; the clock does not move.
    ///
    /// - Parameter turnLimit: gives up after so many turns.
    /// - Returns: whether it became idle; false if `turnLimit` was reached or a turn runs already.
    @discardableResult
    public func runUntilIdle(turnLimit: Int = 1_000_000) -> Bool {
        guard !isRunning, !isClosed else { return false }
        var turns = 0
        while hasWork {
            guard turns < turnLimit else { return false }
            turns += 1
            turn()
        }
        return true
    }

    /// Moves the clock on by `duration`, stopping at every deadline on the way to run what is due there.
    public func advance(by duration: Duration) {
        let target = now + duration
        runUntilIdle()
        while let deadline = timers?.deadline, deadline <= target {
            now = max(now, deadline)
            runUntilIdle()
        }
        now = max(now, target)
    }

    /// When the next timer is due; nil without one.
    public var nextDeadline: LoopInstant? { timers?.deadline }

    /// Ends `run` after this turn.
    public func stop() { stopping = true }

    /// Ends every open transport (`connectionLost` gets `.loopClosed`), then refuses further work. Idempotent.
    ///
    /// While a turn runs this is reported to the exception handler and does nothing (asyncio rule 12).
    public func closeLoop() {
        guard !isClosed else { return }
        guard !isRunning else {
            return callExceptionHandler(
                LoopException(
                    message: "Cannot close a running event loop",
                    error: TransportError.usage("call stop() and wait for run()")))
        }
        for transport in transports { transport.end(with: .loopClosed) }
        for transport in datagrams.values { transport.end(with: .loopClosed) }
        for server in servers.values { server.close() }
        isClosed = true
        let last = ready
        for work in last {
            switch work {
            case .lost(let transport): transport.performLost()
            case .datagramLost(let transport): transport.performLost()
            default: break
            }
        }
        posted?.close()
        dropAll()
    }

    /// Back to the state of a new loop without a single callback: everything open is let go of.
    ///
    /// Cheaper than a new loop, for replaying many conversations one after another.
    public func reset() {
        dropAll()
        now = LoopInstant(nanoseconds: 0)
        if !exceptions.isEmpty { exceptions = [] }
        exceptionHandler = nil
        nextPort = 49152
        stopping = false
        isClosed = false
        posted = nil
    }

    private func dropAll() {
        if !transports.isEmpty {
            for transport in transports { transport.letGo() }
            transports.removeAll(keepingCapacity: true)
        }
        if !datagrams.isEmpty { datagrams = [:] }
        if !servers.isEmpty { servers = [:] }
        if !ready.isEmpty { ready.removeAll(keepingCapacity: true) }
        timers?.removeAll()
        if !candidates.isEmpty {
            for candidate in candidates { candidate.isCandidate = false }
            candidates.removeAll(keepingCapacity: true)
        }
        if !datagramCandidates.isEmpty { datagramCandidates = [] }
        if !acceptCandidates.isEmpty { acceptCandidates = [] }
    }

    private func checkRunnable() throws(TransportError) {
        if isClosed { throw .loopClosed }
        if isRunning { throw .usage("This event loop is already running") }
    }

    private var hasWork: Bool {
        takePosted()
        if !ready.isEmpty || !candidates.isEmpty || !acceptCandidates.isEmpty || !datagramCandidates.isEmpty {
            return true
        }
        guard let deadline = timers?.deadline else { return false }
        return deadline <= now
    }

    /// Moves the clock where there is nothing to do; false if nothing will ever be.
    private func moveClock(atMost timeout: Duration?) -> Bool {
        if hasWork { return true }
        guard let deadline = timers?.deadline else {
            if let timeout { now = max(now, now + timeout) }
            return timeout != nil
        }
        let limit = timeout.map { now + $0 } ?? deadline
        now = max(now, min(deadline, limit))
        return true
    }

    private func takePosted() {
        guard let posted else { return }
        for callback in posted.take() { ready.append(.handle(Handle(callback))) }
    }

    /// One turn: what was queued, then input and output, then timers (rule 3).
    private func turn() {
        isRunning = true
        defer { isRunning = false }
        posted?.adoptThread()
        takePosted()
        poll()
        if let timers, timers.count > 0 {
            timers.takeDue(at: now, into: &due)
            for timer in due { ready.append(.handle(timer)) }
            due.removeAll(keepingCapacity: true)
        }
        // Moved out and back, so that the array keeps its storage and is looked at without its owner.
        var current = running
        running = []
        swap(&ready, &current)
        for work in current { perform(work) }
        current.removeAll(keepingCapacity: true)
        running = current
    }

    private func poll() {
        if !acceptCandidates.isEmpty {
            for server in acceptCandidates { ready.append(.accept(server)) }
            acceptCandidates.removeAll(keepingCapacity: true)
        }
        if !candidates.isEmpty {
            var current = spareCandidates
            spareCandidates = []
            swap(&candidates, &current)
            for transport in current {
                transport.isCandidate = false
                if transport.canRead { ready.append(.readable(transport)) }
                if transport.canWrite { ready.append(.writable(transport)) }
            }
            current.removeAll(keepingCapacity: true)
            spareCandidates = current
        }
        if !datagramCandidates.isEmpty {
            for transport in datagramCandidates { ready.append(.datagram(transport)) }
            datagramCandidates.removeAll(keepingCapacity: true)
        }
    }

    private func perform(_ work: Work) {
        switch work {
        case .handle(let handle): run(handle)
        case .readable(let transport): transport.readEvent()
        case .writable(let transport): transport.writeEvent()
        case .made(let transport): transport.performMade()
        case .lost(let transport): transport.performLost()
        case .accept(let server): server.acceptEvent()
        case .datagram(let transport): transport.readEvent()
        case .datagramMade(let transport): transport.performMade()
        case .datagramLost(let transport): transport.performLost()
        }
    }

    private func run(_ handle: Handle) {
        guard let callback = handle.callback else { return }
        handle.callback = nil
        do {
            try callback()
        } catch {
            callExceptionHandler(LoopException(message: "Exception in callback", error: error))
        }
    }

    // MARK: For transports

    /// `transport` may have an event in the next turn.
    func enlist(_ transport: MemoryTransport) {
        guard !transport.isCandidate else { return }
        transport.isCandidate = true
        candidates.append(transport)
    }

    func enlist(_ transport: MemoryDatagramTransport) {
        guard !datagramCandidates.contains(where: { $0 === transport }) else { return }
        datagramCandidates.append(transport)
    }

    func enlist(_ server: MemoryServer) {
        guard !acceptCandidates.contains(where: { $0 === server }) else { return }
        acceptCandidates.append(server)
    }

    func register(_ transport: MemoryTransport) {
        transport.slot = transports.count
        transports.append(transport)
    }

    func unregister(_ transport: MemoryTransport) {
        let slot = transport.slot
        guard slot >= 0, slot < transports.count, transports[slot] === transport else { return }
        let last = transports.removeLast()
        if last !== transport {
            transports[slot] = last
            last.slot = slot
        }
        transport.slot = -1
    }
}
