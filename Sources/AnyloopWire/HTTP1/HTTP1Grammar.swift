/// Small grammars that several parts of HTTP/1 share.
enum HTTP1Grammar {
    /// Where the quoted-string (RFC 9110 §5.6.4) that begins at `start` ends; nil if none does.
    static func endOfQuotedString(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        guard start < end, bytes[start] == ASCII.quote else { return nil }
        var index = start + 1
        while index < end {
            let byte = bytes[index]
            if byte == ASCII.quote { return index + 1 }
            if byte == ASCII.backslash {
                index += 1
                guard index < end, isText(bytes[index]) else { return nil }
            } else if !isText(byte) {
                return nil
            }
            index += 1
        }
        return nil
    }

    /// Where the token or quoted-string that begins at `start` ends; nil if none does.
    static func endOfTokenOrQuotedString(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        guard start < end else { return nil }
        if bytes[start] == ASCII.quote { return endOfQuotedString(bytes, from: start, to: end) }
        let index = bytes.first(notIn: .token, from: start, to: end)
        return index > start ? index : nil
    }

    /// Whether `byte` may stand in a field value: tab, space, visible ASCII, or from 0x80 (RFC 9110 §5.5).
    @inline(__always)
    static func isText(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F || byte == ASCII.tab
    }
}

extension HTTP1Grammar {
    /// The number that `range` is, digits alone; nil if it isn't one or is past 63 bits.
    static func decimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        var value = 0
        for index in range {
            guard ASCII.isDigit(bytes[index]) else { return nil }
            let (tenfold, isPast) = value.multipliedReportingOverflow(by: 10)
            let (sum, isPastToo) = tenfold.addingReportingOverflow(Int(bytes[index] - ASCII.zero))
            guard !isPast, !isPastToo else { return nil }
            value = sum
        }
        return value
    }

    /// The name of the transfer coding in `range` (RFC 9112 §7); nil if it isn't `token *( OWS ";" OWS name=value )`.
    static func transferCoding(_ bytes: Span<UInt8>, _ range: Range<Int>) -> (Range<Int>, hasParameters: Bool)? {
        let end = range.upperBound
        let nameEnd = bytes.first(notIn: .token, from: range.lowerBound, to: end)
        guard nameEnd > range.lowerBound else { return nil }
        var index = nameEnd
        while index < end {
            index = bytes.trimmed(index..<end).lowerBound
            guard index < end, bytes[index] == ASCII.semicolon else { return nil }
            index = bytes.trimmed(index + 1..<end).lowerBound
            let name = index
            index = bytes.first(notIn: .token, from: name, to: end)
            guard index > name else { return nil }
            index = bytes.trimmed(index..<end).lowerBound
            guard index < end, bytes[index] == UInt8(ascii: "=") else { return nil }
            index = bytes.trimmed(index + 1..<end).lowerBound
            guard let after = endOfTokenOrQuotedString(bytes, from: index, to: end) else { return nil }
            index = after
        }
        return (range.lowerBound..<nameEnd, nameEnd < end)
    }
}

/// The elements of a comma-separated list (RFC 9110 §5.6.1), as places; empty ones are skipped, quotes respected.
struct HTTP1ListReader {
    private var index: Int
    private let end: Int

    /// A reader of the list in `range`.
    init(_ range: Range<Int>) {
        index = range.lowerBound
        end = range.upperBound
    }

    /// The next element without blanks around it; nil at the end.
    mutating func next(_ bytes: Span<UInt8>) -> Range<Int>? {
        while index < end {
            let start = index
            while index < end, bytes[index] != ASCII.comma {
                if bytes[index] == ASCII.quote,
                    let after = HTTP1Grammar.endOfQuotedString(bytes, from: index, to: end)
                {
                    index = after
                } else {
                    index += 1
                }
            }
            let item = bytes.trimmed(start..<index)
            index = min(index + 1, end)
            if !item.isEmpty { return item }
        }
        return nil
    }
}
