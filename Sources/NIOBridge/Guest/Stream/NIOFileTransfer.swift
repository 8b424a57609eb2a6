import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore

/// What SwiftNIO can do with a file.
enum NIOFileKind {
    /// So many bytes from the offset on, which the kernel moves.
    case regular(Int)
    /// It ends at the offset, or before.
    case ended
    /// Bytes of unknown number, such as a pipe's: the kernel's `sendfile` would not end, or fails.
    case other
    /// It cannot be read.
    case failed(TransportError)

    /// Looks at the file before SwiftNIO does, which takes an end that comes early for a full socket, and a file that
    /// the kernel cannot move for the connection's failure.
    init(_ file: Int32, offset: Int64, count: Int) {
        var byte: UInt8 = 0
        let read = unsafe anyloop_read_at(file, &byte, 1, offset)
        guard read >= 0 else {
            // 29: ESPIPE, a file without offsets.
            self = read == -29 ? .other : .failed(.system(Int32(-read), "sendfile"))
            return
        }
        guard read > 0, count > 0 else {
            self = .ended
            return
        }
        let left = anyloop_file_size(file) - offset
        self = left > 0 ? .regular(Int(min(Int64(count), left))) : .other
    }
}

extension NIOFileHandle {
    /// A handle on a copy of `file`, which stays the caller's.
    static func copying(_ file: Int32) throws(TransportError) -> NIOFileHandle {
        let copy = anyloop_duplicate(file, 0)
        guard copy >= 0 else { throw .system(-copy, "dup") }
        return NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: copy)
    }
}

/// A file that has the connection for itself (asyncio rule 93): sent in pieces, so that it can be cancelled between two.
final class NIOFileTransfer: Cancellable {
    /// Bytes that are given to SwiftNIO at once.
    static let pieceSize = 1 << 18

    private let transport: NIOStreamTransport
    private let file: Int32
    private let offset: Int64
    private let count: Int
    private var sent = 0
    private var isCancelled = false
    private var completion: ((Result<Int, TransportError>) -> Void)?

    init(
        _ transport: NIOStreamTransport, file: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        self.transport = transport
        self.file = file
        self.offset = offset
        self.count = count
        self.completion = completion
    }

    func sendNext() {
        guard !isCancelled else { return }
        let position = offset + Int64(sent)
        switch NIOFileKind(file, offset: position, count: min(Self.pieceSize, count - sent)) {
        case .regular(let available):
            transport.sendRegion(file, offset: position, count: available) { [self] result in
                switch result {
                case .success:
                    sent += available
                    sendNext()
                case .failure(let error): finish(.failure(error))
                }
            }
        case .ended: finish(.success(sent))
        case .other: finish(sent == 0 ? .failure(.sendFileUnavailable) : .success(sent))
        case .failed(let error): finish(.failure(error))
        }
    }

    /// The piece that SwiftNIO has still goes out.
    func cancel() {
        isCancelled = true
        finish(.failure(.cancelled))
    }

    private func finish(_ result: Result<Int, TransportError>) {
        guard let completion else { return }
        self.completion = nil
        // The file's position follows, as asyncio's does.
        if sent > 0 { _ = anyloop_seek(file, offset + Int64(sent)) }
        let native = transport.native
        if native.isClosed { completion(result) } else { native.callSoon { completion(result) } }
    }
}
