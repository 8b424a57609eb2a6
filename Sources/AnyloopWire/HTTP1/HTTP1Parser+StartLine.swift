extension HTTP1Parser {
    /// Reads `method SP target SP version` (RFC 9112 §3); nil if the line isn't complete.
    mutating func readRequestLine(_ bytes: Span<UInt8>, _ line: Int, _ base: Int) throws(LineFault) -> Int? {
        if let next = readCommonRequestLine(bytes, line, base) { return next }
        guard let (end, next) = try lineEnd(bytes, line, base) else { return nil }
        try checkStartLine(bytes, line, end)
        let methodEnd = bytes.first(ASCII.space, from: line, to: end)
        let targetEnd = bytes.first(ASCII.space, from: min(methodEnd + 1, end), to: end)
        guard methodEnd > line, targetEnd > methodEnd + 1, targetEnd + 1 < end,
            bytes.first(ASCII.space, from: targetEnd + 1, to: end) == end
        else { throw LineFault(.badRequestLine, line, end) }
        let badMethod = bytes.first(notIn: .token, from: line, to: methodEnd)
        guard badMethod == methodEnd else { throw LineFault(.badMethod, badMethod, badMethod + 1) }
        head.method = HTTP1Method(bytes.extracting(line..<methodEnd))
        head.methodRange = HTTP1Extent(line - base, methodEnd - base)
        head.targetRange = HTTP1Extent(methodEnd + 1 - base, targetEnd - base)
        // A target of another major version follows rules that aren't known here.
        if let major = majorVersion(bytes, targetEnd + 1, end), major != UInt8(ascii: "1") {
            throw LineFault(.unsupportedVersion, targetEnd + 1, end)
        }
        guard head.noteTarget(bytes, methodEnd + 1..<targetEnd, base, leniency.contains(.unencodedTarget)) else {
            throw LineFault(.badTarget, methodEnd + 1, targetEnd)
        }
        try noteVersion(bytes, targetEnd + 1, end)
        return next
    }

    /// Reads a complete and faultless line in origin form, in one pass; nil for any other.
    private mutating func readCommonRequestLine(_ bytes: Span<UInt8>, _ line: Int, _ base: Int) -> Int? {
        // The shortest line there is.
        guard bytes.count &- line >= 16 else { return nil }
        let target: Int
        let word = bytes.word(at: line)
        if UInt32(truncatingIfNeeded: word) == 0x2054_4547 {
            head.method = .get
            target = line &+ 4
        } else if word & 0xFF_FFFF_FFFF == 0x20_5453_4F50 {
            head.method = .post
            target = line &+ 5
        } else {
            let end = bytes.first(notIn: .token, from: line, to: bytes.count)
            guard end < bytes.count &- 1, end > line, bytes.byte(at: end) == ASCII.space else { return nil }
            head.method = HTTP1Method(bytes.extracting(line..<end))
            target = end &+ 1
        }
        guard head.method != .connect, bytes.byte(at: target) == ASCII.slash else { return nil }
        let targetEnd = head.notePath(bytes, target, bytes.count, base, leniency.contains(.unencodedTarget))
        let end = targetEnd &+ 9
        guard end &+ 2 <= bytes.count, bytes.byte(at: targetEnd) == ASCII.space else { return nil }
        // `HTTP/1.1` or `HTTP/1.0`.
        let version = bytes.word(at: targetEnd &+ 1)
        guard version | 0x0100_0000_0000_0000 == 0x312E_312F_5054_5448,
            bytes.byte(at: end) == ASCII.carriageReturn, bytes.byte(at: end &+ 1) == ASCII.lineFeed,
            end &- line <= limits.requestLine, end &+ 2 &- base <= limits.headSize
        else { return nil }
        head.version = HTTP1Version(minor: UInt8(truncatingIfNeeded: version >> 56) & 1)
        head.methodRange = HTTP1Extent(line &- base, target &- 1 &- base)
        head.targetRange = HTTP1Extent(target &- base, targetEnd &- base)
        head.targetForm = .origin
        return end &+ 2
    }

    /// Reads `version SP 3DIGIT SP [reason]` (RFC 9112 §4); nil if the line isn't complete.
    mutating func readStatusLine(_ bytes: Span<UInt8>, _ line: Int, _ base: Int) throws(LineFault) -> Int? {
        guard let (end, next) = try lineEnd(bytes, line, base) else { return nil }
        try checkStartLine(bytes, line, end)
        let versionEnd = bytes.first(ASCII.space, from: line, to: end)
        guard versionEnd > line, versionEnd + 4 <= end else { throw LineFault(.badStatusLine, line, end) }
        guard bytes.extracting(line..<min(line + 5, end)).isName("http/") else {
            throw LineFault(.badStatusLine, line, end)
        }
        try noteVersion(bytes, line, versionEnd)
        var status = 0
        for index in versionEnd + 1..<versionEnd + 4 {
            guard ASCII.isDigit(bytes[index]) else { throw LineFault(.badStatusLine, index, index + 1) }
            status = status * 10 + Int(bytes[index] - ASCII.zero)
        }
        let reason = versionEnd + 5
        guard status >= 100, reason <= end && bytes[reason - 1] == ASCII.space || reason - 1 == end && allowsNoReason
        else {
            throw LineFault(.badStatusLine, versionEnd + 1, end)
        }
        let control = bytes.extracting(0..<end).firstControl(from: min(reason, end))
        guard control == end else { throw LineFault(.badStatusLine, control, control + 1) }
        head.status = status
        head.reasonRange = HTTP1Extent(min(reason, end) - base, end - base)
        head.method = methods[nextMethod]
        return next
    }

    private var allowsNoReason: Bool { leniency.contains(.missingReasonSpace) }

    /// Throws over a NUL or CR in a start line.
    private func checkStartLine(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(LineFault) {
        let line = bytes.extracting(0..<end)
        var index = start
        while true {
            index = line.firstControl(from: index)
            guard index < end else { return }
            if line[index] == 0 { throw LineFault(.nul, index, index + 1) }
            if line[index] == ASCII.carriageReturn { throw LineFault(.bareCR, index, index + 1) }
            index += 1
        }
    }

    /// Takes the version in `start..<end`, which is `HTTP/` digit `.` digit (RFC 9112 §2.3).
    private mutating func noteVersion(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(LineFault) {
        guard let major = majorVersion(bytes, start, end) else { throw LineFault(.badVersion, start, end) }
        guard major == UInt8(ascii: "1") else { throw LineFault(.unsupportedVersion, start, end) }
        head.version = HTTP1Version(minor: bytes[start + 7] - ASCII.zero)
    }

    /// The digit before the dot of the version in `start..<end`; nil if that isn't one.
    private func majorVersion(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt8? {
        guard end - start == 8, bytes.extracting(start..<start + 5).equals("HTTP/"),
            ASCII.isDigit(bytes[start + 5]), bytes[start + 6] == UInt8(ascii: "."), ASCII.isDigit(bytes[start + 7])
        else { return nil }
        return bytes[start + 5]
    }
}
