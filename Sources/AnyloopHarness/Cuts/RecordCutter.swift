/// Cuts the ciphertext of one replay, as it is made, into the segments that are sent one after the other.
struct RecordCutter {
    private let segments: RecordCut.Segments
    private let fault: RecordCut.Fault?
    /// Ciphertext bytes that were handed out.
    private var offset = 0
    /// Ciphertext that waits for what comes next, so that it can be joined with it.
    private var held: [UInt8] = []
    /// Whether a fault has ended the ciphertext: nothing comes after it.
    private(set) var isOver = false

    /// A cutter of one stretch of ciphertext, from its first byte on.
    init(_ segments: RecordCut.Segments, fault: RecordCut.Fault? = nil) {
        self.segments = segments
        self.fault = fault
    }

    /// Whether records wait for those that follow.
    private var joins: Bool {
        switch segments {
        case .joined, .offset, .drawn: true
        case .pieces, .everyByte, .places: false
        }
    }

    /// The segments that can be sent once `ciphertext`, of whole records, is there.
    mutating func add(_ ciphertext: [UInt8]) -> [[UInt8]] {
        guard joins else { return release(ciphertext) }
        held += ciphertext
        return []
    }

    /// What was held back, in segments: before the peer does something else than sending.
    mutating func flush() -> [[UInt8]] {
        let bytes = held
        held = []
        return release(bytes)
    }

    private mutating func release(_ bytes: [UInt8]) -> [[UInt8]] {
        guard !bytes.isEmpty, !isOver else { return [] }
        var bytes = bytes
        let start = offset
        offset += bytes.count
        switch fault {
        case .truncated(let end)? where end < offset:
            bytes.removeLast(offset - max(end, start))
            isOver = true
        case .damaged(let place, let mask)? where place >= start && place < offset: bytes[place - start] ^= mask
        default: break
        }
        return Self.split(bytes, at: boundaries(in: bytes, from: start))
    }

    /// Where segments end within `bytes`; ascending.
    private func boundaries(in bytes: [UInt8], from start: Int) -> [Int] {
        switch segments {
        case .pieces, .joined: return []
        case .everyByte: return Array(1..<max(1, bytes.count))
        case .offset(let place): return [place - start]
        case .places(let places):
            var found: [Int] = []
            for record in Self.records(in: bytes) {
                found.append(record.lowerBound)
                found += places.map { record.lowerBound + $0.offset(in: record.count) }.sorted()
            }
            return found
        case .drawn(let seed, let pieces):
            guard bytes.count > 1 else { return [] }
            var random = SeededRandom(seed: seed &+ UInt64(start))
            let count = 1 + random.below(max(1, pieces))
            return Set((0..<count).map { _ in 1 + random.below(bytes.count - 1) }).sorted()
        }
    }

    private static func split(_ bytes: [UInt8], at boundaries: [Int]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        for boundary in boundaries where boundary > start && boundary < bytes.count {
            pieces.append(Array(bytes[start..<boundary]))
            start = boundary
        }
        if start < bytes.count { pieces.append(start == 0 ? bytes : Array(bytes[start...])) }
        return pieces
    }

    /// The records in `bytes`, by their headers; the last may be cut off.
    static func records(in bytes: [UInt8]) -> [Range<Int>] {
        var records: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            guard bytes.count - start >= RecordCut.headerSize else {
                records.append(start..<bytes.count)
                break
            }
            let length = Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
            let end = min(bytes.count, start + RecordCut.headerSize + length)
            records.append(start..<end)
            start = end
        }
        return records
    }
}
