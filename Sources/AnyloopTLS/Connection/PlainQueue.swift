import AnyloopCore
import CAnyloopTLS

/// Plaintext that waits until the transport below has room.
struct PlainQueue {
    /// A file's bytes, in order with the others.
    struct File {
        let descriptor: Int32
        var offset: Int64
        var remaining: Int
        var sent = 0
        let completion: (Result<Int, TransportError>) -> Void
    }

    enum Piece {
        case bytes([UInt8], from: Int)
        case file(File)
    }

    private var pieces: [Piece] = []
    private var first = 0
    /// Bytes that wait; files do not count.
    private(set) var byteCount = 0

    var isEmpty: Bool { first == pieces.count }

    /// All bytes that wait, those of files included; counted anew each time.
    var unsentCount: Int {
        pieces[first...].reduce(0) { sum, piece in
            switch piece {
            case .bytes(let bytes, let start): sum + bytes.count - start
            case .file(let file): sum + file.remaining
            }
        }
    }

    mutating func append(_ bytes: [UInt8], from start: Int = 0) {
        guard start < bytes.count else { return }
        pieces.append(.bytes(bytes, from: start))
        byteCount += bytes.count - start
    }

    mutating func append(_ file: File) { pieces.append(.file(file)) }

    /// The piece to send next, taken out.
    mutating func takeFirst() -> Piece? {
        guard first < pieces.count else { return nil }
        let piece = pieces[first]
        pieces[first] = .bytes([], from: 0)
        first += 1
        if first == pieces.count {
            pieces.removeAll(keepingCapacity: false)
            first = 0
        } else if first > 64, first * 2 > pieces.count {
            pieces.removeSubrange(..<first)
            first = 0
        }
        if case .bytes(let bytes, let start) = piece { byteCount -= bytes.count - start }
        return piece
    }

    /// Puts back what was taken out and not sent.
    mutating func putBack(_ piece: Piece) {
        if case .bytes(let bytes, let start) = piece { byteCount += bytes.count - start }
        if first > 0 {
            first -= 1
            pieces[first] = piece
        } else {
            pieces.insert(piece, at: 0)
        }
    }

    /// Drops everything; the files are told why.
    mutating func drop() -> [File] {
        let files = pieces[first...].compactMap { piece in
            if case .file(let file) = piece { file } else { nil }
        }
        self = PlainQueue()
        return files
    }
}
