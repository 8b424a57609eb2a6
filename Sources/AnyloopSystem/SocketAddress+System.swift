import AnyloopCore
import CAnyloopSystem

extension SocketAddress {
    /// The longest path of a Unix socket in bytes, without a terminator.
    package static let longestPath = 107

    /// The address that a system call filled in; nil for none or an unknown family.
    package init?(_ packed: borrowing anyloop_address) {
        switch Int(packed.family) {
        case Int(ANYLOOP_V4):
            self = .v4(address: UInt32(truncatingIfNeeded: packed.low), port: packed.port)
        case Int(ANYLOOP_V6):
            self = .v6(high: packed.high, low: packed.low, port: packed.port, scope: packed.scope)
        case Int(ANYLOOP_UNIX):
            let count = Int(packed.path_length)
            var bytes: [UInt8] = []
            unsafe withUnsafeBytes(of: packed.path) { unsafe bytes.append(contentsOf: $0.prefix(count)) }
            self = .unix(path: String(decoding: bytes, as: UTF8.self))
        default:
            return nil
        }
    }

    /// The address as system calls take it.
    ///
    /// - Throws: `TransportError.usage` for a path that does not fit.
    package func packed() throws(TransportError) -> anyloop_address {
        var packed = anyloop_address()
        switch self {
        case .v4(let address, let port):
            packed.family = UInt8(ANYLOOP_V4)
            packed.low = UInt64(address)
            packed.port = port
        case .v6(let high, let low, let port, let scope):
            packed.family = UInt8(ANYLOOP_V6)
            packed.high = high
            packed.low = low
            packed.port = port
            packed.scope = scope
        case .unix(let path):
            let bytes = Array(path.utf8)
            guard bytes.count <= Self.longestPath else {
                throw .usage(
                    .argument("the path of a Unix socket has at most \(Self.longestPath) bytes; shorten '\(path)'"))
            }
            packed.family = UInt8(ANYLOOP_UNIX)
            packed.path_length = UInt8(bytes.count)
            unsafe withUnsafeMutableBytes(of: &packed.path) { unsafe $0.copyBytes(from: bytes) }
        }
        return packed
    }

    /// The socket family of this address, in the shims' numbering.
    package var family: Int32 {
        switch self {
        case .v4: Int32(ANYLOOP_V4)
        case .v6: Int32(ANYLOOP_V6)
        case .unix: Int32(ANYLOOP_UNIX)
        }
    }

    /// Whether this is a Unix socket's.
    package var isUnix: Bool { if case .unix = self { true } else { false } }

    /// What `descriptor` is bound to.
    package static func bound(_ descriptor: Int32) -> SocketAddress? {
        var packed = anyloop_address()
        guard unsafe anyloop_socket_name(descriptor, &packed) == 0 else { return nil }
        return SocketAddress(packed)
    }

    /// Whom `descriptor` is connected to.
    package static func peer(of descriptor: Int32) -> SocketAddress? {
        var packed = anyloop_address()
        guard unsafe anyloop_peer_name(descriptor, &packed) == 0 else { return nil }
        return SocketAddress(packed)
    }
}
