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
        try open(.stream, "connect") { descriptor in
            let address = loopback(port)
            return unsafe withAddress(address) { unsafe connect(descriptor, $0, $1) }
        }
    }

    /// A socket bound to a free port of the loopback interface, and the port.
    static func bound(_ kind: Kind) throws -> (descriptor: CInt, port: Int) {
        let descriptor = try open(kind, "bind") { descriptor in
            unsafe withAddress(loopback(0)) { unsafe bind(descriptor, $0, $1) }
        }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // The call writes no more bytes of the address than it is told.
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0 else { throw NIOBatteryFailure("the raw socket has no name: errno \(errno)") }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func open(_ kind: Kind, _ what: String, _ prepare: (CInt) -> CInt) throws -> CInt {
        #if canImport(Glibc)
            let type = CInt(kind == .stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
        #else
            let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
        #endif
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw NIOBatteryFailure("no socket: errno \(errno)") }
        guard prepare(descriptor) == 0 else {
            let code = errno
            close(descriptor)
            throw NIOBatteryFailure("\(what) of the raw socket failed: errno \(code)")
        }
        return descriptor
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return address
    }

    /// Calls `body` with the address, which it only reads, and its length.
    private static func withAddress(
        _ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
