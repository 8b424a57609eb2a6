import AnyloopCore

/// The listening sockets of one `TaskLoop.createServer` (asyncio: `Server`, rules 56 to 60).
public final class AsyncServer: Server {
    private let loop: any TaskLoop
    private let server: any Server
    private var isClosed = false
    private var endServing: (() -> Void)?

    init(loop: any TaskLoop, _ server: any Server) {
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
        isClosed = true
        server.close()
        endServing?()
    }

    /// Calls `callback` once closed and the last connection is gone.
    public func whenClosed(_ callback: @escaping () -> Void) { server.whenClosed(callback) }

    /// Waits until the server is closed and its last connection is gone (rule 58, as in CPython 3.12 and later).
    ///
    /// - Throws: `TransportError.cancelled` with the task.
    public nonisolated(nonsending) func waitClosed() async throws(TransportError) {
        try await loop.wait { (done: @escaping (Result<Void, TransportError>) -> Void) in
            server.whenClosed { done(.success(())) }
            return nil
        }
    }

    /// Serves until `close` or the task's cancellation, which closes the server; ends with an error in any case.
    ///
    /// - Throws: `TransportError.usage` for a second caller or a closed server, else `.cancelled` (rule 59).
    public nonisolated(nonsending) func serveForever() async throws(TransportError) {
        guard endServing == nil else { throw .usage("server is already being awaited on serve_forever()") }
        guard !isClosed else { throw .usage("server is closed") }
        try startServing()
        defer { endServing = nil }
        do throws(TransportError) {
            try await loop.wait { (done: @escaping (Result<Void, TransportError>) -> Void) in
                endServing = { done(.failure(.cancelled)) }
                return nil
            }
        } catch {
            close()
            throw error
        }
    }
}
