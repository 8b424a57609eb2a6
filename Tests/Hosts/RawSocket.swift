import CAnyloopSystem

/// Raw sockets for tests.
package enum RawSocket {
    package struct Failure: Error {
        package var code: Int32
        package var operation: String
    }

    package static func check(_ code: Int32, _ operation: String) throws -> Int32 {
        guard code >= 0 else { throw Failure(code: -code, operation: operation) }
        return code
    }

    /// Two ends of a Unix stream.
    package static func unixPair() throws -> (Int32, Int32) {
        var (near, far) = (Int32(-1), Int32(-1))
        _ = try check(unsafe anyloop_socketpair(Int32(ANYLOOP_STREAM), &near, &far), "socketpair")
        return (near, far)
    }

    /// Two ends of a TCP connection over the loopback interface.
    package static func tcpPair() throws -> (Int32, Int32) {
        let (listener, address) = try listener()
        defer { _ = anyloop_close(listener) }
        let far = try connect(to: address)
        var peer = anyloop_address()
        let near = try check(unsafe anyloop_accept(listener, &peer), "accept")
        return (near, far)
    }

    /// A listening socket on a free port of 127.0.0.1.
    package static func listener(backlog: Int32 = 16) throws -> (Int32, anyloop_address) {
        var address = anyloop_address()
        address.family = UInt8(ANYLOOP_V4)
        address.low = 0x7F00_0001
        let listener = try check(anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_STREAM)), "socket")
        _ = try check(unsafe anyloop_bind(listener, &address), "bind")
        _ = try check(anyloop_listen(listener, backlog), "listen")
        _ = try check(unsafe anyloop_socket_name(listener, &address), "getsockname")
        return (listener, address)
    }

    /// A socket whose connect to `address` has begun; over loopback it is through at once.
    package static func connect(to address: anyloop_address) throws -> Int32 {
        var address = address
        let socket = try check(anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_STREAM)), "socket")
        let code = unsafe anyloop_connect(socket, &address)
        guard code == 0 || code == -115 else { throw Failure(code: -code, operation: "connect") }
        return socket
    }

    /// `127.0.0.1` and `port` as the shims take it.
    package static func loopback(_ port: UInt16) -> anyloop_address {
        var address = anyloop_address()
        address.family = UInt8(ANYLOOP_V4)
        address.low = 0x7F00_0001
        address.port = port
        return address
    }
}

extension RawSocket {
    package static func close(_ descriptors: Int32...) {
        for descriptor in descriptors { _ = anyloop_close(descriptor) }
    }

    package static func send(_ descriptor: Int32, _ bytes: [UInt8]) -> Int {
        unsafe bytes.withUnsafeBytes { Int(unsafe anyloop_send(descriptor, $0.baseAddress, $0.count)) }
    }

    /// What one receive brings; empty at the end, nil if nothing is there.
    package static func receive(_ descriptor: Int32, upTo limit: Int = 65536) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = unsafe buffer.withUnsafeMutableBytes {
            Int(unsafe anyloop_receive(descriptor, $0.baseAddress, $0.count))
        }
        return count < 0 ? nil : Array(buffer[..<count])
    }
}

extension RawSocket {
    /// Removes a socket's file.
    package static func unlink(_ path: String) {
        var address = anyloop_address()
        address.family = UInt8(ANYLOOP_UNIX)
        address.path_length = UInt8(path.utf8.count)
        unsafe withUnsafeMutableBytes(of: &address.path) { unsafe $0.copyBytes(from: path.utf8) }
        _ = unsafe anyloop_remove_socket(&address)
    }
}
