/// A `.wire` file line by line, as it is written: what the formatter prints and a `Fixture` is made from.
struct WireDocument: Sendable {
    /// One line.
    struct Line: Sendable {
        var number: Int
        var content: Content
        /// The comment with its `#`, alone on the line or behind the content.
        var comment: String?
        /// Where the content's arguments begin.
        var column = 1
    }

    /// What a line says.
    enum Content: Sendable, Hashable {
        case blank
        case comment
        case header(keyword: String, value: String)
        case section(Section)
        case bytes(Fixture.Direction, [WirePiece])
        case boundary
        case control(Fixture.Direction, Fixture.Control)
        case events([WireEvent])
        case wire([WirePatternItem])
        case alternative(Fixture.Spec)
        case connection(closes: Bool)
    }

    /// The parts of a file after its header.
    enum Section: String, Sendable, CaseIterable {
        case stream = "stream"
        case server = "expect server"
        case client = "expect client"
    }

    var file: String
    var lines: [Line]
}

/// A run of bytes as it is written.
indirect enum WirePiece: Sendable, Hashable {
    case text([UInt8])
    case hexadecimal([UInt8])
    case repeated(Int, WirePiece)
    case blob(name: String, count: Int, sha256: String)
}

/// An item of an `events` line as it is written.
enum WireEvent: Sendable, Hashable {
    case head([[UInt8]])
    case field([UInt8])
    case body(Amount)
    case trailer([UInt8])
    case end
    case upgrade
    case surplus(Amount)
    case error(code: String, offsets: Range<Int>?)

    /// Bytes in full, or how many.
    enum Amount: Sendable, Hashable {
        case pieces([WirePiece])
        case count(Int, sha256: String?)
    }
}

/// An item of a `wire` line as it is written.
enum WirePatternItem: Sendable, Hashable {
    case piece(WirePiece)
    case wildcard(WirePatternPiece)
}
