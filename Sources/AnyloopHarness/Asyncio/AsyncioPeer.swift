import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// A plain non-blocking socket, or an end of a pipe, that the driver works by hand and no loop knows.
final class AsyncioPeer: AsyncioByteStream {
    private(set) var descriptor: Int32
    /// What it sends and receives through: itself, or TLS above it.
    var stream: any AsyncioByteStream {
        get { tls ?? self }
        set { tls = newValue as? AsyncioTLSPeer }
    }
    private var tls: AsyncioTLSPeer?
    /// What was read silently.
    var kept: [UInt8] = []
    /// Bytes that were put on their way to it to fill the kernel's buffers.
    var filling = 0
    /// Our own address; nil where the system does not say.
    var name: SocketAddress? { descriptor < 0 ? formerName : AsyncioSocket.name(descriptor) }
    private var formerName: SocketAddress?

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// A new socket for addresses such as `address`.
    convenience init(for address: SocketAddress, kind: Int32 = Int32(ANYLOOP_STREAM)) throws {
        self.init(descriptor: try AsyncioSocket.checked(anyloop_socket(AsyncioSocket.family(address), kind), "socket"))
    }

    func close() {
        guard descriptor >= 0 else { return }
        _ = anyloop_close(descriptor)
        descriptor = -1
    }

    func setBuffers(_ step: AsyncioStep) throws {
        try AsyncioSocket.setBuffers(descriptor, step)
    }

    /// The descriptor, which is another's from now on.
    func release() -> Int32 {
        formerName = name
        defer { descriptor = -1 }
        return descriptor
    }

    /// Connects, waiting for the kernel's answer.
    func connect(to address: SocketAddress) throws {
        var packed = AsyncioSocket.pack(address)
        let result = unsafe anyloop_connect(descriptor, &packed)
        guard result == -AsyncioSocket.inProgress else {
            try AsyncioSocket.checked(result, "connect")
            return
        }
        guard AsyncioSocket.wait(descriptor, UInt32(ANYLOOP_WRITE), milliseconds: 5000) else {
            throw AsyncioSocket.failure(-110, "connect")
        }
        let code = anyloop_socket_error(descriptor)
        if code != 0 { throw AsyncioSocket.failure(-code, "connect") }
    }

    func setBlocking() throws {
        try AsyncioSocket.checked(anyloop_set_blocking(descriptor), "fcntl")
    }

    func bind(to address: SocketAddress) throws {
        var packed = AsyncioSocket.pack(address)
        try AsyncioSocket.checked(unsafe anyloop_bind(descriptor, &packed), "bind")
    }

    /// How many of `bytes` from `start` the kernel took; nil if it has no room.
    func send(_ bytes: [UInt8], from start: Int) throws -> Int? {
        let result = unsafe bytes.withUnsafeBytes { raw in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: raw[start...])
            let sent = unsafe anyloop_send(descriptor, rest.baseAddress, rest.count)
            guard sent == -Int64(AsyncioSocket.notSocket) else { return sent }
            return unsafe anyloop_write(descriptor, rest.baseAddress, rest.count)
        }
        if result == -Int64(AsyncioSocket.again) { return nil }
        if result < 0 { throw AsyncioSocket.failure(Int32(result), "send") }
        return Int(result)
    }

    /// At most `limit` bytes, none at the end of the stream; nil if there are none now.
    func receive(_ limit: Int) throws -> [UInt8]? {
        let size = min(limit, 1 << 18)
        var count: Int64 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            count = unsafe anyloop_receive(descriptor, buffer.baseAddress, size)
            if count == -Int64(AsyncioSocket.notSocket) {
                count = unsafe anyloop_read(descriptor, buffer.baseAddress, size)
            }
            filled = max(0, Int(count))
        }
        if count == -Int64(AsyncioSocket.again) { return nil }
        if count < 0 { throw AsyncioSocket.failure(Int32(count), "recv") }
        return bytes
    }
}

/// Sockets by their descriptors, for peers and for what loops give no name to.
enum AsyncioSocket {
    static let again: Int32 = 11
    static let inProgress: Int32 = 115
    static let notSocket: Int32 = 88
    /// Descriptors that are looked at to find a transport's.
    static let searchLimit: Int32 = 1024

    static func failure(_ code: Int32, _ operation: String) -> TransportError {
        .system(SystemError(errno: -code, operation: operation, text: Errno.name(-code)))
    }

    @discardableResult
    static func checked(_ result: Int32, _ operation: String) throws -> Int32 {
        if result < 0 { throw failure(result, operation) }
        return result
    }

    static func family(_ address: SocketAddress) -> Int32 { Int32(pack(address).family) }

    /// Fills a socket's sending side until the kernel takes not one byte more; how many it took.
    static func fill(_ descriptor: Int32) throws -> Int {
        let socket = AsyncioPeer(descriptor: descriptor)
        var count = 0
        for size in [4096, 1] {
            let dots = [UInt8](repeating: UInt8(ascii: "."), count: size)
            while let sent = try socket.send(dots, from: 0) { count += sent }
        }
        return count
    }

    /// Sets `sndbuf` and `rcvbuf`, where the step has them.
    static func setBuffers(_ descriptor: Int32, _ step: AsyncioStep) throws {
        if let size = try step.table.optionalNumber("sndbuf") {
            try checked(anyloop_set_option(descriptor, Int32(ANYLOOP_OPTION_SEND_BUFFER), Int32(size)), "setsockopt")
        }
        if let size = try step.table.optionalNumber("rcvbuf") {
            try checked(anyloop_set_option(descriptor, Int32(ANYLOOP_OPTION_RECEIVE_BUFFER), Int32(size)), "setsockopt")
        }
    }

    static func name(_ descriptor: Int32) -> SocketAddress? { .bound(descriptor) }

    static func peerName(_ descriptor: Int32) -> SocketAddress? { .peer(of: descriptor) }

    /// The descriptor of this process that is bound to `name` and connected to `peer`, `except` these; nil for none.
    ///
    /// Loops give no descriptors out, and a foreign one may not know its own: so the system is asked.
    static func find(name: SocketAddress?, peer: SocketAddress?, except: Set<Int32>) -> Int32? {
        (3..<searchLimit).first { descriptor in
            !except.contains(descriptor) && self.name(descriptor) == name && peerName(descriptor) == peer
        }
    }

    /// The order in which Python sorts addresses: by the host's text, then the port.
    static func precedes(_ left: SocketAddress, _ right: SocketAddress) -> Bool {
        (left.host, left.port ?? 0) < (right.host, right.port ?? 0)
    }

    /// Waits for `interest` in a descriptor; false if nothing came of it in time.
    static func wait(_ descriptor: Int32, _ interest: UInt32, milliseconds: Int64) -> Bool {
        var entry = anyloop_poll_entry(descriptor: descriptor, events: anyloop_poll_events(interest), ready: 0)
        var key: UInt64 = 0
        var event = anyloop_event()
        return unsafe anyloop_poll(&entry, &key, 1, 0, &event, 1, milliseconds * 1_000_000) > 0
    }

    static func pack(_ address: SocketAddress) -> anyloop_address {
        // A path that is too long is one that nobody can be bound to.
        (try? address.packed()) ?? anyloop_address()
    }

    static func unpack(_ packed: anyloop_address) -> SocketAddress? { SocketAddress(packed) }
}
