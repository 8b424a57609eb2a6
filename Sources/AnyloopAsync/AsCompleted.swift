import AnyloopCore

extension TaskLoop {
    /// The futures as they get done, each once (asyncio: `as_completed`); nothing is cancelled, whatever happens.
    ///
    /// Iterating throws `TransportError.timedOut` if they are not all done `limit` from now.
    public func asCompleted<Value>(
        _ futures: [Future<Value>], timeout limit: Duration? = nil
    ) -> CompletedFutures<Value> {
        CompletedFutures(loop: self, futures, limit)
    }
}

/// Futures in the order in which they get done.
public struct CompletedFutures<Value>: AsyncSequence {
    private let source: CompletedSource<Value>

    fileprivate init(loop: any TaskLoop, _ futures: [Future<Value>], _ limit: Duration?) {
        source = CompletedSource(loop: loop, futures, limit)
    }

    /// Waits for one future a call.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let source: CompletedSource<Value>

        /// The next future that is done; nil after the last. Throws `TransportError.timedOut`, `.cancelled`.
        public mutating func next() async throws -> Future<Value>? {
            try await next(isolation: nil)
        }

        /// The next future that is done; nil after the last. Throws `TransportError.timedOut`, `.cancelled`.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Future<Value>? {
            try await source.next()
        }
    }

    /// An iterator; two of them share the futures.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }
}

private final class CompletedSource<Value> {
    private let done: LoopQueue<Future<Value>?>
    private let limit: Duration
    private var left: Int
    private var tokens: [(Future<Value>, DoneCallback)] = []
    private var timer: TimerHandle?

    init(loop: any TaskLoop, _ futures: [Future<Value>], _ limit: Duration?) {
        done = LoopQueue(loop: loop)
        self.limit = limit ?? .zero
        var seen: Set<ObjectIdentifier> = []
        let futures = futures.filter { seen.insert(ObjectIdentifier($0)).inserted }
        left = futures.count
        for future in futures {
            tokens.append((future, future.addDoneCallback { [done] in try done.putNowait($0) }))
        }
        guard let limit, left > 0 else { return }
        timer = loop.callLater(limit) { [weak self] in try self?.expire() }
    }

    deinit { timer?.cancel() }

    private func expire() throws {
        for (future, token) in tokens { future.removeDoneCallback(token) }
        // One for everybody who waits or will.
        for _ in 0..<left { try done.putNowait(nil) }
    }

    nonisolated(nonsending) func next() async throws -> Future<Value>? {
        guard left > 0 else { return nil }
        guard let future = try await done.get() else {
            throw TransportError.timedOut(what: "asCompleted", after: limit)
        }
        left -= 1
        if left == 0 { timer?.cancel() }
        return future
    }
}
