import AnyloopCore
import CAnyloopSystem

/// A non-blocking socket that a test drives by hand.
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
