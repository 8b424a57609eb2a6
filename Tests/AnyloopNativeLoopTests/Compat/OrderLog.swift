import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopSystem

/// The names of what happened, in order; `|` for the end of a turn. The twin of `Log` in compat_order.py.
final class OrderLog {
    let loop: CompatLoop
    private(set) var events: [String] = []
    private var isTicking = false

    init(_ loop: CompatLoop) {
        self.loop = loop
    }

    func callAsFunction(_ name: String) { events.append(name) }

    func soon(_ name: String) { loop.callSoon { [self] in events.append(name) } }

    /// Marks turns from here on, as long as the loop runs.
    func tick() {
        isTicking = true
        loop.callSoon { [self] in mark() }
    }

    func stopTicking() { isTicking = false }

    private func mark() {
        if let last = events.last, last != "|" { events.append("|") }
        if isTicking { loop.callSoon { [self] in mark() } }
    }

    /// What was seen, without the marks at the end.
    var trace: [String] {
        var trace = events
        while trace.last == "|" { trace.removeLast() }
        return trace
    }
}

/// Logs its callbacks under a name; `react` says what else to do in which. The twin of `Recorder`.
final class OrderProtocol: StreamProtocol {
    private let log: OrderLog
    private let name: String
    private let react: [String: (OrderProtocol) throws -> Void]
    private(set) var transport: (any StreamTransport)?

    init(_ log: OrderLog, _ name: String, _ react: [String: (OrderProtocol) throws -> Void] = [:]) {
        self.log = log
        self.name = name
        self.react = react
    }

    private func on(_ callback: String, _ argument: String? = nil) throws {
        log([name, callback, argument].compactMap { $0 }.joined(separator: " "))
        try react[callback]?(self)
    }

    func connectionMade(_ transport: any StreamTransport) throws {
        self.transport = transport
        try on("made")
    }

    func dataReceived(_ data: Span<UInt8>) throws {
        var text = ""
        for index in 0..<data.count { text.unicodeScalars.append(Unicode.Scalar(data[index])) }
        try on("data", data.count < 20 ? text : "\(data.count)")
    }

    func eofReceived() throws -> Bool {
        try on("eof")
        return false
    }

    func connectionLost(_ error: TransportError?) throws {
        switch error {
        case nil: try on("lost")
        case .callback(_, let error): try on("lost", "\(type(of: error))")
        case let error?: try on("lost", error.description)
        }
    }

    func pauseWriting() throws { try on("pause") }

    func resumeWriting() throws { try on("resume") }
}

/// The counterpart of `OrderProtocol` for datagrams.
final class OrderDatagram: DatagramProtocol {
    private let onMade: () -> Void
    private let onDatagram: (String) -> Void

    init(onMade: @escaping () -> Void = {}, onDatagram: @escaping (String) -> Void = { _ in }) {
        self.onMade = onMade
        self.onDatagram = onDatagram
    }

    func connectionMade(_ transport: any DatagramTransport) { onMade() }

    func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) {
        var text = ""
        for index in 0..<data.count { text.unicodeScalars.append(Unicode.Scalar(data[index])) }
        onDatagram(text)
    }
}

/// As Python's; the name shows in traces.
struct ValueError: Error {}

/// A non-blocking socket that the scenario drives by hand.
final class RawEnd {
    private var descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close() }

    /// A Unix pair: a descriptor to adopt, and the raw end of it.
    static func pair() throws -> (near: Int32, far: RawEnd) {
        var near: Int32 = -1
        var far: Int32 = -1
        let code = unsafe anyloop_socketpair(Int32(ANYLOOP_STREAM), &near, &far)
        guard code == 0 else { throw TransportError.usage("socketpair: \(code)") }
        return (near, RawEnd(far))
    }

    /// A TCP connection to a port of the loopback interface; the kernel completes it before anyone accepts.
    static func connect(to address: SocketAddress) throws -> RawEnd {
        let descriptor = anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_STREAM))
        var packed = anyloop_address()
        packed.family = UInt8(ANYLOOP_V4)
        packed.low = 0x7F00_0001
        packed.port = address.port ?? 0
        _ = unsafe anyloop_connect(descriptor, &packed)
        return RawEnd(descriptor)
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe anyloop_send(descriptor, $0.baseAddress, $0.count) }
    }

    func finish() { _ = anyloop_shutdown_write(descriptor) }

    func close() {
        if descriptor >= 0 { _ = anyloop_close(descriptor) }
        descriptor = -1
    }

    /// Bytes received now: 0 at the end, nil if there are none yet.
    func receive() -> Int? {
        let count = unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 1) { buffer in
            unsafe anyloop_receive(descriptor, buffer.baseAddress, buffer.count)
        }
        return count < 0 ? nil : Int(count)
    }
}
