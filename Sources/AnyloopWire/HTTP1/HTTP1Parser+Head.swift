extension HTTP1Parser {
    /// Reads on in the head; true once its empty line was read.
    ///
    /// A head that is complete in `input` is parsed where it is and copied once; else what came is kept.
    mutating func readHead(
        _ input: Span<UInt8>, at position: inout Int, origin: Int
    ) throws(HTTP1Error) -> Bool {
        if partial.isEmpty {
            sectionStart = origin + position
            if !leniency.contains(.obsFold) {
                let start = position
                do throws(LineFault) {
                    let next = try readLines(input, from: start, base: start)
                    lineStart = next - start
                    position = sectionDone ? next : input.count
                } catch {
                    throw fail(error, start)
                }
                let part = input.extracting(start..<position)
                if sectionDone { head.fields.keep(part) } else { partial.append(part) }
                return sectionDone
            }
        }
        guard try readPartialLines(input, at: &position) else { return false }
        var kept: [UInt8] = []
        swap(&kept, &partial)
        head.fields.keep(kept.span)
        return true
    }

    /// Reads on in the trailer section; true once its empty line was read.
    mutating func readTrailers(
        _ input: Span<UInt8>, at position: inout Int, origin: Int
    ) throws(HTTP1Error) -> Bool {
        if partial.isEmpty {
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
        guard try readPartialLines(input, at: &position) else { return false }
        var kept: [UInt8] = []
        swap(&kept, &partial)
        trailers.keep(kept.span)
        return true
    }

    /// Takes line by line from `input` into `partial`, and parses each line once it is whole.
    private mutating func readPartialLines(
        _ input: Span<UInt8>, at position: inout Int
    ) throws(HTTP1Error) -> Bool {
        var kept: [UInt8] = []
        swap(&kept, &partial)
        defer { swap(&kept, &partial) }
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
        while true {
            if !inTrailers, !leniency.contains(.obsFold) {
                line = try readCommonLines(bytes, from: line, base: base)
                if sectionDone { return line }
            }
            guard let next = try readFieldLine(bytes, line, base) else { return line }
            line = next
            if sectionDone { return line }
        }
    }

    /// Whether the lines being read are those of the trailer section.
    var inTrailers: Bool { state == .trailers }

    private var sectionLimit: Int { inTrailers ? limits.trailerSize : limits.headSize }

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
    mutating func addField(
        _ bytes: Span<UInt8>, name: Int, _ nameEnd: Int, value: Int, _ valueEnd: Int, base: Int
    ) throws(LineFault) {
        let entry = HTTP1Fields.Entry(name: name, nameEnd, value: value, valueEnd, base: base)
        let entries = CollectionOfOne(entry)
        if inTrailers {
            trailers.append(entries.span)
            guard !HTTP1FieldName.isForbiddenInTrailers(bytes.extracting(name..<nameEnd)) else {
                throw LineFault(.forbiddenTrailer, name, nameEnd)
            }
            return
        }
        head.fields.append(entries.span)
        // Where lines may be folded, a value is complete only when the next line has begun.
        if leniency.contains(.obsFold) { return }
        let index = head.fields.entryCount - 1
        try note(bytes, name: name, nameEnd, value: value, valueEnd, base: base, index: index)
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
