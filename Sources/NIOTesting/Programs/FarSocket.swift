import CAnyloopSystem
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The far end of a program's connection: a plain socket that never blocks, touched on the near end's loop only.
struct FarSocket: Sendable {
    /// What became of the peer's stream.
    enum End: Equatable, Sendable {
        case finished
        case failed(CInt)
    }

    /// What the sockets' buffers are asked to hold, in bytes: every small write of a program fits in, and no big one.
    static let bufferSize: CInt = 64 * 1024
    private static let chunkSize = 64 * 1024

    let descriptor: CInt
    private let isDatagram: Bool

    /// Takes over a connected socket.
    init(_ descriptor: CInt, isTCP: Bool = false, isDatagram: Bool = false) {
        self.descriptor = descriptor
        self.isDatagram = isDatagram
        Self.limit(descriptor)
        // With Nagle's algorithm the peer's timing would decide what arrives.
        if isTCP { _ = anyloop_set_option(descriptor, CInt(ANYLOOP_OPTION_NO_DELAY), 1) }
    }

    /// Sets the size of a socket's buffers.
    static func limit(_ descriptor: CInt) {
        for option in [ANYLOOP_OPTION_SEND_BUFFER, ANYLOOP_OPTION_RECEIVE_BUFFER] {
            _ = anyloop_set_option(descriptor, CInt(option), bufferSize)
        }
    }

    /// Sends bytes of one value; 0 or an errno.
    func send(_ byte: UInt8, _ count: Int) -> CInt {
        let bytes = [UInt8](repeating: byte, count: count)
        let sent = unsafe bytes.withUnsafeBytes { unsafe anyloop_send(descriptor, $0.baseAddress, $0.count) }
        if sent < 0 { return CInt(-sent) }
        return sent == count ? 0 : EAGAIN
    }

    /// Receives all there is; nil if the stream goes on.
    func drain(into runs: inout [ByteRun]) -> End? {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.chunkSize, alignment: 16) { room in
            while true {
                let count = unsafe anyloop_receive(descriptor, room.baseAddress, room.count)
                if count == 0, !isDatagram { return .finished }
                if count < 0 { return count == -Int64(EAGAIN) || count == -Int64(EINTR) ? nil : .failed(CInt(-count)) }
                if isDatagram {
                    runs.append(ByteRun(byte: count > 0 ? unsafe room[0] : 0, count: Int(count)))
                    continue
                }
                unsafe ByteRun.add(UnsafeRawBufferPointer(rebasing: room[..<Int(count)]), to: &runs)
            }
        }
    }

    func finish() { if !isDatagram { _ = anyloop_shutdown_write(descriptor) } }

    func close() { _ = anyloop_close(descriptor) }

    func reset() {
        _ = anyloop_linger_zero(descriptor)
        close()
    }
}

/// Bytes of one value, one after another.
struct ByteRun: Equatable, Sendable, CustomStringConvertible {
    var byte: UInt8
    var count: Int

    var description: String { "\(count) of #\(byte)" }

    /// Adds bytes to runs.
    static func add(_ bytes: UnsafeRawBufferPointer, to runs: inout [ByteRun]) {
        guard let first = unsafe bytes.first, let start = bytes.baseAddress else { return }
        // Large writes are of one value each, so that one comparison with themselves does.
        if unsafe memcmp(start, start + 1, bytes.count - 1) == 0 {
            add(ByteRun(byte: first, count: bytes.count), to: &runs)
        } else {
            for index in bytes.indices { add(ByteRun(byte: unsafe bytes[index], count: 1), to: &runs) }
        }
    }

    private static func add(_ run: ByteRun, to runs: inout [ByteRun]) {
        if let last = runs.indices.last, runs[last].byte == run.byte {
            runs[last].count += run.count
        } else {
            runs.append(run)
        }
    }
}
