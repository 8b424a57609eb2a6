import AnyloopCore

/// Whether a writer must wait, and who does (asyncio: `FlowControlMixin`).
final class StreamFlow {
    private let loop: any TaskLoop
    private var isPaused = false
    private var isLost = false
    private var waiters: [Waiter<Void>] = []

    /// Done once the connection is lost.
    let closed: Future<Void>

    init(loop: any TaskLoop) {
        self.loop = loop
        closed = loop.createFuture()
    }

    deinit {
        // An error that nobody waited for was told to the reader.
        if closed.isDone, !closed.isCancelled { _ = try? closed.exception() }
    }

    /// Has `drain` wait from here on.
    func pause() { isPaused = true }

    /// Lets every `drain` go on.
    func resume() {
        isPaused = false
        wake(nil)
    }

    /// The connection is gone; once.
    func lost(_ error: TransportError?) throws {
        isLost = true
        if !closed.isDone {
            if let error { try closed.setError(error) } else { try closed.setResult() }
        }
        if isPaused { wake(error) }
    }

    private func wake(_ error: TransportError?) {
        for waiter in waiters { waiter.finish(error.map(Result.failure) ?? .success(())) }
    }

    nonisolated(nonsending) func drain() async throws(TransportError) {
        if isLost { throw .system(SystemError(errno: 104, operation: "drain", text: "Connection lost")) }
        guard isPaused else { return }
        try loop.checkThread()
        let waiter = Waiter<Void>()
        waiters.append(waiter)
        defer { waiters.removeAll { $0 === waiter } }
        try await loop.suspend(waiter)
        try waiter.result?.get()
    }
}
