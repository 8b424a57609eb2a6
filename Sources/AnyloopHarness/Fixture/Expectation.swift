/// What must come of a conversation on one side: any one of several legal outcomes.
public struct Expectation: Sendable {
    /// The legal outcomes; at least one.
    public var alternatives: [Alternative]

    /// One legal outcome; what is nil in it is not judged.
    public struct Alternative: Sendable {
        /// The section that allows it; nil for the first one, which has the fixture's own.
        public var spec: Fixture.Spec?
        /// What the application sees, in order.
        public var events: [ExpectedEvent]?
        /// What the subject writes in reply, all of it.
        public var wire: [WirePatternPiece]?
        /// Whether the subject has closed the connection at the end of the stream.
        public var closes: Bool?
        /// The line in the fixture where it begins.
        public var line: Int
    }
}

/// One event that an application must see.
public enum ExpectedEvent: Sendable, Hashable {
    /// A message's start line in words (`POST`, `/`, `HTTP/1.1` or `200`); trailing words may be left out.
    case head([[UInt8]])
    /// A field of the head, `Name: value`.
    case field([UInt8])
    /// All body bytes of the message.
    case body(ExpectedBytes)
    /// A field after the body, `Name: value`.
    case trailer([UInt8])
    /// The end of the message.
    case end
    /// The connection speaks another protocol from here.
    case upgrade
    /// The bytes after the upgrade.
    case surplus(ExpectedBytes)
    /// The conversation ended in an error, with the range of offsets in the stream if that is judged.
    case error(code: String, offsets: Range<Int>?)
}

/// How bytes are expected: in full, or by count and digest.
public struct ExpectedBytes: Sendable, Hashable {
    /// The bytes themselves, where the fixture has them.
    public var bytes: [UInt8]?
    /// How many there are.
    public var count: Int
    /// SHA-256 in lower-case hexadecimal, where the fixture has it.
    public var sha256: String?

    /// Expected bytes, in full or by their count.
    public init(bytes: [UInt8]? = nil, count: Int, sha256: String? = nil) {
        self.bytes = bytes
        self.count = count
        self.sha256 = sha256
    }
}

/// A piece of what a subject must write.
public enum WirePatternPiece: Sendable, Hashable {
    /// Exactly these bytes.
    case bytes([UInt8])
    /// Any bytes, also none (`{any}`).
    case any
    /// The rest of a line, without its end (`{line}`).
    case line
    /// A date such as `Sun, 06 Nov 1994 08:49:37 GMT` (`{date}`; RFC 9110 §5.6.7).
    case date
    /// A status of three digits; `x` stands for any (`{status 4xx}`).
    case status(String)
}
