import AnyloopCore

/// What futures have in common, whatever their value (asyncio: `Future`). Confined to its loop's thread.
public class AnyFuture {
    /// The loop that runs the callbacks (asyncio: `get_loop`).
    public let loop: any TaskLoop

    fileprivate init(loop: any TaskLoop) {
        self.loop = loop
    }

    /// Whether there is a result, an error or a cancellation (asyncio: `done`).
    public var isDone: Bool { false }

    /// Whether it was cancelled (asyncio: `cancelled`).
    public var isCancelled: Bool { false }

    /// Cancels it; false if it was done before (asyncio: `cancel`).
    @discardableResult
    public func cancel() -> Bool { false }

    /// The error, or nil if there is a result (asyncio: `exception`).
    ///
    /// - Throws: `TransportError.cancelled` if it was cancelled, `.usage` if it is not done.
    public func exception() throws(TransportError) -> (any Error)? { nil }

    /// Runs `callback` by the ready queue once this is done, after those that were added before (rule 28).
    @discardableResult
    public func whenDone(_ callback: @escaping () throws -> Void) -> DoneCallback { DoneCallback() }

    /// Takes a callback out; whether it still waited (asyncio: `remove_done_callback`).
    @discardableResult
    public func removeDoneCallback(_ callback: DoneCallback) -> Bool { false }

    func addWaiter(_ waiter: FutureWaiter) {}
}

/// The means to take a future's callback out again.
public final class DoneCallback {
    init() {}
}

/// A result that is not there yet (asyncio: `Future`, rule 28). Confined to its loop's thread.
///
/// `loop.createFuture()` makes one. Tasks await `value`; cancelling a task cancels the future that it awaits. An
/// error that nobody asked for when the last reference goes is told to the loop's exception handler.
public class Future<Value>: AnyFuture {
    private enum Entry {
        case callback(DoneCallback, (Future<Value>) throws -> Void)
        case waiter(FutureWaiter)
    }

    private enum State {
        case pending
        case finished(Result<Value, any Error>)
        case cancelled
    }

    private var state = State.pending
    private var entries: [Entry] = []
    /// Whether an error waits to be asked for.
    private var isUnretrieved = false

    override init(loop: any TaskLoop) {
        super.init(loop: loop)
    }

    deinit {
        guard isUnretrieved, case .finished(.failure(let error)) = state else { return }
        let exception = LoopException(message: "\(kindName) exception was never retrieved", error: error)
        let loop = loop
        guard !loop.remote.isOnLoopThread else { return loop.callExceptionHandler(exception) }
        let bound = LoopBound((loop, exception), to: loop.remote)
        loop.remote.callSoonThreadsafe { bound.value.0.callExceptionHandler(bound.value.1) }
    }

    /// What reports call it.
    var kindName: String { "Future" }

    /// Whether there is a result, an error or a cancellation (asyncio: `done`).
    public final override var isDone: Bool { if case .pending = state { false } else { true } }

    /// Whether it was cancelled (asyncio: `cancelled`).
    public final override var isCancelled: Bool { if case .cancelled = state { true } else { false } }

    /// The result (asyncio: `result`).
    ///
    /// - Throws: the error that was set; `TransportError.cancelled`; `.usage` of kind `invalidState` if not done.
    public final func result() throws -> Value {
        switch state {
        case .pending: throw TransportError.usage(.invalidState("Result is not set."))
        case .cancelled: throw TransportError.cancelled
        case .finished(let result):
            isUnretrieved = false
            return try result.get()
        }
    }

    /// The error, or nil if there is a result (asyncio: `exception`).
    ///
    /// - Throws: `TransportError.cancelled`; `.usage` of kind `invalidState` if not done.
    public final override func exception() throws(TransportError) -> (any Error)? {
        switch state {
        case .pending: throw .usage(.invalidState("Exception is not set."))
        case .cancelled: throw .cancelled
        case .finished(.success): return nil
        case .finished(.failure(let error)):
            isUnretrieved = false
            return error
        }
    }

    /// Sets the result and queues the callbacks (asyncio: `set_result`).
    ///
    /// - Throws: `TransportError.usage` of kind `invalidState` if it is done already.
    public func setResult(_ value: Value) throws(TransportError) {
        try finish(.success(value))
    }

    /// Sets an error as the outcome (asyncio: `set_exception`).
    ///
    /// - Throws: `TransportError.usage` of kind `invalidState` if it is done already.
    public func setError(_ error: any Error) throws(TransportError) {
        try finish(.failure(error))
    }

    /// Makes it cancelled and queues the callbacks; false if it was done before (asyncio: `cancel`).
    @discardableResult
    public override func cancel() -> Bool { becomeCancelled() }

    /// Runs `callback` by the ready queue once this is done, at once queued if it is (asyncio: `add_done_callback`).
    ///
    /// Callbacks run in the order in which they were added, never inside the call that sets the result (rule 28).
    @discardableResult
    public final func addDoneCallback(_ callback: @escaping (Future<Value>) throws -> Void) -> DoneCallback {
        let token = DoneCallback()
        if isDone {
            loop.callSoon { [self] in try callback(self) }
        } else {
            entries.append(.callback(token, callback))
        }
        return token
    }

    /// Runs `callback` by the ready queue once this is done, after those that were added before (rule 28).
    @discardableResult
    public final override func whenDone(_ callback: @escaping () throws -> Void) -> DoneCallback {
        addDoneCallback { _ in try callback() }
    }

    /// Takes a callback out; whether it still waited (asyncio: `remove_done_callback`).
    @discardableResult
    public final override func removeDoneCallback(_ callback: DoneCallback) -> Bool {
        let count = entries.count
        entries.removeAll { if case .callback(let token, _) = $0 { token === callback } else { false } }
        return entries.count < count
    }

    /// The result, once there is one; takes no turn if there is one already (asyncio: `await future`).
    ///
    /// - Throws: the error that was set; `TransportError.cancelled` if this or the waiting task was cancelled;
    ///   `.loopClosed`.
    public final nonisolated(nonsending) var value: Value {
        get async throws {
            if !isDone {
                try loop.checkThread()
                try await loop.suspend(on: self)
            }
            return try result()
        }
    }

    final override func addWaiter(_ waiter: FutureWaiter) { entries.append(.waiter(waiter)) }

    final func finish(_ result: Result<Value, any Error>) throws(TransportError) {
        guard case .pending = state else { throw .usage(.invalidState("invalid state")) }
        state = .finished(result)
        if case .failure = result { isUnretrieved = true }
        scheduleCallbacks()
    }

    final func becomeCancelled() -> Bool {
        guard case .pending = state else { return false }
        state = .cancelled
        scheduleCallbacks()
        return true
    }

    private func scheduleCallbacks() {
        let entries = entries
        self.entries = []
        for entry in entries {
            switch entry {
            case .callback(_, let callback): loop.callSoon { [self] in try callback(self) }
            case .waiter(let waiter): waiter.wake()
            }
        }
    }
}

extension Future where Value == Void {
    /// Says that it is done (asyncio: `set_result(None)`).
    ///
    /// - Throws: `TransportError.usage` of kind `invalidState` if it is done already.
    public func setResult() throws(TransportError) { try setResult(()) }

    /// Ends a wait, unless it was cancelled.
    func release() {
        if !isDone { try? setResult() }
    }
}

/// A task that waits for a future; cancelling it cancels the future.
final class FutureWaiter: AnyWaiter {
    private let future: AnyFuture
    private(set) var failure: TransportError?

    init(_ future: AnyFuture) {
        self.future = future
    }

    override func cancel() -> Bool { future.cancel() }

    override func fail(_ error: TransportError) {
        failure = error
        wake()
    }
}

extension TaskLoop {
    /// A future of this loop (asyncio: `create_future`).
    public func createFuture<Value>(of type: Value.Type = Value.self) -> Future<Value> { Future(loop: self) }

    /// Suspends the task until `future` is done.
    nonisolated(nonsending) func suspend(on future: AnyFuture) async throws(TransportError) {
        let waiter = FutureWaiter(future)
        future.addWaiter(waiter)
        try await suspend(waiter)
        if let failure = waiter.failure { throw failure }
    }
}
