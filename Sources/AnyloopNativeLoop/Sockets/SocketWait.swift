import AnyloopCore
import CAnyloopSystem

/// An answer that a task waits for.
final class PendingAnswer<Value> {
    private(set) var result: Result<Value, TransportError>?
    private var continuation: CheckedContinuation<Void, Never>?

    /// The first answer counts.
    func finish(_ result: Result<Value, TransportError>) {
        guard self.result == nil else { return }
        self.result = result
        continuation?.resume()
        continuation = nil
    }

    func suspend(_ continuation: CheckedContinuation<Void, Never>) {
        if result == nil { self.continuation = continuation } else { continuation.resume() }
    }
}

extension TaskLoop {
    /// Waits for `answer`; the task's cancellation and the loop's end are answers as well.
    nonisolated(nonsending) func waitFor<Value>(
        _ answer: PendingAnswer<Value>
    ) async -> Result<Value, TransportError> {
        let closing = whenClosing { answer.finish(.failure(.loopClosed)) }
        defer { closing.cancel() }
        let bound = LoopBound(answer, to: remote)
        let remote = remote
        await withTaskCancellationHandler {
            await withCheckedContinuation { answer.suspend($0) }
        } onCancel: {
            if remote.isOnLoopThread {
                bound.value.finish(.failure(.cancelled))
            } else {
                remote.callSoonThreadsafe { bound.value.finish(.failure(.cancelled)) }
            }
        }
        return answer.result ?? .failure(.cancelled)
    }
}

/// What the system answered to one call.
enum SocketOutcome<Value> {
    case done(Value)
    case failed(TransportError)
    /// Later, when the descriptor is ready.
    case again

    /// The outcome of a shim's call that returned `code`; `value` makes something of what is not negative.
    static func of(_ code: Int64, _ operation: String, _ value: (Int64) -> Value) -> SocketOutcome {
        if code >= 0 { return .done(value(code)) }
        let errno = Int32(-code)
        return Errno.isTransient(errno) ? .again : .failed(.system(errno, operation))
    }
}

extension DescriptorLoop where Self: TaskLoop {
    /// Makes `attempt` at once, and where the system says "later" again whenever `descriptor` is ready (rule 41).
    ///
    /// A cancelled task stops watching. What the last attempt brought is returned even so: nothing is lost.
    nonisolated(nonsending) func whenReady<Value>(
        _ descriptor: Int32, _ direction: Interest, _ attempt: @escaping () -> SocketOutcome<Value>
    ) async throws(TransportError) -> Value {
        switch attempt() {
        case .done(let value): return value
        case .failed(let error): throw error
        case .again: return try await waitUntilReady(descriptor, direction, attempt)
        }
    }

    /// Makes `attempt` whenever `descriptor` is ready, until it succeeds or fails.
    nonisolated(nonsending) func waitUntilReady<Value>(
        _ descriptor: Int32, _ direction: Interest, _ attempt: @escaping () -> SocketOutcome<Value>
    ) async throws(TransportError) -> Value {
        if Task.isCancelled { throw .cancelled }
        let answer = PendingAnswer<Value>()
        let isReading = direction == .read
        let callback = {
            guard answer.result == nil else { return }
            switch attempt() {
            case .done(let value): answer.finish(.success(value))
            case .failed(let error): answer.finish(.failure(error))
            case .again: break
            }
        }
        let handle = isReading ? try addReader(descriptor, callback) : try addWriter(descriptor, callback)
        let result = await waitFor(answer)
        // Another call may have taken the direction over meanwhile.
        if !handle.isCancelled { _ = isReading ? try removeReader(descriptor) : try removeWriter(descriptor) }
        return try result.get()
    }

    /// Refuses another thread than the loop's and, in debug mode, a descriptor that blocks (rule 40).
    func checkSocket(_ descriptor: Int32) throws(TransportError) {
        if isClosed { throw .loopClosed }
        guard remote.isOnLoopThread else {
            throw .usage("a task of the loop must await this; start it with runUntilComplete")
        }
        guard let loop = self as? any DebugLoop, loop.isDebug else { return }
        guard anyloop_is_non_blocking(descriptor) == 0 else { return }
        throw .usage(.argument("the socket must be non-blocking"))
    }
}
