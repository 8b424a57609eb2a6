/// Reads one line of a `.wire` file from left to right.
struct WireScanner {
    let file: String
    let line: Int
    let bytes: ArraySlice<UInt8>
    let limits: FixtureLimits
    private(set) var position: Int

    init(file: String, line: Int, bytes: ArraySlice<UInt8>, limits: FixtureLimits) {
        self.file = file
        self.line = line
        self.bytes = bytes
        self.limits = limits
        position = bytes.startIndex
    }

    /// The column of what comes next, from 1.
    var column: Int { position - bytes.startIndex + 1 }

    /// The next byte; nil at the end of the line.
    var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    /// An error here, with what is found here.
    func failure(_ expected: String) -> FixtureError {
        failure(expected, found: found, column: column)
    }

    func failure(_ expected: String, found: String, column: Int) -> FixtureError {
        FixtureError(file: file, line: line, column: column, expected: expected, found: found)
    }

    private var found: String {
        guard let byte = peek else { return "the end of the line" }
        guard byte > 0x20, byte < 0x7F else {
            return byte == 0x20 ? "a space" : "byte 0x" + WireEscapes.hexadecimal(byte)
        }
        let word = bytes[position...].prefix(24).prefix { $0 > 0x20 && $0 < 0x7F }
        return "'" + String(decoding: word, as: UTF8.self) + "'"
    }

    mutating func skipSpaces() {
        while let byte = peek, byte == 0x20 || byte == 0x09 { position += 1 }
    }

    /// Takes `character` if it comes next.
    mutating func take(_ character: Character) -> Bool {
        guard peek == character.asciiValue else { return false }
        position += 1
        return true
    }

    mutating func require(_ character: Character, _ expected: String) throws(FixtureError) {
        guard take(character) else { throw failure(expected) }
    }

    /// Takes the longest run of bytes that `belongs`; may be empty.
    mutating func run(while belongs: (UInt8) -> Bool) -> String {
        let start = position
        while let byte = peek, belongs(byte) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// A word of lower-case letters, digits and hyphens.
    mutating func keyword() -> String {
        run { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D }
    }

    mutating func number(_ expected: String) throws(FixtureError) -> Int {
        let start = column
        let digits = run { $0 >= 0x30 && $0 <= 0x39 }
        guard !digits.isEmpty else { throw failure(expected) }
        guard let value = Int(digits) else { throw failure(expected, found: "'\(digits)'", column: start) }
        return value
    }

    /// The rest of the line after spaces and an optional comment; the comment with its `#`.
    mutating func comment(_ expected: String) throws(FixtureError) -> String? {
        skipSpaces()
        guard let byte = peek else { return nil }
        guard byte == UInt8(ascii: "#") else { throw failure(expected) }
        return rest()
    }

    /// The rest of the line without spaces at its end.
    mutating func rest() -> String {
        var end = bytes.endIndex
        while end > position, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        defer { position = bytes.endIndex }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    /// The rest of the line up to a comment, which a space before its `#` sets off.
    mutating func restBeforeComment() -> String {
        var end = position
        while end < bytes.endIndex {
            let isComment = bytes[end] == UInt8(ascii: "#") && end > position && bytes[end - 1] <= 0x20
            if isComment { break }
            end += 1
        }
        let stop = end
        while end > position, bytes[end - 1] <= 0x20 { end -= 1 }
        defer { position = stop }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    /// The bytes of `"…"`, whose opening quote comes next.
    mutating func quoted() throws(FixtureError) -> [UInt8] {
        try require("\"", "a string in quotes")
        var value: [UInt8] = []
        while true {
            guard let byte = peek else { throw failure("a closing quote") }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return value
            case UInt8(ascii: "\\"):
                value.append(try escape())
            case 0x20...0x7E:
                value.append(byte)
                position += 1
            default:
                throw failure("printable ASCII between quotes (write other bytes as \\xHH)")
            }
        }
    }

    private mutating func escape() throws(FixtureError) -> UInt8 {
        let start = column
        position += 1
        guard let byte = peek else { throw failure("an escape: \\r \\n \\t \\0 \\\\ \\\" \\xHH") }
        position += 1
        switch byte {
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "0"): return 0
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): return byte
        case UInt8(ascii: "x"):
            guard let high = digit(), let low = digit() else { throw failure("two hexadecimal digits after \\x") }
            return high << 4 | low
        default:
            let text = "'\\" + String(decoding: [byte], as: UTF8.self) + "'"
            throw failure("an escape: \\r \\n \\t \\0 \\\\ \\\" \\xHH", found: text, column: start)
        }
    }

    private mutating func digit() -> UInt8? {
        guard let byte = peek, let value = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
            return nil
        }
        position += 1
        return UInt8(value)
    }

    /// The bytes of `x"…"` from its opening quote.
    mutating func hexadecimal() throws(FixtureError) -> [UInt8] {
        try require("\"", "hexadecimal digits in quotes")
        var value: [UInt8] = []
        while !take("\"") {
            guard let high = digit() else { throw failure("a hexadecimal digit or a closing quote") }
            guard let low = digit() else { throw failure("the second digit of a byte") }
            value.append(high << 4 | low)
        }
        return value
    }
}

extension WireScanner {
    private static let pieceForms = "\"text\", x\"hex\", repeat(N, …) or blob(\"name\", N, sha256:…)"

    /// Whether a piece of bytes may come next, rather than a wildcard, a comment or the end.
    var atPiece: Bool {
        guard let byte = peek else { return false }
        return byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "x") || byte == UInt8(ascii: "r")
            || byte == UInt8(ascii: "b")
    }

    /// One piece of bytes.
    mutating func piece(depth: Int = 0) throws(FixtureError) -> WirePiece {
        if peek == UInt8(ascii: "\"") { return .text(try quoted()) }
        let start = self
        switch keyword() {
        case "x": return .hexadecimal(try hexadecimal())
        case "repeat":
            guard depth < limits.repeatDepth else {
                throw start.failure("repeat nested at most \(limits.repeatDepth) deep")
            }
            try require("(", "( after repeat")
            skipSpaces()
            let count = try number("how often to repeat")
            skipSpaces()
            try require(",", "a comma before what is repeated")
            skipSpaces()
            let inner = try piece(depth: depth + 1)
            skipSpaces()
            try require(")", ") after what is repeated")
            return .repeated(count, inner)
        case "blob":
            try require("(", "( after blob")
            skipSpaces()
            let column = column
            let name = String(decoding: try quoted(), as: UTF8.self)
            guard !name.isEmpty, !name.contains("/"), name != "..", name != "." else {
                throw failure("the name of a file beside the fixture", found: "'\(name)'", column: column)
            }
            skipSpaces()
            try require(",", "a comma before the blob's size")
            skipSpaces()
            let count = try number("the blob's size in bytes")
            skipSpaces()
            try require(",", "a comma before sha256:")
            skipSpaces()
            let digest = try sha256()
            skipSpaces()
            try require(")", ") after the digest")
            return .blob(name: name, count: count, sha256: digest)
        default: throw start.failure(Self.pieceForms)
        }
    }

    /// One or more pieces, up to a comment, a `;` or the end.
    mutating func pieces() throws(FixtureError) -> [WirePiece] {
        var pieces = [try piece()]
        skipSpaces()
        while atPiece {
            pieces.append(try piece())
            skipSpaces()
        }
        return pieces
    }

    /// `sha256:` and 64 hexadecimal digits.
    mutating func sha256() throws(FixtureError) -> String {
        let start = self
        guard keyword() == "sha256", take(":") else { throw start.failure("sha256: and 64 lower-case digits") }
        let digest = run { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
        guard digest.utf8.count == 64 else { throw start.failure("sha256: and 64 lower-case digits") }
        return digest
    }
}
