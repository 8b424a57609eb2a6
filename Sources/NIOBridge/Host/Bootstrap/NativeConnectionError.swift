public import NIOCore

/// No address of a host could be connected to: what `NativeClientBootstrap.connect(host:port:)` fails with.
///
/// The same as SwiftNIO's `NIOConnectionError`, which only SwiftNIO can make.
public struct NativeConnectionError: Error, CustomStringConvertible {
    /// One address that was tried.
    public struct Failure: Sendable {
        /// The address.
        public let target: SocketAddress
        /// Why it could not be connected to.
        public let error: any Error
    }

    /// The host to connect to.
    public let host: String
    /// Its port.
    public let port: Int
    /// Why its IPv4 addresses could not be looked up, if so.
    public internal(set) var dnsAError: (any Error)?
    /// Why its IPv6 addresses could not be looked up, if so.
    public internal(set) var dnsAAAAError: (any Error)?
    /// The attempts, in the order in which they failed.
    public internal(set) var connectionErrors: [Failure] = []

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The host, and what went wrong with each of its addresses.
    public var description: String {
        if let error = dnsAError ?? dnsAAAAError, connectionErrors.isEmpty {
            return "\(host) could not be looked up: \(error)"
        }
        let attempts = connectionErrors.map { "\($0.target): \($0.error)" }
        return "could not connect to \(host), port \(port): "
            + (attempts.isEmpty ? "it has no address" : attempts.joined(separator: ", "))
    }
}
