/// Where a socket is bound or whom it talks to.
public enum SocketAddress: Hashable, Sendable {
    /// An IPv4 address, its four octets in the order they are written, and a port.
    case v4(address: UInt32, port: UInt16)
    /// An IPv6 address as two halves in the order they are written, a port and a scope (interface index, 0: none).
    case v6(high: UInt64, low: UInt64, port: UInt16, scope: UInt32)
    /// A Unix socket's path; empty for an unnamed socket, a leading NUL for Linux's abstract names.
    case unix(path: String)

    /// 127.0.0.1 and `port`; 0 lets the system choose.
    public static func loopback(port: UInt16) -> SocketAddress { .v4(address: 0x7F00_0001, port: port) }

    /// Every IPv4 address of this machine and `port`.
    public static func any(port: UInt16) -> SocketAddress { .v4(address: 0, port: port) }

    /// The address of a literal such as `127.0.0.1`, `::1` or `fe80::1%2`; nil for anything else.
    public init?(literal: String, port: UInt16) {
        if let address = IPLiteral.v4(literal) {
            self = .v4(address: address, port: port)
        } else if let (high, low, scope) = IPLiteral.v6(literal) {
            self = .v6(high: high, low: low, port: port, scope: scope)
        } else {
            return nil
        }
    }

    /// The port; nil for a Unix socket.
    public var port: UInt16? {
        switch self {
        case .v4(_, let port), .v6(_, _, let port, _): port
        case .unix: nil
        }
    }

    /// The host in its written form, without brackets (RFC 5952 for IPv6); the path of a Unix socket.
    public var host: String {
        switch self {
        case .v4(let address, _): IPLiteral.text(v4: address)
        case .v6(let high, let low, _, let scope): IPLiteral.text(high: high, low: low, scope: scope)
        case .unix(let path): path
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:80`, `[::1]:80` or `unix:/path`.
    public var description: String {
        switch self {
        case .v4(_, let port): "\(host):\(port)"
        case .v6(_, _, let port, _): "[\(host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// Whom to connect to, before names are resolved.
public enum Endpoint: Hashable, Sendable {
    /// An address that needs no resolving.
    case address(SocketAddress)
    /// A host name or literal, and a port.
    case host(String, port: UInt16)

    /// A Unix socket.
    public static func unix(path: String) -> Endpoint { .address(.unix(path: path)) }
}

extension Endpoint: CustomStringConvertible {
    /// As the address or `host:port`.
    public var description: String {
        switch self {
        case .address(let address): address.description
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
