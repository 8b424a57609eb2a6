import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

extension DescriptorLoop where Self: TaskLoop {
    /// Sends all of `bytes` (asyncio: `sock_sendall`, rule 42).
    ///
    /// After an error or a cancellation it is not known how much was sent.
    ///
    /// - Throws: `TransportError.system`; `.usage` in debug mode for a socket that blocks; `.cancelled`.
    public nonisolated(nonsending) func sockSendAll(
        _ descriptor: Int32, _ bytes: [UInt8]
    ) async throws(TransportError) {
        try checkSocket(descriptor)
        guard !bytes.isEmpty else { return }
        let progress = Progress()
        try await whenReady(descriptor, .write) { () -> SocketOutcome<Void> in
            let start = progress.sent
            let count = unsafe bytes.withUnsafeBytes {
                unsafe anyloop_send(descriptor, $0.baseAddress.map { unsafe $0 + start }, $0.count - start)
            }
            if count > 0 { progress.sent += Int(count) }
            if count >= 0, progress.sent < bytes.count { return .again }
            return SocketOutcome.of(count, "send") { _ in }
        }
    }

    /// Sends one datagram to `address`; how many bytes went (asyncio: `sock_sendto`).
    ///
    /// - Throws: as `sockSendAll`.
    public nonisolated(nonsending) func sockSendTo(
        _ descriptor: Int32, _ bytes: [UInt8], to address: SocketAddress
    ) async throws(TransportError) -> Int {
        try checkSocket(descriptor)
        let packed = try address.packed()
        return try await whenReady(descriptor, .write) {
            var packed = packed
            let count = unsafe bytes.withUnsafeBytes {
                unsafe anyloop_send_to(descriptor, $0.baseAddress, $0.count, &packed)
            }
            return SocketOutcome.of(count, "sendto") { Int($0) }
        }
    }

    /// Connects a socket of the application's (asyncio: `sock_connect`, rule 43).
    ///
    /// A host name is resolved; the first address of the socket's family is taken.
    ///
    /// - Throws: `TransportError.system` with "Connect call failed", `.resolution`; `.usage` in debug mode for a
    ///   socket that blocks; `.cancelled`.
    public nonisolated(nonsending) func sockConnect(
        _ descriptor: Int32, to endpoint: Endpoint
    ) async throws(TransportError) {
        try checkSocket(descriptor)
        let address = try await address(of: endpoint, for: descriptor)
        var packed = try address.packed()
        let code = unsafe anyloop_connect(descriptor, &packed)
        if code == 0 { return }
        guard -code == Errno.inProgress || -code == Errno.interrupted || -code == Errno.again else {
            throw .system(-code, "connect to \(address)")
        }
        try await waitUntilReady(descriptor, .write) { () -> SocketOutcome<Void> in
            let code = abs(anyloop_socket_error(descriptor))
            if code == 0 { return .done(()) }
            return .failed(
                .system(SystemError(errno: code, operation: "connect", text: "Connect call failed \(address)")))
        }
    }

    private nonisolated(nonsending) func address(
        of endpoint: Endpoint, for descriptor: Int32
    ) async throws(TransportError) -> SocketAddress {
        switch endpoint {
        case .address(let address): return address
        case .host(let host, let port):
            if let address = SocketAddress(literal: host, port: port) { return address }
            let own = SocketAddress.bound(descriptor)?.family
            let found = try await getaddrinfo(AddressQuery(host: host, port: port))
            guard let first = found.first(where: { own == nil || $0.address.family == own }) else {
                throw .resolution(host: host, code: -2, text: "no address of the socket's family")
            }
            return first.address
        }
    }

    /// Sends the open file `file` from `offset`, `count` bytes of it or all; how many went (asyncio:
    /// `sock_sendfile`, rule 44).
    ///
    /// The kernel moves the bytes where it can. Otherwise, with `fallback`, the file is read on the loop's pool in
    /// pieces of 256 KiB. Afterwards the file's position is behind what was sent.
    ///
    /// - Throws: `TransportError.usage` for a socket that is no stream, a negative offset, a count below 1, and
    ///   without `fallback` a file that the kernel cannot send; `.system`; `.cancelled`.
    public nonisolated(nonsending) func sockSendFile(
        _ descriptor: Int32, file: Int32, offset: Int64 = 0, count: Int? = nil, fallback: Bool = true
    ) async throws(TransportError) -> Int {
        try await sockSendFile(
            descriptor, source: .descriptor(file), offset: offset, count: count, fallback: fallback)
    }

    /// Sends a file, with or without a descriptor; otherwise as `sockSendFile(_:file:offset:count:fallback:)`.
    ///
    /// - Throws: the same.
    public nonisolated(nonsending) func sockSendFile(
        _ descriptor: Int32, source: SendFileSource, offset: Int64 = 0, count: Int? = nil, fallback: Bool = true
    ) async throws(TransportError) -> Int {
        try checkSocket(descriptor)
        guard anyloop_socket_kind(descriptor) == Int32(ANYLOOP_STREAM) else {
            throw .usage(.argument("only SOCK_STREAM type sockets are supported"))
        }
        if let count, count <= 0 {
            throw .usage(.argument("count must be a positive integer (got \(count))"))
        }
        guard offset >= 0 else {
            throw .usage(.argument("offset must be a non-negative integer (got \(offset))"))
        }
        if case .descriptor(let file) = source, let sent = try await sendByKernel(descriptor, file, offset, count) {
            return sent
        }
        guard fallback else { throw .sendFileUnavailable }
        return try await sendByReading(descriptor, source, offset, count)
    }

    /// Nil if the kernel cannot and nothing was sent.
    private nonisolated(nonsending) func sendByKernel(
        _ descriptor: Int32, _ file: Int32, _ offset: Int64, _ count: Int?
    ) async throws(TransportError) -> Int? {
        let size = anyloop_file_size(file)
        guard size >= 0 else { return nil }
        let wanted = count ?? Int(size)
        guard wanted > 0 else { return 0 }
        let progress = Progress()
        defer { progress.leavePosition(of: .descriptor(file), from: offset) }
        let isDone = try await whenReady(descriptor, .write) { () -> SocketOutcome<Bool> in
            while progress.sent < wanted {
                let sent = anyloop_sendfile(
                    descriptor, file, offset + Int64(progress.sent), min(wanted - progress.sent, 1 << 20))
                if sent == 0 { break }
                if sent > 0 {
                    progress.sent += Int(sent)
                    continue
                }
                let code = Int32(-sent)
                if Errno.isTransient(code) { return .again }
                if code == Errno.notConnected { return .failed(.system(code, "socket is not connected")) }
                return progress.sent == 0 ? .done(false) : .failed(.system(code, "sendfile"))
            }
            return .done(true)
        }
        return isDone ? progress.sent : nil
    }

    private nonisolated(nonsending) func sendByReading(
        _ descriptor: Int32, _ source: SendFileSource, _ offset: Int64, _ count: Int?
    ) async throws(TransportError) -> Int {
        let progress = Progress()
        defer { progress.leavePosition(of: source, from: offset) }
        while progress.sent < count ?? .max {
            let place = offset + Int64(progress.sent)
            let size = min((count ?? .max) - progress.sent, FileCopy.pieceSize)
            let piece = try await onThread { source.read(size, at: place) }
            if piece.isEmpty { break }
            try await sockSendAll(descriptor, piece)
            progress.sent += piece.count
        }
        return progress.sent
    }
}

/// How far a call got that takes several attempts.
private final class Progress {
    var sent = 0

    /// Puts the file's position behind what was sent (rule 44); a file without positions stays as it is.
    func leavePosition(of source: SendFileSource, from offset: Int64) {
        if sent > 0 { source.seek(to: offset + Int64(sent)) }
    }
}
