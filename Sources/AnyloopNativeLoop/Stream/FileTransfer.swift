import AnyloopCore
import CAnyloopSystem

/// A part of a file on its way to a socket.
///
/// An exclusive one is asyncio's: errors of the socket are the completion's alone, what the kernel cannot move before
/// the first byte is `sendFileUnavailable`, and the file's position follows.
final class FileTransfer: Cancellable {
    enum Step {
        /// The file is through, or ended early, or could not be read: `result` says which.
        case finished
        /// The socket is full, or has had its share of this turn.
        case progress
        /// The socket failed.
        case failed(Int32)
    }

    /// Bytes that one call may move, and that the fallback reads at once.
    private static let callLimit = 1 << 20
    private static let fallbackSize = 65536

    private let file: Int32
    private var offset: Int64
    private var remaining: Int
    private var sent = 0
    /// Set when the kernel cannot move this file by itself: what was read and not sent yet.
    private var fallback: [UInt8]?
    private var fallbackOffset = 0
    private let isExclusive: Bool
    private var isCancelled = false
    /// Has the queue look at this again, after `cancel`.
    var wake: (() -> Void)?
    private let completion: (Result<Int, TransportError>) -> Void
    private let loop: NativeLoop

    init(
        file: Int32, offset: Int64, count: Int, loop: NativeLoop, isExclusive: Bool = false,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        self.file = file
        self.offset = offset
        remaining = max(0, count)
        self.isExclusive = isExclusive
        self.loop = loop
        self.completion = completion
    }

    /// Runs the completion in the next turn.
    func finish(_ result: Result<Int, TransportError>) {
        let completion = completion
        wake = nil
        if isExclusive, sent > 0 { _ = anyloop_seek(file, offset) }
        if loop.isClosed { completion(result) } else { loop.callSoon { completion(result) } }
    }

    /// Sends no more; the completion gets `TransportError.cancelled`.
    func cancel() {
        isCancelled = true
        wake?()
    }

    func send(to descriptor: Int32) -> Step {
        if isCancelled {
            finish(.failure(.cancelled))
            return .finished
        }
        while remaining > 0 {
            if fallback != nil {
                if let step = sendFallback(to: descriptor) { return step }
                return remaining > 0 ? .progress : end()
            }
            let count = anyloop_sendfile(descriptor, file, offset, min(remaining, Self.callLimit))
            if count > 0 {
                advance(Int(count))
                return remaining > 0 ? .progress : end()
            }
            let code = Int32(-count)
            if code == 0 { break }
            if Errno.isTransient(code) { return .progress }
            if isExclusive {
                finish(.failure(sent == 0 ? .sendFileUnavailable : .system(code, "sendfile")))
                return .finished
            }
            switch code {
            case Errno.invalid, Errno.notImplemented, 29:  // 29: ESPIPE, a file without offsets
                fallback = []
            case Errno.io, Errno.badDescriptor, Errno.isDirectory, Errno.overflow:
                finish(.failure(.system(code, "sendfile")))
                return .finished
            default:
                return .failed(code)
            }
        }
        return end()
    }

    private func end() -> Step {
        finish(.success(sent))
        return .finished
    }

    private func advance(_ count: Int) {
        sent += count
        offset += Int64(count)
        remaining -= count
    }

    /// Reads a piece if there is none, sends what there is; nil: go on.
    private func sendFallback(to descriptor: Int32) -> Step? {
        guard var buffer = fallback else { return nil }
        fallback = []
        defer { fallback = buffer }
        if fallbackOffset == buffer.count {
            fallbackOffset = 0
            buffer = [UInt8](repeating: 0, count: min(remaining, Self.fallbackSize))
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe anyloop_read_at(file, $0.baseAddress, $0.count, offset)
            }
            guard count > 0 else {
                buffer = []
                finish(count == 0 ? .success(sent) : .failure(.system(Int32(-count), "read")))
                return .finished
            }
            buffer.removeLast(buffer.count - Int(count))
        }
        let start = fallbackOffset
        let count = unsafe buffer.withUnsafeBytes {
            unsafe anyloop_send(descriptor, $0.baseAddress.map { unsafe $0 + start }, $0.count - start)
        }
        guard count >= 0 else { return Errno.isTransient(Int32(-count)) ? .progress : .failed(Int32(-count)) }
        fallbackOffset += Int(count)
        advance(Int(count))
        return nil
    }
}

extension TransportError {
    /// The kernel cannot move this file by itself (asyncio: `SendfileNotAvailableError`).
    package static var sendFileUnavailable: TransportError {
        .usage(UsageError(.sendFileNotAvailable, "os.sendfile call failed"))
    }

    /// Whether this is `sendFileUnavailable`.
    package var isSendFileUnavailable: Bool {
        if case .usage(let error) = self { error.kind == .sendFileNotAvailable } else { false }
    }
}
