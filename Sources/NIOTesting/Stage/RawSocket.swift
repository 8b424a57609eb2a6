import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Sockets made without NIO, for channels to take over; whoever takes one closes it.
enum RawSocket {
    enum Kind {
        case stream, datagram
    }

    /// A TCP socket connected to a port of the loopback interface.
    static func connected(to port: Int) throws -> CInt {
        try unsafe open(.stream, loopback(port), "connect") { unsafe connect($0, $1, $2) }
    }

    /// A socket bound to a free port of the loopback interface, and the port.
    static func bound(_ kind: Kind) throws -> (descriptor: CInt, port: Int) {
        let descriptor = try unsafe open(kind, loopback(0), "bind") { unsafe bind($0, $1, $2) }
        guard let port = name(of: descriptor)?.port else {
            let code = errno
            close(descriptor)
            throw NIOBatteryFailure("the raw socket has no name: errno \(code)")
        }
        return (descriptor, port)
    }

    /// The IPv4 address that a socket is bound to.
    private static func name(of descriptor: CInt) -> SocketAddress? {
        unsafe withUnsafeTemporaryAllocation(of: sockaddr_in.self, capacity: 1) { buffer in
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            // The call writes no more bytes of the address than it is told.
            let result = unsafe buffer.withMemoryRebound(to: sockaddr.self) {
                unsafe getsockname(descriptor, $0.baseAddress, &length)
            }
            return result == 0 ? unsafe SocketAddress(buffer[0]) : nil
        }
    }

    /// A socket that `call` has connected or bound to an address.
    private static func open(
        _ kind: Kind, _ address: SocketAddress, _ what: String,
        _ call: (CInt, UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) throws -> CInt {
        #if canImport(Glibc)
            let type = CInt(kind == .stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
        #else
            let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
        #endif
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw NIOBatteryFailure("no socket: errno \(errno)") }
        let result = unsafe address.withSockAddr { unsafe call(descriptor, $0, socklen_t($1)) }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw NIOBatteryFailure("\(what) of the raw socket failed: errno \(code)")
        }
        return descriptor
    }

    // NIO makes and reads the addresses: which C module owns their structures depends on the order in which the
    // compiler loads NIO's own, and one of those cannot be imported from here (MemberImportVisibility).
    private static func loopback(_ port: Int) throws -> SocketAddress {
        try SocketAddress(ipAddress: "127.0.0.1", port: port)
    }
}
