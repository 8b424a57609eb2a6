import AnyloopCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file on its way through a `MemoryTransport`.
final class MemoryFileSend: Cancellable {
    private let source: SendFileSource
    private var offset: Int64
    private var remaining: Int
    private var sent = 0
    private var isCancelled = false
    private var completion: ((Result<Int, TransportError>) -> Void)?
    /// The largest piece read at once, in bytes (rule 93: 256 KiB).
    private static let pieceSize = 262_144

    init(
        _ source: SendFileSource, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        self.source = source
        self.offset = offset
        remaining = count
        self.completion = completion
    }

    /// Gives the other end as much of the file as it takes.
    ///
    /// - Returns: whether the file is done; nil if sending failed, which ended the transport.
    func advance(on transport: MemoryTransport) -> Bool? {
        if isCancelled {
            finish(.failure(.cancelled), on: transport.memoryLoop)
            return true
        }
        while remaining > 0 {
            let piece: [UInt8]
            do throws(TransportError) {
                piece = try source.read(min(remaining, MemoryFileSend.pieceSize), at: offset)
            } catch {
                finish(.failure(error), on: transport.memoryLoop)
                return true
            }
            let count = piece.count
            guard count > 0 else { break }
            guard let taken = transport.give(piece.span) else { return nil }
            sent += taken
            offset += Int64(taken)
            remaining -= taken
            guard taken == count else { return false }
        }
        finish(.success(sent), on: transport.memoryLoop)
        return true
    }

    /// Sends no more; the completion gets `TransportError.cancelled`.
    func cancel() { isCancelled = true }

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
        let file = MemoryFileSend(.descriptor(descriptor), offset: offset, count: count, completion: completion)
        send(file)
    }

    func send(_ file: MemoryFileSend) {
        guard !isClosing else {
            file.fail(.transportIsClosing, on: memoryLoop)
            return
        }
        queue.append(.file(file))
        memoryLoop.enlist(self)
    }
}

extension MemoryLoop: SendFileLoop {
    /// Sends a file over a transport of this loop, which neither reads nor takes writes until the completion.
    ///
    /// Every file is read piece by piece here, so `allowsFallback` makes no difference.
    @discardableResult
    public func sendFile(
        _ transport: any StreamTransport, _ source: SendFileSource, offset: Int64, count: Int?, allowsFallback: Bool,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) throws(TransportError) -> any Cancellable {
        try checkSendFile(transport, offset: offset, count: count)
        guard let transport = transport as? MemoryTransport, transport.memoryLoop === self else {
            throw .usage("sendfile is not supported for transport \(type(of: transport))")
        }
        guard !transport.refusal.contains(.sendingFile) else { throw .usage("Empty waiter is already set") }
        let wasReading = transport.isReading
        transport.pauseReading()
        let file = MemoryFileSend(source, offset: offset, count: count ?? .max) { result in
            transport.refusal.remove(.sendingFile)
            if wasReading { transport.resumeReading() }
            if case .success(let sent) = result, sent > 0 { source.seek(to: offset + Int64(sent)) }
            completion(result)
        }
        transport.send(file)
        transport.refusal.insert(.sendingFile)
        return file
    }
}

extension SendFileSource {
    /// At most `count` bytes from `offset`.
    fileprivate func read(_ count: Int, at offset: Int64) throws(TransportError) -> [UInt8] {
        guard case .descriptor(let descriptor) = self else {
            guard case .file(let file) = self else { return [] }
            return try file.read(count, at: offset)
        }
        var piece = [UInt8](repeating: 0, count: count)
        let got = unsafe piece.withUnsafeMutableBytes { buffer in
            unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
        }
        guard got >= 0 else {
            throw .system(SystemError(errno: errno, operation: "pread", text: "cannot read the file"))
        }
        piece.removeLast(count - got)
        return piece
    }

    /// Leaves the file's position at `offset`.
    fileprivate func seek(to offset: Int64) {
        switch self {
        case .descriptor(let descriptor): _ = lseek(descriptor, off_t(offset), SEEK_SET)
        case .file(let file): file.seek(to: offset)
        }
    }
}
