/// The field lines of a head or a trailer section: their bytes, and a table of where each name and value is.
///
/// A value of its own: keeping one costs a copy when the parser starts the next message, not before.
public struct HTTP1Fields: Sendable {
    /// Where the parts of one field line are in `bytes`.
    struct Entry: Sendable {
        var nameStart: UInt32
        var nameEnd: UInt32
        var valueStart: UInt32
        var valueEnd: UInt32

        var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    /// All bytes that the table points into; of a head, the start line too.
    var bytes: [UInt8] = []
    var table: [Entry] = []

    /// No fields.
    init() {}

    /// How many field lines there are.
    public var count: Int { table.count }

    /// Whether there are none.
    public var isEmpty: Bool { table.isEmpty }

    /// The places of the lines, for the functions below.
    public var indices: Range<Int> { 0..<table.count }

    /// The name of the line at `index`, as received.
    public func name(at index: Int) -> String {
        bytes.span.string(table[index].name)
    }

    /// The value of the line at `index`, without blanks around it; bytes that aren't UTF-8 become U+FFFD.
    public func value(at index: Int) -> String {
        bytes.span.string(table[index].value)
    }

    /// Calls `body` with the bytes of the name at `index`.
    public func withName<R, E: Error>(at index: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try body(bytes.span.extracting(table[index].name))
    }

    /// Calls `body` with the bytes of the value at `index`.
    public func withValue<R, E: Error>(at index: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try body(bytes.span.extracting(table[index].value))
    }

    /// The first line at or after `start` of this name, without regard to case; nil if there is none.
    public func firstIndex(of name: String, from start: Int = 0) -> Int? {
        let wanted = name.utf8.span
        let all = bytes.span
        var index = start
        while index < table.count {
            if all.extracting(table[index].name).equalsIgnoringCase(wanted) { return index }
            index += 1
        }
        return nil
    }

    /// The values of all lines of this name, joined with `, ` (RFC 9110 §5.3); nil if there is none.
    public subscript(name: String) -> String? {
        guard var index = firstIndex(of: name) else { return nil }
        var joined = value(at: index)
        while let next = firstIndex(of: name, from: index + 1) {
            joined += ", " + value(at: next)
            index = next
        }
        return joined
    }

    /// Forgets all lines; keeps storage up to about a kilobyte.
    mutating func reset() {
        if bytes.capacity > 1024 { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
        if table.capacity > 24 { table = [] } else { table.removeAll(keepingCapacity: true) }
    }
}
