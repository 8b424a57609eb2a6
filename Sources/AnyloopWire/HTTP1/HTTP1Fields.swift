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

        /// An empty entry.
        @inline(__always)
        init() {
            nameStart = 0
            nameEnd = 0
            valueStart = 0
            valueEnd = 0
        }

        /// The entry of a line whose parts are at these places, where the section begins at `base`.
        @inline(__always)
        init(name: Int, _ nameEnd: Int, value: Int, _ valueEnd: Int, base: Int) {
            nameStart = UInt32(truncatingIfNeeded: name &- base)
            self.nameEnd = UInt32(truncatingIfNeeded: nameEnd &- base)
            valueStart = UInt32(truncatingIfNeeded: value &- base)
            self.valueEnd = UInt32(truncatingIfNeeded: valueEnd &- base)
        }

        var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    // Both arrays are as long as their storage and are written in place: an array's own appending and emptying
    // costs a tenth of the time a head takes.

    /// Storage of all bytes that the table points into; of a head, the start line too.
    private var storage: [UInt8] = []
    /// How many bytes of the storage are in use.
    private(set) var byteCount = 0
    private var table: [Entry] = []
    /// How many entries of the table are in use; more than `count` while the section is being read.
    private(set) var entryCount = 0

    /// No fields.
    init() {}

    /// How many field lines there are.
    public private(set) var count = 0

    /// Whether there are none.
    public var isEmpty: Bool { count == 0 }

    /// The places of the lines, for the functions below.
    public var indices: Range<Int> { 0..<count }

    /// The name of the line at `index`, as received.
    public func name(at index: Int) -> String {
        string(table[index].name)
    }

    /// The value of the line at `index`, without blanks around it; bytes that aren't UTF-8 become U+FFFD.
    public func value(at index: Int) -> String {
        string(table[index].value)
    }

    /// Calls `body` with the bytes of the name at `index`.
    public func withName<R, E: Error>(at index: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try withBytes(table[index].name, body)
    }

    /// Calls `body` with the bytes of the value at `index`.
    public func withValue<R, E: Error>(at index: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try withBytes(table[index].value, body)
    }

    /// The first line at or after `start` of this name, without regard to case; nil if there is none.
    public func firstIndex(of name: String, from start: Int = 0) -> Int? {
        let wanted = name.utf8.span
        let all = storage.span
        var index = start
        while index < count {
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

    /// Calls `body` with the bytes of `range`, or as much of it as there is.
    func withBytes<R, E: Error>(_ range: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try body(storage.span.extracting(range.clamped(to: 0..<byteCount)))
    }

    /// The bytes of `range` as text, or of as much of it as there is.
    func string(_ range: Range<Int>) -> String {
        storage.span.string(range.clamped(to: 0..<byteCount))
    }
}

/// Building a section.
extension HTTP1Fields {
    /// The entry at `index`, complete or not.
    func entry(at index: Int) -> Entry { table[index] }

    /// Adds `entries` to the table; they count once `keep` was called.
    mutating func append(_ entries: Span<Entry>) {
        let start = entryCount
        let end = start + entries.count
        if table.count < end {
            let more = max(end, 16, 2 * table.count) - table.count
            table.append(contentsOf: repeatElement(Entry(), count: more))
        }
        var places = table.mutableSpan
        for index in entries.indices { places[start + index] = entries[index] }
        entryCount = end
    }

    /// Makes the last entry's value reach to `end`; one that was empty begins at `start`.
    mutating func extendLast(_ start: UInt32, _ end: UInt32) {
        let last = entryCount - 1
        if table[last].valueStart == table[last].valueEnd { table[last].valueStart = start }
        table[last].valueEnd = end
    }

    /// Takes a copy of the section's bytes, which completes it.
    mutating func keep(_ bytes: Span<UInt8>) {
        if storage.count < bytes.count { storage = [UInt8](repeating: 0, count: max(bytes.count, 512)) }
        unsafe bytes.withUnsafeBytes { source in
            unsafe storage.withUnsafeMutableBytes { target in unsafe target.copyMemory(from: source) }
        }
        byteCount = bytes.count
        count = entryCount
    }

    /// Forgets all lines; keeps storage up to about a kilobyte.
    @inline(__always)
    mutating func reset() {
        byteCount = 0
        entryCount = 0
        count = 0
        if storage.count > 1024 { storage = [] }
        if table.count > 24 { table = [] }
    }
}
