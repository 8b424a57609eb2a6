import AnyloopCore

extension TaskLoop {
    /// The results of all of `futures`, in their order (asyncio: `gather`).
    ///
    /// The first error is the outcome, while the others go on; a cancelled one counts as an error. Cancelling the
    /// gathering cancels them all.
    public func gather<Value>(_ futures: [Future<Value>]) -> Future<[Value]> {
        gather(futures, endsWithError: true) { try $0.map { try $0.result() } }
    }

    /// The results of all of `bodies`, each run as a task, in their order (asyncio: `gather(coroutine(), …)`).
    public func gather<Value>(_ bodies: [() async throws -> Value]) -> Future<[Value]> {
        gather(bodies.map { createTask($0) as Future<Value> })
    }

    /// The results or errors of all of `futures`, in their order (asyncio: `gather(…, return_exceptions=True)`).
    public func gatherResults<Value>(_ futures: [Future<Value>]) -> Future<[Result<Value, any Error>]> {
        gather(futures, endsWithError: false) { $0.map { future in Result { try future.result() } } }
    }

    private func gather<Value, Output>(
        _ futures: [Future<Value>], endsWithError: Bool, _ combine: @escaping ([Future<Value>]) throws -> Output
    ) -> Future<Output> {
        let outer = GatheringFuture(loop: self, futures, endsWithError: endsWithError, combine)
        guard !futures.isEmpty else {
            callSoon { if !outer.isDone { try outer.setResult(combine([])) } }
            return outer
        }
        for future in futures { future.addDoneCallback { try outer.ended($0) } }
        return outer
    }

    /// Waits until all of `futures` are done, or as `condition` says (asyncio: `wait`).
    ///
    /// Nothing is cancelled, neither at the end of `limit` nor with the waiting task.
    ///
    /// - Returns: those that are done and those that are not, each in the order given.
    /// - Throws: `TransportError.usage` without futures; `.cancelled` with the task.
    public nonisolated(nonsending) func wait<Waited: AnyFuture>(
        for futures: [Waited], timeout limit: Duration? = nil, until condition: WaitCondition = .allCompleted
    ) async throws -> (done: [Waited], pending: [Waited]) {
        guard !futures.isEmpty else { throw TransportError.usage(.argument("Set of Tasks/Futures is empty.")) }
        try checkThread()
        var seen: Set<ObjectIdentifier> = []
        let futures = futures.filter { seen.insert(ObjectIdentifier($0)).inserted }
        let waiter = createFuture(of: Void.self)
        let timer = limit.map { callLater($0) { waiter.release() } }
        var left = futures.count
        let tokens = futures.map { future in
            future.whenDone {
                left -= 1
                guard left > 0, condition != .firstCompleted else { return waiter.release() }
                guard condition == .firstException, !future.isCancelled else { return }
                if try future.exception() != nil { waiter.release() }
            }
        }
        defer {
            timer?.cancel()
            for (future, token) in zip(futures, tokens) { future.removeDoneCallback(token) }
        }
        try await waiter.value
        return (futures.filter(\.isDone), futures.filter { !$0.isDone })
    }
}

/// When `TaskLoop.wait` has waited enough (asyncio: `return_when`).
public enum WaitCondition: Sendable, CaseIterable {
    /// All are done.
    case allCompleted
    /// One is done.
    case firstCompleted
    /// One is done with an error, or all are done.
    case firstException
}

/// What `gather` gives: its cancellation is that of every one of its futures (asyncio: `_GatheringFuture`).
private final class GatheringFuture<Value, Output>: Future<Output> {
    private let futures: [Future<Value>]
    private let endsWithError: Bool
    private let combine: ([Future<Value>]) throws -> Output
    private var left: Int
    private var isCancelRequested = false

    init(
        loop: any TaskLoop, _ futures: [Future<Value>], endsWithError: Bool,
        _ combine: @escaping ([Future<Value>]) throws -> Output
    ) {
        self.futures = futures
        self.endsWithError = endsWithError
        self.combine = combine
        left = futures.count
        super.init(loop: loop)
    }

    override func cancel() -> Bool {
        guard !isDone else { return false }
        guard !futures.isEmpty else { return super.cancel() }
        var isAny = false
        for future in futures where future.cancel() { isAny = true }
        if isAny { isCancelRequested = true }
        return isAny
    }

    func ended(_ future: Future<Value>) throws {
        left -= 1
        guard !isDone else {
            // Asked for, so that it is not reported.
            if !future.isCancelled { _ = try future.exception() }
            return
        }
        if endsWithError {
            if future.isCancelled { return try setError(TransportError.cancelled) }
            if let error = try future.exception() { return try setError(error) }
        }
        guard left == 0 else { return }
        let output = try combine(futures)
        if isCancelRequested { try setError(TransportError.cancelled) } else { try setResult(output) }
    }
}
