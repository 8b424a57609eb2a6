/// `uri-host [":" port]` (RFC 9110 §4.2.1, RFC 3986 §3.2), as places in the bytes it was read from.
struct HTTP1Authority {
    /// The host; an IP literal with its brackets.
    let host: Range<Int>
    /// The port's number; nil if there is none, or none after the colon.
    let port: Int?

    /// The authority in `range`; nil if it is malformed, has user information, or a port past 65535.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let start = range.lowerBound
        let end = range.upperBound
        var hostEnd = start
        if start < end, bytes[start] == UInt8(ascii: "[") {
            let close = bytes.first(UInt8(ascii: "]"), from: start, to: end)
            guard close < end, Self.isIPLiteral(bytes, start + 1..<close) else { return nil }
            hostEnd = close + 1
        } else {
            hostEnd = min(bytes.skipLetters(and: UInt8(ascii: "-"), UInt8(ascii: "."), from: start), end)
            while hostEnd < end {
                if bytes[hostEnd] == UInt8(ascii: "%") {
                    guard hostEnd + 2 < end, ASCII.hexValue(bytes[hostEnd + 1]) != nil,
                        ASCII.hexValue(bytes[hostEnd + 2]) != nil
                    else { return nil }
                    hostEnd += 3
                } else if ByteClass.regName.contains(bytes[hostEnd]) {
                    hostEnd += 1
                } else {
                    break
                }
            }
        }
        host = start..<hostEnd
        guard hostEnd < end else {
            port = nil
            return
        }
        guard bytes[hostEnd] == ASCII.colon, hostEnd > start else { return nil }
        var number = 0
        for index in hostEnd + 1..<end {
            guard ASCII.isDigit(bytes[index]) else { return nil }
            number = number * 10 + Int(bytes[index] - ASCII.zero)
            guard number <= 65535 else { return nil }
        }
        port = hostEnd + 1 < end ? number : nil
    }

    /// Whether `range` may stand between the brackets of an IP literal (RFC 3986 §3.2.2).
    private static func isIPLiteral(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let first = range.first else { return false }
        if bytes[first] | 0x20 == UInt8(ascii: "v") {
            var dot = first + 1
            while dot < range.upperBound, ASCII.hexValue(bytes[dot]) != nil { dot += 1 }
            return dot > first + 1 && dot + 1 < range.upperBound && bytes[dot] == UInt8(ascii: ".")
                && bytes.first(notIn: .ipLiteral, from: dot + 1, to: range.upperBound) == range.upperBound
        }
        return isIPv6(bytes, range)
    }

    /// Whether `range` is an `IPv6address`.
    private static func isIPv6(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let end = range.upperBound
        var index = range.lowerBound
        var groups = 0
        var hasGap = false
        while index < end {
            if bytes[index] == ASCII.colon {
                // `::`, once; a single colon never begins or ends the address.
                guard index + 1 < end, bytes[index + 1] == ASCII.colon, !hasGap else { return false }
                hasGap = true
                index += 2
                if index == end { break }
            }
            let group = index
            while index < end, index - group < 4, ASCII.hexValue(bytes[index]) != nil { index += 1 }
            guard index > group else { return false }
            if index < end, bytes[index] == UInt8(ascii: ".") {
                guard isIPv4(bytes, group..<end) else { return false }
                groups += 2
                index = end
                break
            }
            groups += 1
            guard index < end else { break }
            guard bytes[index] == ASCII.colon else { return false }
            // The colon between two groups; the first of a `::` stays for the next round.
            if index + 1 < end, bytes[index + 1] != ASCII.colon { index += 1 } else if index + 1 == end { return false }
        }
        return hasGap ? groups <= 7 : groups == 8
    }

    /// Whether `range` is an `IPv4address`: four decimal octets without leading zeros.
    private static func isIPv4(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var octets = 0
        var index = range.lowerBound
        while true {
            let start = index
            var value = 0
            while index < range.upperBound, index - start < 3, ASCII.isDigit(bytes[index]) {
                value = value * 10 + Int(bytes[index] - ASCII.zero)
                index += 1
            }
            guard index > start, value <= 255, index - start == 1 || bytes[start] != ASCII.zero else { return false }
            octets += 1
            if index == range.upperBound { return octets == 4 }
            guard bytes[index] == UInt8(ascii: "."), octets < 4 else { return false }
            index += 1
        }
    }
}
