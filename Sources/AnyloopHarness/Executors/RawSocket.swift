import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// The peer's end of a connection: a plain descriptor without a loop, never blocking.
struct RawSocket {
    /// The receive buffer asked for where a window is to fill up soon, in bytes; the system has its own minimum.
    static let smallBuffer: Int32 = 4096
    /// Bytes read at once.
    static let readSize = 65536

    private static let again: Int32 = 11
    private static let inProgress: Int32 = 115

    let descriptor: Int32

    /// Two connected Unix stream sockets.
    static func pair() throws -> (RawSocket, RawSocket) {
        var first: Int32 = -1
        var second: Int32 = -1
        try check(unsafe anyloop_socketpair(Int32(ANYLOOP_STREAM), &first, &second), "socketpair")
        return (RawSocket(descriptor: first), RawSocket(descriptor: second))
    }

    /// A listening socket; port 0 lets the system choose.
    static func listening(on address: SocketAddress) throws -> RawSocket {
        let socket = try make(address)
        do {
            var packed = try address.packed()
            try check(unsafe anyloop_bind(socket.descriptor, &packed), "bind")
            try check(anyloop_listen(socket.descriptor, 16), "listen")
        } catch {
            socket.close()
            throw error
        }
        return socket
    }

    /// A socket that is connected, or about to be, to `address`.
    static func connected(to address: SocketAddress, smallWindow: Bool) throws -> RawSocket {
        let socket = try make(address)
        if smallWindow {
            _ = anyloop_set_option(socket.descriptor, Int32(ANYLOOP_OPTION_RECEIVE_BUFFER), smallBuffer)
        }
        socket.sendAtOnce(to: address)
        var packed = try address.packed()
        let result = unsafe anyloop_connect(socket.descriptor, &packed)
        guard result >= 0 || result == -inProgress else {
            socket.close()
            throw failure(result, "connect")
        }
        return socket
    }

    /// The port it is bound to.
    func port() throws -> UInt16 {
        var packed = anyloop_address()
        try Self.check(unsafe anyloop_socket_name(descriptor, &packed), "getsockname")
        return packed.port
    }

    /// A connection that waits to be accepted at `address`; nil if there is none.
    func accept(at address: SocketAddress) throws -> RawSocket? {
        var packed = anyloop_address()
        let result = unsafe anyloop_accept(descriptor, &packed)
        if result == -Self.again { return nil }
        try Self.check(result, "accept")
        let socket = RawSocket(descriptor: result)
        socket.sendAtOnce(to: address)
        return socket
    }

    /// How many of `bytes` the system took; 0 if it has no room, nil if the connection is gone.
    func send(_ bytes: Span<UInt8>) -> Int? {
        let result = unsafe bytes.withUnsafeBytes { buffer in
            unsafe anyloop_send(descriptor, buffer.baseAddress, buffer.count)
        }
        if result == -Int64(Self.again) { return 0 }
        return result < 0 ? nil : Int(result)
    }

    /// Reads what is there and appends it to `bytes`, by way of `scratch`; true at the end of the stream or after a
    /// reset.
    func receive(into bytes: inout [UInt8], scratch: inout [UInt8]) -> Bool {
        while true {
            let count = unsafe scratch.withUnsafeMutableBytes { buffer in
                unsafe anyloop_receive(descriptor, buffer.baseAddress, buffer.count)
            }
            if count == -Int64(Self.again) { return false }
            if count <= 0 { return true }
            bytes += scratch[..<Int(count)]
        }
    }

    /// Waits at most a millisecond for something to read.
    func waitReadable() {
        var entry = anyloop_poll_entry(
            descriptor: descriptor, events: anyloop_poll_events(UInt32(ANYLOOP_READ)), ready: 0)
        var key: UInt64 = 0
        var event = anyloop_event()
        _ = unsafe anyloop_poll(&entry, &key, 1, 0, &event, 1, 1_000_000)
    }

    /// Ends this side (FIN).
    func shutdownWrite() { _ = anyloop_shutdown_write(descriptor) }

    /// Has the close that follows reset the connection, which also leaves no port in TIME-WAIT.
    func resetOnClose() { _ = anyloop_linger_zero(descriptor) }

    func close() { _ = anyloop_close(descriptor) }

    private func sendAtOnce(to address: SocketAddress) {
        if case .unix = address { return }
        _ = anyloop_set_option(descriptor, Int32(ANYLOOP_OPTION_NO_DELAY), 1)
    }

    private static func make(_ address: SocketAddress) throws -> RawSocket {
        let result = anyloop_socket(address.family, Int32(ANYLOOP_STREAM))
        try check(result, "socket")
        return RawSocket(descriptor: result)
    }

    private static func check(_ result: Int32, _ operation: String) throws {
        if result < 0 { throw failure(result, operation) }
    }

    private static func failure(_ result: Int32, _ operation: String) -> TransportError {
        .system(SystemError(errno: -result, operation: operation, text: "while setting up a replay"))
    }
}
