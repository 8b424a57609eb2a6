import AnyloopCore
import CAnyloopSystem

/// What a stream still has to send, in order: bytes and parts of files.
///
/// Whole arrays are kept by reference; copied remainders are joined in one open piece at the end, so that many
/// small writes do not become many small sends.
final class WriteQueue {
    enum Piece {
        case bytes([UInt8])
        case file(FileTransfer)
    }

    enum Outcome {
        case drained
        case blocked
        case failed(Int32, operation: String)
    }

    /// Pieces of one gathering call, at most.
    static let sliceLimit = 64
    /// Calls of one flush, so that a fast reader does not keep the loop from others.
    private static let callBudget = 4
    /// The open piece is closed once it holds that many bytes.
    private static let openLimit = 65536

    private var pieces: [Piece] = []
    private var head = 0
    /// Bytes of the first piece that are sent already.
    private var headOffset = 0
    private var open: [UInt8] = []

    /// Bytes that wait, without those of files.
    private(set) var byteCount = 0

    var isEmpty: Bool { head == pieces.count && open.isEmpty }

    /// Queues a copy of `bytes` after the first `offset`.
    func append(copying bytes: Span<UInt8>, from offset: Int) {
        let count = bytes.count - offset
        if open.count + count > Self.openLimit { seal() }
        unsafe bytes.withUnsafeBufferPointer { unsafe open.append(contentsOf: $0[offset...]) }
        byteCount += count
    }

    /// Queues `bytes` after the first `offset`, by reference.
    func append(_ bytes: [UInt8], from offset: Int = 0) {
        guard offset < bytes.count else { return }
        seal()
        if head == pieces.count { headOffset = offset } else { precondition(offset == 0, "only the first is cut") }
        pieces.append(.bytes(bytes))
        byteCount += bytes.count - offset
    }

    func append(_ file: FileTransfer) {
        seal()
        pieces.append(.file(file))
    }

    private func seal() {
        guard !open.isEmpty else { return }
        pieces.append(.bytes(open))
        open = []
    }

    /// Sends what the socket takes with a few calls; what is left after them waits like what did not fit.
    func flush(to descriptor: Int32) -> Outcome {
        seal()
        for _ in 0..<Self.callBudget where head < pieces.count {
            if case .file(let file) = pieces[head] {
                switch file.send(to: descriptor) {
                case .finished: dropHead()
                case .progress: return .blocked
                case .failed(let code): return .failed(code, operation: "sendfile")
                }
                continue
            }
            let (sent, offered) = sendBytes(to: descriptor)
            if sent < 0 {
                return Errno.isTransient(Int32(-sent)) ? .blocked : .failed(Int32(-sent), operation: "sendmsg")
            }
            consume(sent)
            if sent < offered { return .blocked }
        }
        return head == pieces.count ? .drained : .blocked
    }

    /// Gives up what waits; the files' transfers, for their completions.
    func drop() -> [FileTransfer] {
        var files: [FileTransfer] = []
        for piece in pieces[head...] { if case .file(let file) = piece { files.append(file) } }
        pieces = []
        head = 0
        headOffset = 0
        open = []
        byteCount = 0
        return files
    }

    private func sendBytes(to descriptor: Int32) -> (sent: Int, offered: Int) {
        unsafe withUnsafeTemporaryAllocation(of: anyloop_slice.self, capacity: Self.sliceLimit) { slices in
            var count = 0
            var offered = 0
            var offset = headOffset
            for piece in pieces[head...] {
                guard case .bytes(let bytes) = piece, count < Self.sliceLimit else { break }
                // The pointer outlives the closure: the queue holds the array, unchanged, until after the call.
                let base = unsafe bytes.withUnsafeBufferPointer { $0.baseAddress }
                guard let base = unsafe base else { break }
                unsafe slices[count] = unsafe anyloop_slice(bytes: base + offset, count: bytes.count - offset)
                offered += bytes.count - offset
                count += 1
                offset = 0
            }
            return (Int(unsafe anyloop_send_slices(descriptor, slices.baseAddress, count)), offered)
        }
    }

    private func consume(_ sent: Int) {
        byteCount -= sent
        var left = sent
        while left > 0, case .bytes(let bytes) = pieces[head] {
            let rest = bytes.count - headOffset
            guard left >= rest else {
                headOffset += left
                return
            }
            left -= rest
            dropHead()
        }
    }

    private func dropHead() {
        pieces[head] = .bytes([])
        head += 1
        headOffset = 0
        if head == pieces.count {
            pieces.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 256, head * 2 > pieces.count {
            pieces.removeSubrange(..<head)
            head = 0
        }
    }
}
