import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore
import Synchronization

extension NativeEventLoop {
    /// Queues `task` from any thread.
    @inline(__always)
    func enqueue(_ task: HostTask) {
        guard inEventLoop else { return post(task) }
        // What other threads left before stays before.
        if hasInbox.load(ordering: .acquiring) { takeInbox() }
        tasks.append(task)
    }

    /// Runs `body` on the loop: now if this is its thread.
    func onLoop(_ body: @escaping @Sendable () -> Void) {
        if inEventLoop { body() } else { post(.function(body)) }
    }

    private enum Posting {
        case left
        case wake
        case runHere
    }

    func post(_ task: HostTask) {
        let posting = inbox.withLock { inbox -> Posting in
            inbox.tasks.append(task)
            if inbox.phase == .closed {
                defer { inbox.isRunning = true }
                return inbox.isRunning ? .left : .runHere
            }
            hasInbox.store(true, ordering: .sequentiallyConsistent)
            return isAsleep.exchange(false, ordering: .sequentiallyConsistent) ? .wake : .left
        }
        switch posting {
        case .left: break
        case .wake: remote.wake()
        case .runHere: runAfterClose()
        }
    }

    func takeInbox() {
        let taken = inbox.withLock { inbox in
            hasInbox.store(false, ordering: .relaxed)
            let tasks = inbox.tasks
            inbox.tasks = []
            return tasks
        }
        for task in taken { tasks.append(task) }
    }

    /// Runs what waits until nothing does, with the timers that come due meanwhile.
    func runTasks() {
        while runBatch() {}
    }

    /// Runs what waits now; whether there was anything.
    func runBatch() -> Bool {
        if hasInbox.load(ordering: .acquiring) { takeInbox() }
        if timers.count > 0 { takeDueTimers(at: isEnding ? LoopInstant(nanoseconds: .max) : native.now) }
        let count = tasks.count
        for _ in 0..<count {
            guard let task = tasks.popFirst() else { break }
            run(task)
        }
        return count > 0
    }

    func takeDueTimers(at instant: LoopInstant) {
        timers.takeDue(at: instant, into: &due)
        guard !due.isEmpty else { return }
        for timer in due { tasks.append(.timer(timer)) }
        due.removeAll(keepingCapacity: true)
    }

    private func run(_ task: HostTask) {
        switch task {
        case .function(let body): body()
        case .job(let job): unsafe job.runSynchronously(on: asUnownedSerialExecutor())
        case .timer(let timer): fire(timer)
        case .setTimer(let timer): if !timer.isCancelled { timers.insert(timer) }
        }
    }

    private func fire(_ timer: TimerHandle) {
        guard let callback = timer.callback else { return }
        timer.callback = nil
        do { try callback() } catch {
            native.callExceptionHandler(LoopException(message: "a timer failed", error: error))
        }
    }

    /// Runs what comes after the end, as the loop: whoever finds nobody doing so does.
    private func runAfterClose() {
        // A thread that runs another loop or none is, for as long as it does this, this loop's.
        threadToken.store(UInt(anyloop_thread_token()), ordering: .relaxed)
        while true {
            let next = inbox.withLock { inbox -> [HostTask] in
                let tasks = inbox.tasks
                inbox.tasks = []
                if tasks.isEmpty {
                    inbox.isRunning = false
                    threadToken.store(0, ordering: .relaxed)
                }
                return tasks
            }
            guard !next.isEmpty else { return }
            for task in next { tasks.append(task) }
            for _ in 0..<Self.lastRounds { guard runBatch() else { break } }
            tasks.removeAll()
        }
    }
}

extension NativeEventLoop: LoopGuest {
    package func waitBegins() -> LoopInstant? {
        guard tasks.isEmpty else { return LoopInstant(nanoseconds: .min) }
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        guard !hasInbox.load(ordering: .sequentiallyConsistent) else { return LoopInstant(nanoseconds: .min) }
        return timers.deadline
    }

    package func waitEnded() { isAsleep.store(false, ordering: .sequentiallyConsistent) }

    package func turnEnds() {
        runTasks()
        if isOver { endByItself() }
    }

    package func loopCloses() { endWithLoop() }
}
