import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// asyncio's `sock_*` functions on descriptors of the application's (rules 40 to 44).
///
/// Each makes its system call at once and waits for the descriptor only where that says so. Await them in a task of
/// the loop. Cancelling the task ends the wait; a descriptor of a transport is refused (rule 36).
extension DescriptorLoop where Self: TaskLoop {
    /// At most `limit` bytes from a socket; none at the end of the stream (asyncio: `sock_recv`).
    ///
    /// - Throws: `TransportError.system`; `.usage` for a limit below 1, or in debug mode a socket that blocks;
    ///   `.cancelled`.
    public nonisolated(nonsending) func sockRecv(
        _ descriptor: Int32, _ limit: Int
    ) async throws(TransportError) -> [UInt8] {
        try checkSocket(descriptor)
        try checkLimit(limit)
        return try await whenReady(descriptor, .read) { receive(descriptor, limit) }
    }

    /// Fills `buffer` from its start; the number of bytes, 0 at the end of the stream (asyncio: `sock_recv_into`).
    ///
    /// - Throws: as `sockRecv`; `.usage` also for an empty buffer.
    public nonisolated(nonsending) func sockRecvInto(
        _ descriptor: Int32, _ buffer: inout [UInt8]
    ) async throws(TransportError) -> Int {
        try checkSocket(descriptor)
        try checkLimit(buffer.count)
        // Lent out for the wait, so that no byte is copied.
        let loan = Loan(buffer)
        buffer = []
        defer { buffer = loan.bytes }
        return try await whenReady(descriptor, .read) {
            SocketOutcome.of(loan.receive(descriptor), "recv") { Int($0) }
        }
    }

    /// One datagram of at most `limit` bytes, the rest of it is lost, and who sent it (asyncio: `sock_recvfrom`).
    ///
    /// - Throws: as `sockRecv`.
    public nonisolated(nonsending) func sockRecvFrom(
        _ descriptor: Int32, _ limit: Int
    ) async throws(TransportError) -> (bytes: [UInt8], address: SocketAddress?) {
        try checkSocket(descriptor)
        try checkLimit(limit)
        return try await whenReady(descriptor, .read) {
            var peer = anyloop_address()
            var bytes = [UInt8](repeating: 0, count: limit)
            let count = unsafe bytes.withUnsafeMutableBytes {
                unsafe anyloop_receive_from(descriptor, $0.baseAddress, $0.count, &peer)
            }
            return SocketOutcome.of(count, "recvfrom") { count in
                bytes.removeLast(bytes.count - Int(count))
                return (bytes, SocketAddress(peer))
            }
        }
    }

    /// Fills `buffer` with one datagram; its length and who sent it (asyncio: `sock_recvfrom_into`).
    ///
    /// - Throws: as `sockRecvInto`.
    public nonisolated(nonsending) func sockRecvFromInto(
        _ descriptor: Int32, _ buffer: inout [UInt8]
    ) async throws(TransportError) -> (count: Int, address: SocketAddress?) {
        try checkSocket(descriptor)
        try checkLimit(buffer.count)
        let loan = Loan(buffer)
        buffer = []
        defer { buffer = loan.bytes }
        return try await whenReady(descriptor, .read) {
            var peer = anyloop_address()
            return SocketOutcome.of(loan.receive(descriptor, from: &peer), "recvfrom") {
                (Int($0), SocketAddress(peer))
            }
        }
    }

    /// A connection of a listening socket, not blocking, and who made it (asyncio: `sock_accept`).
    ///
    /// The descriptor is the caller's to close.
    ///
    /// - Throws: as `sockRecv`.
    public nonisolated(nonsending) func sockAccept(
        _ descriptor: Int32
    ) async throws(TransportError) -> (descriptor: Int32, address: SocketAddress?) {
        try checkSocket(descriptor)
        return try await whenReady(descriptor, .read) {
            var peer = anyloop_address()
            let code = Int64(unsafe anyloop_accept(descriptor, &peer))
            return SocketOutcome.of(code, "accept") { (Int32($0), SocketAddress(peer)) }
        }
    }
}

/// A buffer that a waiting call fills.
private final class Loan {
    private(set) var bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func receive(_ descriptor: Int32) -> Int64 {
        unsafe bytes.withUnsafeMutableBytes { unsafe anyloop_receive(descriptor, $0.baseAddress, $0.count) }
    }

    func receive(_ descriptor: Int32, from peer: inout anyloop_address) -> Int64 {
        unsafe bytes.withUnsafeMutableBytes {
            unsafe anyloop_receive_from(descriptor, $0.baseAddress, $0.count, &peer)
        }
    }
}

private func checkLimit(_ limit: Int) throws(TransportError) {
    guard limit > 0 else { throw .usage(.argument("at least one byte must be asked for, not \(limit)")) }
}

private func receive(_ descriptor: Int32, _ limit: Int) -> SocketOutcome<[UInt8]> {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe anyloop_receive(descriptor, $0.baseAddress, $0.count) }
    return SocketOutcome.of(count, "recv") { count in
        bytes.removeLast(bytes.count - Int(count))
        return bytes
    }
}
