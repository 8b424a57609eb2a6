/// One part that a Range field asks for (RFC 9110 §14.1.2).
public enum HTTP1ByteRange: Sendable, Equatable {
    /// From the first byte named to the last one, both included.
    case closed(Int, Int)
    /// From this byte to the end.
    case from(Int)
    /// The last so many bytes.
    case suffix(Int)

    /// The bytes of a representation of `length` bytes that are meant; nil if there are none (416).
    public func resolved(length: Int) -> Range<Int>? {
        switch self {
        case .closed(let first, let last):
            first < length ? first..<min(last, length - 1) + 1 : nil
        case .from(let first):
            first < length ? first..<length : nil
        case .suffix(let count):
            count > 0 && length > 0 ? max(length - count, 0)..<length : nil
        }
    }
}

/// Reading Range and writing Content-Range.
public enum HTTP1Range {
    /// The most parts that `parse` takes; a field with more is treated as malformed (RFC 9110 §14.2).
    public static let partLimit = 16

    /// The parts of a Range field's value; nil if its unit isn't bytes or it is malformed, so that it is ignored.
    ///
    /// Numbers past 63 bits count as the greatest one.
    public static func parse(_ value: String) -> [HTTP1ByteRange]? {
        let bytes = value.utf8.span
        let unitEnd = bytes.first(UInt8(ascii: "="), from: 0, to: bytes.count)
        guard unitEnd < bytes.count, bytes.extracting(0..<unitEnd).isName("bytes") else { return nil }
        var list = HTTP1ListReader(unitEnd + 1..<bytes.count)
        var parts: [HTTP1ByteRange] = []
        while let item = list.next(bytes) {
            guard parts.count < partLimit, let part = part(bytes, item) else { return nil }
            parts.append(part)
        }
        return parts.isEmpty ? nil : parts
    }

    /// The value of Content-Range for `range` of a representation of `length` bytes (RFC 9110 §14.4).
    public static func contentRange(_ range: Range<Int>, length: Int) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)"
    }

    /// The value of Content-Range in a 416 response (RFC 9110 §15.5.17).
    public static func unsatisfied(length: Int) -> String {
        "bytes */\(length)"
    }

    private static func part(_ bytes: Span<UInt8>, _ item: Range<Int>) -> HTTP1ByteRange? {
        let dash = bytes.first(UInt8(ascii: "-"), from: item.lowerBound, to: item.upperBound)
        guard dash < item.upperBound else { return nil }
        let last = dash + 1 < item.upperBound ? number(bytes, dash + 1..<item.upperBound) : nil
        if dash == item.lowerBound { return last.map { .suffix($0) } }
        guard let first = number(bytes, item.lowerBound..<dash) else { return nil }
        if dash + 1 == item.upperBound { return .from(first) }
        guard let last, last >= first else { return nil }
        return .closed(first, last)
    }

    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        for index in range where !ASCII.isDigit(bytes[index]) { return nil }
        return range.isEmpty ? nil : HTTP1Grammar.decimal(bytes, range) ?? Int.max
    }
}
