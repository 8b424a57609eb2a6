import AnyloopCore

extension TaskLoop {
    /// The results of all of `futures`, in their order (asyncio: `gather`).
    ///
    /// The first error is the outcome, while the others go on; a cancelled one counts as an error. Cancelling the
    /// gathering cancels them all.
    public func gather<Value>(_ futures: [Future<Value>]) -> Future<[Value]> {
        let outer = GatheringFuture(loop: self, futures)
        guard !futures.isEmpty else {
            callSoon { if !outer.isDone { try outer.setResult([]) } }
            return outer
        }
        for future in futures { future.addDoneCallback { try outer.ended($0) } }
        return outer
    }

    /// The results of all of `bodies`, each run as a task, in their order (asyncio: `gather(coroutine(), …)`).
    public func gather<Value>(_ bodies: [() async throws -> Value]) -> Future<[Value]> {
        gather(bodies.map { createTask($0) as Future<Value> })
    }
}

/// What `gather` gives: its cancellation is that of every one of its futures (asyncio: `_GatheringFuture`).
private final class GatheringFuture<Value>: Future<[Value]> {
    private let futures: [Future<Value>]
    private var left: Int
    private var isCancelRequested = false

    init(loop: any TaskLoop, _ futures: [Future<Value>]) {
        self.futures = futures
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
        if future.isCancelled { return try setError(TransportError.cancelled) }
        if let error = try future.exception() { return try setError(error) }
        guard left == 0 else { return }
        if isCancelRequested { return try setError(TransportError.cancelled) }
        try setResult(try futures.map { try $0.result() })
    }
}
