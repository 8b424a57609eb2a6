import AnyloopCore

extension TaskLoop {
    /// Waits for what `start` begins; a cancelled task calls it off.
    ///
    /// The task goes on in the turn after the completion's, behind what was queued until then (rule 28). What comes
    /// after the task was cancelled is given to `late`.
    nonisolated(nonsending) func wait<Value>(
        late: ((Value) -> Void)? = nil,
        _ start: (@escaping (Result<Value, TransportError>) -> Void) throws(TransportError) -> (any Cancellable)?
    ) async throws(TransportError) -> Value {
        try checkThread()
        let waiter = Waiter<Value>()
        waiter.late = late
        waiter.work = try start { waiter.finish($0) }
        let waiters = AsyncState.of(self)
        let number = waiters.insert(waiter)
        defer { waiters.remove(number) }
        let bound = LoopBound(waiter, to: remote)
        let remote = remote
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter.suspend($0) }
        } onCancel: {
            if remote.isOnLoopThread {
                bound.value.cancel()
            } else {
                remote.callSoonThreadsafe { bound.value.cancel() }
            }
        }
        guard let result = waiter.result else { throw .cancelled }
        return try result.get()
    }

    /// - Throws: `TransportError.loopClosed`, or `.usage` on another thread than the loop's.
    func checkThread() throws(TransportError) {
        if isClosed { throw .loopClosed }
        guard remote.isOnLoopThread else {
            let text = "Non-thread-safe operation invoked on an event loop other than the current one"
            throw .usage("\(text): await it in a task of the loop, as runUntilComplete makes one")
        }
    }
}

/// A task that waits on the loop, whatever for.
class AnyWaiter {
    /// What is called off with the wait.
    final var work: (any Cancellable)?
    private var continuation: CheckedContinuation<Void, Never>?

    /// Whether there is an answer.
    var isDone: Bool { false }

    /// Ends the wait with an error.
    func fail(_ error: TransportError) {}

    /// Calls off what is waited for; the wait ends with `TransportError.cancelled`.
    final func cancel() {
        guard !isDone else { return }
        let work = work
        fail(.cancelled)
        work?.cancel()
    }

    /// Takes the task's continuation; at once resumed if there is an answer already.
    final func suspend(_ continuation: CheckedContinuation<Void, Never>) {
        if isDone { continuation.resume() } else { self.continuation = continuation }
    }

    /// Lets the task go on, in the next turn.
    final func resume() {
        work = nil
        let continuation = continuation
        self.continuation = nil
        continuation?.resume()
    }
}

/// A task that waits for a `Value`.
final class Waiter<Value>: AnyWaiter {
    private(set) var result: Result<Value, TransportError>?
    var late: ((Value) -> Void)?

    override var isDone: Bool { result != nil }

    func finish(_ result: Result<Value, TransportError>) {
        guard self.result == nil else {
            if case .success(let value) = result { late?(value) }
            return
        }
        self.result = result
        resume()
    }

    override func fail(_ error: TransportError) { finish(.failure(error)) }
}

/// What this module keeps for a loop: whoever waits on it, to be told when it closes.
final class AsyncState {
    private var waiters: [UInt64: AnyWaiter] = [:]
    private var nextNumber: UInt64 = 0
    private var closing: (any Cancellable)?

    /// The one of `loop`, made at the first call.
    static func of(_ loop: some TaskLoop) -> AsyncState {
        if let state = loop.asyncState as? AsyncState { return state }
        let state = AsyncState()
        loop.asyncState = state
        state.closing = loop.whenClosing { [weak state] in state?.loopCloses() }
        return state
    }

    func insert(_ waiter: AnyWaiter) -> UInt64 {
        nextNumber += 1
        waiters[nextNumber] = waiter
        return nextNumber
    }

    func remove(_ number: UInt64) { waiters[number] = nil }

    private func loopCloses() {
        for waiter in waiters.values { waiter.fail(.loopClosed) }
    }
}

/// A closure that calls work off.
final class CancelAction: Cancellable {
    private var action: (() -> Void)?

    init(_ action: @escaping () -> Void) {
        self.action = action
    }

    func cancel() {
        action?()
        action = nil
    }
}
