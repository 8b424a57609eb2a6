import AnyloopCore

/// A deadline for a part of a task's body (asyncio: `timeout`). Confined to its loop's thread.
public final class Timeout {
    private enum State: String {
        case entered = "active"
        case expiring
        case expired
        case exited = "finished"
    }

    private let loop: any TaskLoop
    private let task: any AnyLoopTask
    private let control: TaskControl
    private let formerRequests: Int
    private var state = State.entered
    private var handle: Handle?

    /// The deadline; nil for none (asyncio: `when`).
    public private(set) var when: LoopInstant?

    fileprivate init(loop: any TaskLoop, task: any AnyLoopTask, control: TaskControl, when: LoopInstant?) {
        self.loop = loop
        self.task = task
        self.control = control
        formerRequests = task.cancelRequestCount
        schedule(when)
    }

    /// Whether the deadline came while the body ran (asyncio: `expired`).
    public var isExpired: Bool { state == .expiring || state == .expired }

    /// Sets another deadline; nil for none (asyncio: `reschedule`).
    ///
    /// - Throws: `TransportError.usage` once the deadline came or the body is over.
    public func reschedule(_ when: LoopInstant?) throws(TransportError) {
        guard state == .entered else { throw .usage("Cannot change state of \(state.rawValue) Timeout") }
        handle?.cancel()
        schedule(when)
    }

    private func schedule(_ when: LoopInstant?) {
        self.when = when
        guard let when else { return }
        let expire = { [weak self] () -> Void in self?.expire() }
        handle = when <= loop.now ? loop.callSoon(expire) : loop.callAt(when, expire)
    }

    private func expire() {
        guard state == .entered else { return }
        state = .expiring
        handle = nil
        control.interrupt()
    }

    /// Ends the scope; whether a cancellation that comes out of it is the deadline's.
    fileprivate func exit() -> Bool {
        handle?.cancel()
        handle = nil
        guard state == .expiring else {
            state = .exited
            return false
        }
        state = .expired
        guard task.uncancel() <= formerRequests else { return false }
        // Nothing threw it, if the body waited for nothing of the loop's since.
        control.mustCancel = false
        return true
    }
}

extension TaskLoop {
    /// Runs `body`, and cancels what it awaits once `delay` is over (asyncio: `async with timeout(delay)`).
    ///
    /// The body is part of the calling task: it starts at once and takes no turn of its own. It gets the `Timeout`,
    /// to set another deadline. The deadline interrupts what is awaited of the loop; what waits elsewhere
    /// (`Task.sleep`, a stream of another's) goes through `waitFor`, which gives it a task. Nil: no deadline.
    ///
    /// - Throws: `TransportError.timedOut` if the deadline cancelled the body; what the body throws; `.usage`
    ///   outside of a `LoopTask`.
    public nonisolated(nonsending) func timeout<Value>(
        after delay: Duration?, _ body: nonisolated(nonsending) (Timeout) async throws -> Value
    ) async throws -> Value {
        try await timeout(at: delay.map { now + $0 }, body)
    }

    /// Runs `body`, and cancels what it awaits at `when` (asyncio: `async with timeout_at(when)`).
    ///
    /// - Throws: as `timeout(after:)`.
    public nonisolated(nonsending) func timeout<Value>(
        at when: LoopInstant?, _ body: nonisolated(nonsending) (Timeout) async throws -> Value
    ) async throws -> Value {
        try checkThread()
        guard let control = TaskControl.current, let task = control.task else {
            throw TransportError.usage("Timeout should be used inside a task; createTask makes one")
        }
        let start = now
        let timeout = Timeout(loop: self, task: task, control: control, when: when)
        do {
            let value = try await body(timeout)
            _ = timeout.exit()
            return value
        } catch {
            guard timeout.exit(), isCancellation(error) else { throw error }
            throw TransportError.timedOut(what: "the work in timeout", after: (timeout.when ?? start) - start)
        }
    }

    /// Waits for `future` for at most `limit`, then cancels it (asyncio: `wait_for`); nil waits as long as it takes.
    ///
    /// - Throws: `TransportError.timedOut` once the future has taken its cancellation; else what the future throws.
    public nonisolated(nonsending) func waitFor<Value>(
        _ future: Future<Value>, timeout limit: Duration?
    ) async throws -> Value {
        guard let limit else { return try await future.value }
        try checkThread()
        if limit <= .zero {
            return future.isDone ? try future.result() : try await afterCancelling(future, limit)
        }
        let waiter = createFuture(of: Void.self)
        let timer = callLater(limit) { waiter.release() }
        let token = future.whenDone { waiter.release() }
        defer {
            timer.cancel()
            future.removeDoneCallback(token)
        }
        do {
            try await waiter.value
        } catch {
            if future.isDone { return try future.result() }
            future.removeDoneCallback(token)
            try await settle(cancelling: future)
            throw error
        }
        if future.isDone { return try future.result() }
        future.removeDoneCallback(token)
        return try await afterCancelling(future, limit)
    }

    /// Runs `body` as a task of its own for at most `limit`, then cancels it (asyncio: `wait_for`).
    ///
    /// - Throws: `TransportError.timedOut` once the body has taken its cancellation; else what the body throws.
    public nonisolated(nonsending) func waitFor<Value>(
        timeout limit: Duration?, _ body: @escaping () async throws -> Value
    ) async throws -> Value {
        try await waitFor(createTask(body), timeout: limit)
    }

    private nonisolated(nonsending) func afterCancelling<Value>(
        _ future: Future<Value>, _ limit: Duration
    ) async throws -> Value {
        try await settle(cancelling: future)
        do {
            return try future.result()
        } catch  where future.isCancelled {
            throw TransportError.timedOut(what: "the future in waitFor", after: limit)
        }
    }

    /// Cancels `future` and waits until it has taken that (asyncio: `_cancel_and_wait`).
    private nonisolated(nonsending) func settle(cancelling future: AnyFuture) async throws {
        let waiter = createFuture(of: Void.self)
        let token = future.whenDone { waiter.release() }
        defer { future.removeDoneCallback(token) }
        future.cancel()
        try await waiter.value
    }

    /// A future that follows `inner`, and whose cancellation leaves `inner` alone (asyncio: `shield`).
    ///
    /// A task that awaits it may be cancelled; what `inner` does goes on. Keep a reference to `inner`'s outcome.
    public func shield<Value>(_ inner: Future<Value>) -> Future<Value> {
        if inner.isDone { return inner }
        let outer = createFuture(of: Value.self)
        let token = inner.addDoneCallback { inner in
            if inner.isCancelled {
                outer.cancel()
            } else if outer.isCancelled {
                // Asked for, so that it is not reported.
                _ = try inner.exception()
            } else if let error = try inner.exception() {
                try outer.setError(error)
            } else {
                try outer.setResult(try inner.result())
            }
        }
        outer.addDoneCallback { [weak inner] _ in inner?.removeDoneCallback(token) }
        return outer
    }

    /// As `shield` of a task that runs `body` (asyncio: `shield(coroutine())`).
    public func shield<Value>(_ body: @escaping () async throws -> Value) -> Future<Value> {
        shield(createTask(body))
    }
}
