import AnyloopCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file on its way through a `MemoryTransport`.
final class MemoryFileSend {
    private let descriptor: Int32
    private var offset: Int64
    private var remaining: Int
    private var sent = 0
    private var completion: ((Result<Int, TransportError>) -> Void)?
    /// The largest piece read at once, in bytes (rule 93: 256 KiB).
    private static let pieceSize = 262_144

    init(
        descriptor: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        self.descriptor = descriptor
        self.offset = offset
        remaining = count
        self.completion = completion
    }

    /// Gives the other end as much of the file as it takes.
    ///
    /// - Returns: whether the file is done; nil if sending failed, which ended the transport.
    func advance(on transport: MemoryTransport) -> Bool? {
        while remaining > 0 {
            var piece = [UInt8](repeating: 0, count: min(remaining, MemoryFileSend.pieceSize))
            let count = unsafe piece.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            }
            guard count >= 0 else {
                let code = errno
                finish(
                    .failure(.system(SystemError(errno: code, operation: "pread", text: "cannot read the file"))),
                    on: transport.memoryLoop)
                return true
            }
            guard count > 0 else { break }
            guard let taken = transport.give(piece.span.extracting(..<count)) else { return nil }
            sent += taken
            offset += Int64(taken)
            remaining -= taken
            guard taken == count else { return false }
        }
        finish(.success(sent), on: transport.memoryLoop)
        return true
    }

    func fail(_ error: TransportError, on loop: MemoryLoop) {
        finish(.failure(error), on: loop)
    }

    private func finish(_ result: Result<Int, TransportError>, on loop: MemoryLoop) {
        guard let completion else { return }
        self.completion = nil
        loop.callSoon { completion(result) }
    }
}

extension MemoryTransport {
    /// Reads the file piece by piece, as the other end has room.
    public func sendFile(
        descriptor: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        let file = MemoryFileSend(descriptor: descriptor, offset: offset, count: count, completion: completion)
        guard !isClosing else {
            file.fail(.usage("Transport is closing"), on: memoryLoop)
            return
        }
        queue.append(.file(file))
        memoryLoop.enlist(self)
    }
}
