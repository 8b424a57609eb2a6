/// The kinds of event in a trace.
public enum TraceKind: UInt8, Sendable, Hashable {
    /// A message's start line; one part a word.
    case head = 1
    /// A field of the head: name and value.
    case field = 2
    /// All body bytes of a message: count and digest.
    case body = 3
    /// A field after the body: name and value.
    case trailer = 4
    /// The end of a message.
    case end = 5
    /// The connection speaks another protocol from here.
    case upgrade = 6
    /// All bytes after the upgrade: count and digest.
    case surplus = 7
    /// An error: its code, and `A..B` where the offsets are known.
    case error = 8
    /// Anything else that is worth comparing, in words.
    case note = 9
}

/// One event of a trace, taken apart for judging and printing.
public struct TraceEvent: Sendable, Hashable {
    /// What happened.
    public var kind: TraceKind
    /// Its parts; of `body` and `surplus` the bytes themselves where they were kept.
    public var parts: [[UInt8]]
    /// The number of bytes of `body` and `surplus`.
    public var count: Int
    /// The digest of `body` and `surplus`.
    public var digest: UInt64

    /// An event by its parts.
    public init(kind: TraceKind, parts: [[UInt8]] = [], count: Int = 0, digest: UInt64 = 0) {
        self.kind = kind
        self.parts = parts
        self.count = count
        self.digest = digest
    }
}

extension TraceEvent: CustomStringConvertible {
    /// As a fixture would have it, such as `field "Host: a"`.
    public var description: String {
        func quoted(_ bytes: [UInt8]) -> String { "\"" + WireEscapes.escape(bytes) + "\"" }
        func word(_ bytes: [UInt8]) -> String { WireEscapes.word(bytes) }
        switch kind {
        case .head: return "head " + parts.map(word).joined(separator: " ")
        case .field, .trailer:
            let line = parts.map { WireEscapes.escape($0) }.joined(separator: ": ")
            return (kind == .field ? "field" : "trailer") + " \"\(line)\""
        case .body, .surplus:
            let name = kind == .body ? "body" : "surplus"
            guard let bytes = parts.first, bytes.count <= 64 else { return "\(name) \(count) #" + hexadecimal(digest) }
            return "\(name) \(quoted(bytes))"
        case .end: return "end"
        case .upgrade: return "upgrade"
        case .error:
            let code = String(decoding: parts.first ?? [], as: UTF8.self)
            return parts.count > 1 ? "error \(code) @" + String(decoding: parts[1], as: UTF8.self) : "error \(code)"
        case .note: return "note " + parts.map(word).joined(separator: " ")
        }
    }

    private func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
