/// A set of listening sockets (asyncio: `Server`). Confined to its loop's thread.
public protocol Server: AnyObject {
    /// The addresses that are bound, with the real port where 0 was asked for; empty after `close`.
    var addresses: [SocketAddress] { get }

    /// Whether new connections are accepted.
    var isServing: Bool { get }

    /// Starts to listen, where `ServerOptions.startServing` was false; otherwise without effect.
    func startServing() throws(TransportError)

    /// Stops accepting now; open connections live on. Idempotent (asyncio rule 57).
    func close()

    /// Connections accepted here that have not seen `connectionLost` yet.
    var connectionCount: Int { get }

    /// The transports of those connections, as far as they were made; for `closeClients` and `abortClients`.
    var clients: [any StreamTransport] { get }

    /// Calls `callback` once the server is closed and its last connection is gone (asyncio rule 58); that may be
    /// inside `close` or inside this call.
    func whenClosed(_ callback: @escaping () -> Void)
}

extension Server {
    /// Closes every connection accepted here, after what it has queued (asyncio 3.13: `close_clients`, rule 60).
    public func closeClients() {
        for client in clients { client.close() }
    }

    /// Aborts every connection accepted here (asyncio 3.13: `abort_clients`, rule 60).
    public func abortClients() {
        for client in clients { client.abort() }
    }
}

/// How a server listens.
public struct ServerOptions: Sendable {
    /// Connections that the kernel holds for `accept`, and at most so many accepts in one turn.
    public var backlog = 100
    /// `SO_REUSEADDR`; on by default as in asyncio.
    public var reuseAddress = true
    /// `SO_REUSEPORT`, so that several loops share one port.
    public var reusePort = false
    /// False binds without listening; `Server.startServing` listens later.
    public var startServing = true
    /// `SO_KEEPALIVE` on every connection that is accepted (asyncio 3.13: `keep_alive`).
    public var keepAlive = false
    /// Whether `close` removes the file of a Unix socket, if it is still the one that was bound (asyncio 3.13:
    /// `cleanup_socket`, rule 62).
    public var cleanUpSocket = true
    /// Connections open at once; above it accepting pauses until one ends. Nil: no limit of ours.
    public var connectionLimit: Int?

    /// The defaults.
    public init() {}
}

/// How a connection is made.
public struct ConnectOptions: Sendable {
    /// The limit for the whole attempt, names and all; nil waits for the system's own.
    public var timeout: Duration?
    /// Head start of one address before the next is tried beside it (RFC 8305 §5); nil tries them one by one.
    public var happyEyeballsDelay: Duration? = .milliseconds(250)
    /// The address to connect from; nil leaves it to the system.
    public var localAddress: SocketAddress?

    /// The defaults.
    public init() {}
}

/// How a datagram endpoint is opened.
public struct DatagramOptions: Sendable {
    /// `SO_REUSEPORT`.
    public var reusePort = false
    /// `SO_BROADCAST`.
    public var allowBroadcast = false

    /// The defaults.
    public init() {}
}
