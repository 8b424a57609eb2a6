import AnyloopCore
import CAnyloopSystem

extension CompatLoop {
    /// Listens for streams (asyncio: `create_server`, rules 51 to 55).
    ///
    /// One socket for each address of `host`; nil or an empty name stands for every address of this machine, IPv4
    /// and IPv6. A `port` of 0 gives each socket a port of its own.
    ///
    /// - Throws: `TransportError.resolution`; `.system` if an address cannot be bound, with none left bound.
    public nonisolated(nonsending) func createServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, host: String?, port: UInt16,
        options: ServerOptions = ServerOptions()
    ) async throws(TransportError) -> CompatServer {
        try await createServer(protocolFactory, hosts: [host ?? ""], port: port, options: options)
    }

    /// Listens for streams on every address of every one of `hosts`.
    public nonisolated(nonsending) func createServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, hosts: [String], port: UInt16,
        options: ServerOptions = ServerOptions()
    ) async throws(TransportError) -> CompatServer {
        try checkThread()
        guard !hosts.isEmpty else { throw .usage(.argument("Neither host/port nor sock were specified")) }
        var addresses: [SocketAddress] = []
        for host in hosts {
            for address in try await addressesToBind(host, port) where !addresses.contains(address) {
                addresses.append(address)
            }
        }
        return try await listen(addresses, options, protocolFactory)
    }

    /// Listens on a Unix socket (asyncio: `create_unix_server`, rule 62): a stale socket file is replaced.
    ///
    /// - Throws: `TransportError.usage` if `path` exists and is no socket, `.system` if it cannot be bound.
    public nonisolated(nonsending) func createUnixServer(
        _ protocolFactory: @escaping () throws -> any StreamProtocol, path: String,
        options: ServerOptions = ServerOptions()
    ) async throws(TransportError) -> CompatServer {
        try checkThread()
        return try await listen([.unix(path: path)], options, protocolFactory)
    }

    private nonisolated(nonsending) func addressesToBind(
        _ host: String, _ port: UInt16
    ) async throws(TransportError) -> [SocketAddress] {
        guard host.isEmpty else {
            if let address = SocketAddress(literal: host, port: port) { return [address] }
            return try await getaddrinfo(host: host, port: port)
        }
        var addresses = [SocketAddress.any(port: port)]
        let descriptor = anyloop_socket(Int32(ANYLOOP_V6), Int32(ANYLOOP_STREAM))
        if descriptor >= 0 {
            // A machine may have been built or booted without IPv6.
            _ = anyloop_close(descriptor)
            addresses.append(.v6(high: 0, low: 0, port: port, scope: 0))
        }
        return addresses
    }

    private nonisolated(nonsending) func listen(
        _ addresses: [SocketAddress], _ options: ServerOptions,
        _ protocolFactory: @escaping () throws -> any StreamProtocol
    ) async throws(TransportError) -> CompatServer {
        let server: any Server
        do throws(TransportError) {
            server = try createServer(on: addresses, options: options, protocolFactory: protocolFactory)
        } catch { throw CompatLoop.worded(error) }
        // asyncio lets one turn pass, so that the readers are in place.
        if options.startServing { await Task.yield() }
        return CompatServer(loop: self, server)
    }

    /// A failure to bind in asyncio's words (rule 51).
    private static func worded(_ error: TransportError) -> TransportError {
        guard case .system(var system) = error, system.operation.hasPrefix("bind on ") else { return error }
        let address = system.operation.dropFirst("bind on ".count)
        system.text = "error while attempting to bind on address \(address): \(system.text.lowercased())"
        system.operation = "bind"
        return .system(system)
    }
}

/// The listening sockets of one `CompatLoop.createServer` (asyncio: `Server`, rules 56 to 60).
public final class CompatServer: Server {
    private let loop: CompatLoop
    private let server: any Server
    private var isClosed = false
    private var endServing: (() -> Void)?

    init(loop: CompatLoop, _ server: any Server) {
        self.loop = loop
        self.server = server
    }

    /// The bound addresses; empty after `close`.
    public var addresses: [SocketAddress] { server.addresses }

    /// Whether new connections are accepted.
    public var isServing: Bool { server.isServing }

    /// Connections accepted here that are still open.
    public var connectionCount: Int { server.connectionCount }

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
            return CompatCancellable { done(.failure(.cancelled)) }
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
                return CompatCancellable { done(.failure(.cancelled)) }
            }
        } catch {
            close()
            throw error
        }
    }
}

extension SocketAddress {
    /// Whether `descriptor` is a stream socket.
    static func isStream(_ descriptor: Int32) -> Bool {
        anyloop_socket_kind(descriptor) == Int32(ANYLOOP_STREAM)
    }
}
