import AnyloopCore

extension TaskLoop {
    /// Waits for what `start` begins; cancelling the task calls it off.
    ///
    /// The task goes on in the turn after the completion's, behind what was queued until then (rule 28). A value
    /// that comes although the wait was cancelled is given to `late`.
    package nonisolated(nonsending) func wait<Value>(
        late: ((Value) -> Void)? = nil,
        _ start: (@escaping (Result<Value, TransportError>) -> Void) throws(TransportError) -> (any Cancellable)?
    ) async throws(TransportError) -> Value {
        try checkThread()
        let waiter = Waiter<Value>()
        waiter.late = late
        waiter.work = try start { waiter.finish($0) }
        do throws(TransportError) {
            try await suspend(waiter)
        } catch {
            if case .success(let value) = waiter.result { late?(value) }
            throw error
        }
        guard let result = waiter.result else { throw .cancelled }
        return try result.get()
    }

    /// Suspends the task until `waiter` is done.
    ///
    /// A `LoopTask` is cancelled once for each `cancel()`, as in asyncio; any other task of Swift's for good.
    ///
    /// - Throws: `TransportError.cancelled` if a cancellation came when the waiter was done, but the task not awake.
    nonisolated(nonsending) func suspend(_ waiter: AnyWaiter) async throws(TransportError) {
        let state = AsyncState.of(self)
        state.waiters.insert(waiter)
        defer { state.waiters.remove(waiter) }
        if let control = TaskControl.current {
            if control.mustCancel, waiter.cancel() { control.mustCancel = false }
            control.waiter = waiter
            await unsafe withUnsafeContinuation { unsafe waiter.suspend($0, on: self) }
            control.waiter = nil
            if control.mustCancel {
                control.mustCancel = false
                throw .cancelled
            }
            return
        }
        let bound = LoopBound(waiter, to: remote)
        let remote = remote
        await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { unsafe waiter.suspend($0, on: self) }
        } onCancel: {
            if remote.isOnLoopThread {
                bound.value.cancel()
            } else {
                remote.callSoonThreadsafe { bound.value.cancel() }
            }
        }
    }

    /// - Throws: `TransportError.loopClosed`, or `.usage` on another thread than the loop's (rules 12, 19).
    func checkThread() throws(TransportError) {
        if isClosed { throw .loopClosed }
        guard remote.isOnLoopThread else {
            let text = "Non-thread-safe operation invoked on an event loop other than the current one"
            throw .usage("\(text): await it in a task of the loop, as runUntilComplete makes one")
        }
    }
}

/// A task that waits on the loop, whatever for.
@safe
class AnyWaiter: BagMember {
    /// What is called off with the wait.
    final var work: (any Cancellable)?
    /// Whether the wait is over; the task may not be awake yet.
    final private(set) var isDone = false
    final var bagIndex = -1
    /// Resumed once by `wake`, which is why it need not be a checked one.
    private var continuation: UnsafeContinuation<Void, Never>?

    /// Ends the wait with an error.
    func fail(_ error: TransportError) { wake() }

    /// Calls off what is waited for; false if the wait was over before.
    @discardableResult
    func cancel() -> Bool {
        guard !isDone else { return false }
        let work = work
        fail(.cancelled)
        work?.cancel()
        return true
    }

    /// Takes the task's continuation; resumed in the next turn if the wait is over.
    final func suspend(_ continuation: UnsafeContinuation<Void, Never>, on loop: any TaskLoop) {
        if isDone { unsafe loop.resumeSoon(continuation) } else { unsafe self.continuation = unsafe continuation }
    }

    /// Lets the task go on, in the next turn.
    final func wake() {
        guard !isDone else { return }
        isDone = true
        work = nil
        guard let continuation = unsafe continuation else { return }
        unsafe self.continuation = nil
        unsafe continuation.resume()
    }
}

/// A task that waits for a `Value`.
final class Waiter<Value>: AnyWaiter {
    private(set) var result: Result<Value, TransportError>?
    var late: ((Value) -> Void)?

    func finish(_ result: Result<Value, TransportError>) {
        guard self.result == nil else {
            if case .success(let value) = result { late?(value) }
            return
        }
        self.result = result
        wake()
    }

    override func fail(_ error: TransportError) { finish(.failure(error)) }
}

extension TaskLoop {
    /// Goes on behind the `connectionMade` that waits in the queue; a cancelled task aborts `transport`.
    nonisolated(nonsending) func waitUntilMade(_ transport: any Transport) async throws(TransportError) {
        do throws(TransportError) {
            try await wait { (done: @escaping (Result<Void, TransportError>) -> Void) in
                callSoon { done(.success(())) }
                return nil
            }
        } catch {
            transport.abort()
            throw error
        }
    }
}
