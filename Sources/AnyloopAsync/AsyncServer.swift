import AnyloopCore

/// The listening sockets of one `TaskLoop.createServer` (asyncio: `Server`, rules 56 to 60).
public final class AsyncServer: Server {
    private let loop: any TaskLoop
    private let server: any Server
    private var isClosed = false
    private var serving: Future<Void>?
    private var closedWaiters: [Waiter<Void>] = []
    /// Closed, and the last connection is gone.
    private var isOver = false

    package init(loop: any TaskLoop, _ server: any Server) {
        self.loop = loop
        self.server = server
    }

    /// The bound addresses; empty after `close`.
    public var addresses: [SocketAddress] { server.addresses }

    /// Whether new connections are accepted.
    public var isServing: Bool { server.isServing }

    /// Connections accepted here that are still open.
    public var connectionCount: Int { server.connectionCount }

    /// The transports of those connections.
    public var clients: [any StreamTransport] { server.clients }

    /// Starts to listen; without effect if it does already.
    public func startServing() throws(TransportError) { try server.startServing() }

    /// Stops accepting, ends `serveForever`; open connections live on. Idempotent (rule 57).
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        server.close()
        serving?.cancel()
        serving = nil
        if server.connectionCount == 0 { wakeWaiters() } else { server.whenClosed { [self] in wakeWaiters() } }
    }

    private func wakeWaiters() {
        isOver = true
        let waiters = closedWaiters
        closedWaiters = []
        for waiter in waiters { waiter.finish(.success(())) }
    }

    /// Calls `callback` once closed and the last connection is gone.
    public func whenClosed(_ callback: @escaping () -> Void) { server.whenClosed(callback) }

    /// Waits until the server is closed and its last connection is gone (rule 58, as in CPython 3.12 and later).
    ///
    /// - Throws: `TransportError.cancelled` with the task.
    public nonisolated(nonsending) func waitClosed() async throws(TransportError) {
        guard !isOver else { return }
        try loop.checkThread()
        let waiter = Waiter<Void>()
        closedWaiters.append(waiter)
        defer { closedWaiters.removeAll { $0 === waiter } }
        try await loop.suspend(waiter)
        try waiter.result?.get()
    }

    /// Serves until `close` or the task's cancellation, which closes the server; ends with an error in any case.
    ///
    /// Its end waits for the last connection's, as `waitClosed` does.
    ///
    /// - Throws: `TransportError.usage` for a second caller or a closed server, else `.cancelled` (rule 59).
    public nonisolated(nonsending) func serveForever() async throws(TransportError) {
        guard serving == nil else { throw .usage("server is already being awaited on serve_forever()") }
        guard !isClosed else { throw .usage("server is closed") }
        try startServing()
        let future = loop.createFuture(of: Void.self)
        serving = future
        defer { serving = nil }
        do {
            try await future.value
        } catch {
            close()
            // A second cancellation ends this wait; the first is what is told.
            try? await waitClosed()
            throw error as? TransportError ?? .cancelled
        }
    }

    /// Runs `body`, then closes the server and waits until it is closed (asyncio: `async with server`, rule 60).
    ///
    /// - Throws: what `body` throws; `TransportError.cancelled` with the task.
    public nonisolated(nonsending) func closing<Value>(
        after body: nonisolated(nonsending) (AsyncServer) async throws -> Value
    ) async throws -> Value {
        let result: Result<Value, any Error>
        do { result = .success(try await body(self)) } catch { result = .failure(error) }
        close()
        try await waitClosed()
        return try result.get()
    }
}
