public import AnyloopCore

/// What a provider's loop does with sockets of the application and with names (asyncio: `sock_recv`, … and
/// `getaddrinfo`, `getnameinfo`). A provider brings it where its loop has these beside the protocols of AnyloopCore.
public protocol AsyncioSockets {
    /// Receives at most `limit` bytes.
    nonisolated(nonsending) func receive(_ descriptor: Int32, _ limit: Int) async throws -> [UInt8]
    /// Receives into a buffer of `size` bytes; what was filled in.
    nonisolated(nonsending) func receiveInto(_ descriptor: Int32, size: Int) async throws -> [UInt8]
    /// Receives a datagram of at most `limit` bytes, and whose it is.
    nonisolated(nonsending) func receiveFrom(
        _ descriptor: Int32, _ limit: Int
    ) async throws -> (bytes: [UInt8], address: SocketAddress?)
    /// Sends all of `bytes`.
    nonisolated(nonsending) func sendAll(_ descriptor: Int32, _ bytes: [UInt8]) async throws
    /// Sends a datagram; how many bytes went.
    nonisolated(nonsending) func send(
        _ descriptor: Int32, _ bytes: [UInt8], to address: SocketAddress
    ) async throws -> Int
    /// Connects.
    nonisolated(nonsending) func connect(_ descriptor: Int32, to endpoint: Endpoint) async throws
    /// Accepts a connection; its descriptor.
    nonisolated(nonsending) func accept(_ descriptor: Int32) async throws -> Int32
    /// Sends a part of a file; how many bytes went.
    nonisolated(nonsending) func sendFile(
        _ descriptor: Int32, _ source: SendFileSource, offset: Int64, count: Int?, fallback: Bool
    ) async throws -> Int
    /// The addresses of `host` for streams; `isNumeric`: of a literal only.
    nonisolated(nonsending) func addresses(
        of host: String, port: UInt16, isNumeric: Bool
    ) async throws -> [SocketAddress]
    /// The numeric names of an address's host and service.
    nonisolated(nonsending) func names(of address: SocketAddress) async throws -> (host: String, service: String)
}
