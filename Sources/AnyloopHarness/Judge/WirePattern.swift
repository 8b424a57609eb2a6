/// What a subject must write, with wildcards.
struct WirePattern: CustomStringConvertible {
    private let pieces: [WirePatternPiece]

    init(_ pieces: [WirePatternPiece]) { self.pieces = pieces }

    /// Whether `bytes` are all of what the pattern says.
    func matches(_ bytes: [UInt8]) -> Bool {
        // The set of offsets that the pieces so far can reach; patterns are short, so this stays small.
        var reached: Set<Int> = [0]
        for piece in pieces {
            var next: Set<Int> = []
            for start in reached { advance(piece, bytes, from: start, into: &next) }
            guard !next.isEmpty else { return false }
            reached = next
        }
        return reached.contains(bytes.count)
    }

    private func advance(_ piece: WirePatternPiece, _ bytes: [UInt8], from start: Int, into next: inout Set<Int>) {
        switch piece {
        case .bytes(let expected):
            if bytes[start...].starts(with: expected) { next.insert(start + expected.count) }
        case .any:
            next.formUnion(start...bytes.count)
        case .line:
            next.insert(bytes[start...].firstIndex { $0 == 0x0D || $0 == 0x0A } ?? bytes.count)
        case .date:
            if bytes.count - start >= Self.dateLength, Self.isDate(bytes[start..<(start + Self.dateLength)]) {
                next.insert(start + Self.dateLength)
            }
        case .status(let digits):
            let found = bytes[start...].prefix(3)
            let matches = zip(found, digits.utf8).allSatisfy { $0 >= 0x30 && $0 <= 0x39 && ($1 == 0x78 || $0 == $1) }
            if found.count == 3, matches { next.insert(start + 3) }
        }
    }

    /// The length of `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static let dateLength = 29

    /// Whether digits, letters and separators stand where IMF-fixdate has them (RFC 9110 §5.6.7).
    private static func isDate(_ text: ArraySlice<UInt8>) -> Bool {
        let shape = Array("Aaa, 00 Aaa 0000 00:00:00 GMT".utf8)
        for (byte, form) in zip(text, shape) {
            let fits =
                switch form {
                case UInt8(ascii: "0"): byte >= 0x30 && byte <= 0x39
                case UInt8(ascii: "A"): byte >= 0x41 && byte <= 0x5A
                case UInt8(ascii: "a"): byte >= 0x61 && byte <= 0x7A
                default: byte == form
                }
            if !fits { return false }
        }
        return true
    }

    var description: String {
        pieces.map { piece in
            switch piece {
            case .bytes(let bytes): "\"" + WireEscapes.escape(bytes) + "\""
            case .any: "{any}"
            case .line: "{line}"
            case .date: "{date}"
            case .status(let digits): "{status \(digits)}"
            }
        }.joined(separator: " ")
    }
}
