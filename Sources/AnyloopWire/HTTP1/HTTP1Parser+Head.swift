extension HTTP1Parser {
    /// Reads on in the head; true once its empty line was read.
    ///
    /// A head that is complete in `input` is parsed where it is and copied once; else what came is kept.
    mutating func readHead(
        _ input: Span<UInt8>, at position: inout Int, origin: Int
    ) throws(HTTP1Error) -> Bool {
        if head.fields.bytes.isEmpty {
            sectionStart = origin + position
            if !leniency.contains(.obsFold) {
                let next: Int
                do throws(LineFault) {
                    next = try readLines(input, from: position, base: position)
                } catch {
                    throw fail(error, position)
                }
                let end = sectionDone ? next : input.count
                head.fields.bytes.append(input.extracting(position..<end))
                lineStart = next - position
                position = end
                return sectionDone
            }
        }
        var kept: [UInt8] = []
        swap(&kept, &head.fields.bytes)
        defer { swap(&kept, &head.fields.bytes) }
        return try readKeptLines(input, at: &position, kept: &kept)
    }

    /// Reads on in the trailer section; true once its empty line was read.
    mutating func readTrailers(
        _ input: Span<UInt8>, at position: inout Int, origin: Int
    ) throws(HTTP1Error) -> Bool {
        if trailers.bytes.isEmpty {
            sectionStart = origin + position
            sectionDone = false
            lineStart = 0
            if position + 1 < input.count, limits.trailerSize >= 2,
                input[position] == ASCII.carriageReturn, input[position + 1] == ASCII.lineFeed
            {
                position += 2
                return true
            }
        }
        var kept: [UInt8] = []
        swap(&kept, &trailers.bytes)
        defer { swap(&kept, &trailers.bytes) }
        return try readKeptLines(input, at: &position, kept: &kept)
    }

    /// Appends to `kept` line by line from `input`, and parses each line once it is whole.
    private mutating func readKeptLines(
        _ input: Span<UInt8>, at position: inout Int, kept: inout [UInt8]
    ) throws(HTTP1Error) -> Bool {
        while position < input.count {
            let window = lineWindow(line: lineStart, base: 0)
            let end = min(input.count, position + max(window - kept.count, 0))
            let lineFeed = input.first(ASCII.lineFeed, from: position, to: end)
            let lineEnd = lineFeed < end ? lineFeed + 1 : end
            kept.append(input.extracting(position..<lineEnd))
            position = lineEnd
            guard lineFeed < end || kept.count >= window else { return false }
            do throws(LineFault) {
                lineStart = try readLines(kept.span, from: lineStart, base: 0)
            } catch {
                throw fail(error, 0)
            }
            if leniency.contains(.obsFold) { unfold(&kept) }
            if sectionDone { return true }
        }
        return false
    }

    /// Parses the lines that are complete in `bytes`, and gives the start of the one that isn't.
    ///
    /// The section begins at `base`. Sets `sectionDone` when it read the empty line.
    mutating func readLines(_ bytes: Span<UInt8>, from start: Int, base: Int) throws(LineFault) -> Int {
        var line = start
        if state == .startLine {
            let next =
                role == .requests ? try readRequestLine(bytes, line, base) : try readStatusLine(bytes, line, base)
            guard let next else { return line }
            line = next
            state = .fields
        }
        let sectionEnd = base + sectionLimit
        while true {
            // The common line, in one pass: token, colon, value, CRLF. All else is read with care below.
            let colon = bytes.first(notIn: .token, from: line, to: bytes.count)
            if colon < bytes.count, bytes.byte(at: colon) == ASCII.colon, colon > line {
                var value = colon &+ 1
                while value < bytes.count, ASCII.isBlank(bytes.byte(at: value)) { value &+= 1 }
                let end = bytes.firstControl(from: value)
                if end &+ 2 <= bytes.count, bytes.byte(at: end) == ASCII.carriageReturn,
                    bytes.byte(at: end &+ 1) == ASCII.lineFeed,
                    end &+ 2 <= sectionEnd, end &- line <= limits.fieldLine, fieldTableCount < limits.fieldCount
                {
                    var valueEnd = end
                    while valueEnd > value, ASCII.isBlank(bytes.byte(at: valueEnd &- 1)) { valueEnd &-= 1 }
                    try addField(bytes, name: line, colon, value: value, valueEnd, base: base)
                    line = end &+ 2
                    continue
                }
            }
            guard let next = try readFieldLine(bytes, line, base) else { return line }
            line = next
            if sectionDone { return line }
        }
    }

    /// Whether the lines being read are those of the trailer section.
    var inTrailers: Bool { state == .trailers }

    private var sectionLimit: Int { inTrailers ? limits.trailerSize : limits.headSize }

    private var fieldTableCount: Int { inTrailers ? trailers.table.count : head.fields.table.count }

    /// Where the line feed of the line at `line` has to be before, in a section that begins at `base`.
    private func lineWindow(line: Int, base: Int) -> Int {
        let lineLimit = state == .startLine ? limits.requestLine : limits.fieldLine
        return min(line + lineLimit + 2, base + sectionLimit)
    }

    /// The line feed of the line at `line`, and the end of its content; nil if the line isn't complete.
    func lineEnd(
        _ bytes: Span<UInt8>, _ line: Int, _ base: Int
    ) throws(LineFault) -> (content: Int, next: Int)? {
        let lineLimit = state == .startLine ? limits.requestLine : limits.fieldLine
        let window = lineWindow(line: line, base: base)
        let end = min(window, bytes.count)
        let lineFeed = bytes.first(ASCII.lineFeed, from: line, to: end)
        let overlong: HTTP1ErrorCode =
            state == .startLine ? (role == .requests ? .requestLineTooLong : .statusLineTooLong) : .headerLineTooLong
        guard lineFeed < end else {
            guard bytes.count >= window else { return nil }
            if window < line + lineLimit + 2 {
                throw LineFault(inTrailers ? .trailersTooLarge : .headTooLarge, window, window + 1)
            }
            throw LineFault(overlong, line + lineLimit, line + lineLimit + 1)
        }
        let hasCR = lineFeed > line && bytes[lineFeed - 1] == ASCII.carriageReturn
        let content = hasCR ? lineFeed - 1 : lineFeed
        guard content - line <= lineLimit else { throw LineFault(overlong, line + lineLimit, line + lineLimit + 1) }
        guard hasCR || leniency.contains(.bareLF) else { throw LineFault(.bareLF, lineFeed, lineFeed + 1) }
        return (content, lineFeed + 1)
    }

    /// The parser's final error for a fault within a section that begins at `base`.
    mutating func fail(_ fault: LineFault, _ base: Int) -> HTTP1Error {
        fail(fault.code, in: sectionStart + fault.start - base..<sectionStart + max(fault.end, fault.start) - base)
    }

    /// Adds a complete field line to the table and notes what it means.
    @inline(__always)
    mutating func addField(
        _ bytes: Span<UInt8>, name: Int, _ nameEnd: Int, value: Int, _ valueEnd: Int, base: Int
    ) throws(LineFault) {
        let entry = HTTP1Fields.Entry(
            nameStart: UInt32(truncatingIfNeeded: name &- base), nameEnd: UInt32(truncatingIfNeeded: nameEnd &- base),
            valueStart: UInt32(truncatingIfNeeded: value &- base),
            valueEnd: UInt32(truncatingIfNeeded: valueEnd &- base))
        if inTrailers {
            trailers.table.append(entry)
            guard !HTTP1FieldName.isForbiddenInTrailers(bytes.extracting(name..<nameEnd)) else {
                throw LineFault(.forbiddenTrailer, name, nameEnd)
            }
            return
        }
        head.fields.table.append(entry)
        // Where lines may be folded, a value is complete only when the next line has begun.
        if leniency.contains(.obsFold) { return }
        try note(bytes, name: name, nameEnd, value: value, valueEnd, base: base)
    }
}

/// What is wrong within a line, in places of the bytes that were parsed.
struct LineFault: Error {
    let code: HTTP1ErrorCode
    let start: Int
    let end: Int

    init(_ code: HTTP1ErrorCode, _ start: Int, _ end: Int) {
        self.code = code
        self.start = start
        self.end = end
    }
}
