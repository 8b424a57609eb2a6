import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// System calls on sockets, with NIO's addresses and its `IOError`.
enum RawSocket {
    /// Throws for a negated `errno`.
    @discardableResult
    static func check(_ code: Int32, _ operation: String) throws(IOError) -> Int32 {
        guard code < 0 else { return code }
        throw IOError(errnoCode: -code, reason: operation)
    }

    /// A socket that does not block.
    static func make(_ family: NIOBSDSocket.ProtocolFamily, kind: Int32, protocol number: Int32 = 0) throws(IOError)
        -> Int32
    {
        try check(anyloop_raw_socket(family.rawValue, kind, number), "socket")
    }

    static let stream = Int32(SOCK_STREAM.rawValue)
    static let datagram = Int32(SOCK_DGRAM.rawValue)

    /// Prepares a socket of the application's; it must be of `kind`.
    static func adopt(_ descriptor: Int32, kind: Int32) throws(IOError) {
        let found = try check(anyloop_raw_kind(descriptor), "getsockopt")
        guard found == kind else { throw IOError(errnoCode: EINVAL, reason: "a socket of another kind was expected") }
        try check(anyloop_set_non_blocking(descriptor), "fcntl")
    }

    static func bind(_ descriptor: Int32, to address: SocketAddress) throws(IOError) {
        let code = unsafe address.withSockAddr { unsafe anyloop_raw_bind(descriptor, $0, UInt32($1)) }
        try check(code, "bind")
    }

    /// Whether it is connected; otherwise the connection is coming up.
    static func connect(_ descriptor: Int32, to address: SocketAddress) throws(IOError) -> Bool {
        let code = unsafe address.withSockAddr { unsafe anyloop_raw_connect(descriptor, $0, UInt32($1)) }
        if code == -EINPROGRESS { return false }
        try check(code, "connect")
        return true
    }

    static func localAddress(_ descriptor: Int32) throws -> SocketAddress {
        unsafe try RawAddress.filled { unsafe anyloop_raw_socket_name(descriptor, $0, $1) }
    }

    static func remoteAddress(_ descriptor: Int32) throws -> SocketAddress {
        unsafe try RawAddress.filled { unsafe anyloop_raw_peer_name(descriptor, $0, $1) }
    }

    /// The option `name` at `level`, which must be a plain C value of the type `Value`.
    static func option<Value>(
        _ descriptor: Int32, _ level: NIOBSDSocket.OptionLevel, _ name: NIOBSDSocket.Option, as type: Value.Type
    ) throws -> Value {
        try unsafe withUnsafeTemporaryAllocation(of: type, capacity: 1) { room in
            let bytes = UnsafeMutableRawBufferPointer(room)
            // Options may be shorter than the value that they are read into.
            unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
            var size = UInt32(bytes.count)
            try check(
                unsafe anyloop_raw_get_option(descriptor, level.rawValue, name.rawValue, bytes.baseAddress, &size),
                "getsockopt")
            return unsafe bytes.load(as: type)
        }
    }

    static func setOption<Value>(
        _ descriptor: Int32, _ level: NIOBSDSocket.OptionLevel, _ name: NIOBSDSocket.Option, _ value: Value
    ) throws(IOError) {
        let code = unsafe withUnsafeBytes(of: value) {
            unsafe anyloop_raw_set_option(
                descriptor, level.rawValue, name.rawValue, $0.baseAddress, UInt32($0.count))
        }
        try check(code, "setsockopt")
    }

    /// The pending error (`SO_ERROR`), 0 for none.
    static func pendingError(_ descriptor: Int32) throws(IOError) -> Int32 {
        try check(anyloop_socket_error(descriptor), "getsockopt")
    }
}

/// Room for an address that a system call fills in.
struct RawAddress {
    var storage = sockaddr_storage()
    var size = UInt32(MemoryLayout<sockaddr_storage>.size)

    /// The address that `call` fills in.
    static func filled(
        _ call: (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>) -> Int32
    ) throws -> SocketAddress {
        var address = RawAddress()
        let code = unsafe address.fill { unsafe call($0, $1) }
        try RawSocket.check(code, "getsockname")
        return try address.address()
    }

    mutating func fill<Code>(_ call: (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>) -> Code) -> Code {
        size = UInt32(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutableBytes(of: &storage) { unsafe call($0.baseAddress, &size) }
    }

    /// NIO's form of it.
    ///
    /// - Throws: `SocketAddressError.unsupported` for another family than IPv4, IPv6 and Unix.
    func address() throws -> SocketAddress {
        // A socket without a name has no family either; only Unix ones do.
        guard size >= UInt32(MemoryLayout<sa_family_t>.size) else { return SocketAddress(sockaddr_un.unnamed) }
        return unsafe try withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET: SocketAddress(unsafe bytes.load(as: sockaddr_in.self))
            case AF_INET6: SocketAddress(unsafe bytes.load(as: sockaddr_in6.self))
            case AF_UNIX: SocketAddress(unsafe bytes.load(as: sockaddr_un.self))
            default: throw SocketAddressError.unsupported
            }
        }
    }
}

extension sockaddr_un {
    /// The address of a Unix socket that is not bound.
    static var unnamed: sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        return address
    }
}

extension RawSocket {
    /// The address of a Unix socket; one that is there already is removed if `removesFormer`.
    ///
    /// - Throws: `IOError`, with `EEXIST` if there is something that is no socket.
    static func unixAddress(_ path: String, removesFormer: Bool) throws -> SocketAddress {
        if removesFormer {
            let code = unsafe anyloop_raw_remove_socket_file(path)
            guard code != -EEXIST else {
                throw IOError(errnoCode: EEXIST, reason: "\(path) is no socket; remove it or choose another path")
            }
            try check(code, "unlink")
        }
        return try SocketAddress(unixDomainSocketPath: path)
    }
}
