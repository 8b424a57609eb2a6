extension HTTP1Head {
    /// Notes the parts of the target in `range`; false if it is none of the forms of RFC 9112 §3.2.
    ///
    /// An absolute form needs `://`, so that `host:port` isn't taken for a scheme; http and https need a host and
    /// may not have user information (RFC 9110 §4.2).
    mutating func noteTarget(_ bytes: Span<UInt8>, _ range: Range<Int>, _ base: Int, _ unencoded: Bool) -> Bool {
        let start = range.lowerBound
        let end = range.upperBound
        pathRange = HTTP1Extent()
        queryRange = nil
        if method == .connect {
            targetForm = .authority
            authorityRange = HTTP1Extent(start - base, end - base)
            guard let authority = HTTP1Authority(bytes, range), !authority.host.isEmpty else { return false }
            return (authority.port ?? 0) > 0
        }
        if bytes[start] == ASCII.slash {
            targetForm = .origin
            return notePath(bytes, start, end, base, unencoded) == end
        }
        if end - start == 1, bytes[start] == UInt8(ascii: "*") {
            targetForm = .asterisk
            return method == .options
        }
        targetForm = .absolute
        let schemeEnd = bytes.first(notIn: .scheme, from: start, to: end)
        guard ASCII.isLetter(bytes[start]), schemeEnd + 3 <= end,
            bytes.extracting(schemeEnd..<schemeEnd + 3).equals("://")
        else { return false }
        let authority = schemeEnd + 3
        var path = authority
        while path < end, bytes[path] != ASCII.slash, bytes[path] != UInt8(ascii: "?") { path += 1 }
        authorityRange = HTTP1Extent(authority - base, path - base)
        guard let parts = HTTP1Authority(bytes, authority..<path), !parts.host.isEmpty else { return false }
        return notePath(bytes, path, end, base, unencoded) == end
    }

    /// Notes the path and query that begin at `start`, and gives where they end: at `end`, or at a byte that may not
    /// stand in them.
    mutating func notePath(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ base: Int, _ unencoded: Bool
    ) -> Int {
        queryRange = nil
        let pathEnd = Self.endOfEncoded(bytes, start, end, unencoded ? .visiblePath : .path)
        pathRange = HTTP1Extent(start - base, pathEnd - base)
        guard pathEnd < end, bytes[pathEnd] == UInt8(ascii: "?") else { return pathEnd }
        let queryEnd = Self.endOfEncoded(bytes, pathEnd + 1, end, unencoded ? .visible : .query)
        queryRange = HTTP1Extent(pathEnd + 1 - base, queryEnd - base)
        return queryEnd
    }

    /// The first byte of `start..<end` that is neither in `set` nor `%` with two hexadecimal digits.
    private static func endOfEncoded(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ set: ByteClass
    ) -> Int {
        var index = start
        while true {
            // Letters and `&` to `;` are in both sets.
            index = min(bytes.skipLetters(and: UInt8(ascii: "&"), ASCII.semicolon, from: index), end)
            if index < end, set.contains(bytes[index]) {
                index += 1
                continue
            }
            guard index < end, bytes[index] == UInt8(ascii: "%") else { return index }
            guard index + 2 < end, ASCII.hexValue(bytes[index + 1]) != nil, ASCII.hexValue(bytes[index + 2]) != nil
            else { return index }
            index += 3
        }
    }
}
