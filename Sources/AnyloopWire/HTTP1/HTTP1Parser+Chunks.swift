extension HTTP1Parser {
    /// Digits of a chunk size at most: those of 64 bits.
    static var chunkSizeDigits: Int { 16 }

    /// Reads a chunk's size line; false if it isn't complete yet.
    mutating func readChunkLine(
        _ input: Span<UInt8>, at position: inout Int, origin: Int
    ) throws(HTTP1Error) -> Bool {
        // A longer line has either too many digits or too long an extension.
        let longest = Self.chunkSizeDigits + limits.chunkExtension + 2
        if partial.isEmpty { sectionStart = origin + position }
        let end = min(input.count, position + longest - partial.count)
        let lineFeed = input.first(ASCII.lineFeed, from: position, to: end)
        let isComplete = lineFeed < end
        let lineEnd = isComplete ? lineFeed + 1 : end
        if partial.isEmpty, isComplete {
            let start = position
            position = lineEnd
            try parseChunkLine(input.extracting(start..<lineEnd), isComplete: true)
            return true
        }
        partial.append(input.extracting(position..<lineEnd))
        position = lineEnd
        guard isComplete || partial.count >= longest else { return false }
        var line: [UInt8] = []
        swap(&line, &partial)
        try parseChunkLine(line.span, isComplete: isComplete)
        line.removeAll(keepingCapacity: true)
        swap(&line, &partial)
        return true
    }

    /// Sets `remaining` from a size line with its line end, or throws over what is the leftmost fault of it.
    mutating func parseChunkLine(_ line: Span<UInt8>, isComplete: Bool) throws(HTTP1Error) {
        var end = line.count
        if isComplete {
            end -= 1
            if end > 0, line[end - 1] == ASCII.carriageReturn {
                end -= 1
            } else if !leniency.contains(.bareLF) {
                throw fail(.bareLF, at: sectionStart + end)
            }
        }
        var size: UInt64 = 0
        var index = 0
        while index < end, let digit = ASCII.hexValue(line[index]) {
            guard index < Self.chunkSizeDigits else {
                throw fail(.chunkSizeOverflow, in: sectionStart..<sectionStart + index + 1)
            }
            size = size << 4 | UInt64(digit)
            index += 1
        }
        guard index > 0 else { throw fault(.badChunkSize, line, 0) }
        guard let count = Int(exactly: size) else {
            throw fail(.chunkSizeOverflow, in: sectionStart..<sectionStart + index)
        }
        if index < end { try parseChunkExtensions(line, from: index, to: end, isComplete: isComplete) }
        let (total, overflow) = bodyBytes.addingReportingOverflow(count)
        guard !overflow else { throw fail(.chunkSizeOverflow, in: sectionStart..<sectionStart + index) }
        guard total <= limits.bodySize else {
            throw fail(.bodyTooLarge, in: sectionStart..<sectionStart + index)
        }
        bodyBytes = total
        remaining = count
    }

    /// Checks `*( BWS ";" BWS name [ BWS "=" BWS value ] )` (RFC 9112 §7.1.1) and its limits.
    private mutating func parseChunkExtensions(
        _ line: Span<UInt8>, from start: Int, to end: Int, isComplete: Bool
    ) throws(HTTP1Error) {
        var index = skipBlanks(line, from: start, to: end)
        guard index < end, line[index] == ASCII.semicolon else {
            throw fault(.badChunkSize, line, index)
        }
        guard end - start <= limits.chunkExtension, isComplete else {
            throw fail(.chunkExtensionTooLong, at: sectionStart + start + limits.chunkExtension)
        }
        extensionBytes += end - start
        guard extensionBytes <= limits.chunkExtensionTotal else {
            throw fail(.chunkExtensionTooLong, in: sectionStart + start..<sectionStart + end)
        }
        while index < end {
            guard line[index] == ASCII.semicolon else { throw fault(.badChunkExtension, line, index) }
            let name = skipBlanks(line, from: index + 1, to: end)
            index = line.first(notIn: .token, from: name, to: end)
            guard index > name else { throw fault(.badChunkExtension, line, index) }
            var next = skipBlanks(line, from: index, to: end)
            if next < end, line[next] == UInt8(ascii: "=") {
                let value = skipBlanks(line, from: next + 1, to: end)
                guard let after = HTTP1Grammar.endOfTokenOrQuotedString(line, from: value, to: end) else {
                    throw fault(.badChunkExtension, line, value)
                }
                index = after
                next = skipBlanks(line, from: index, to: end)
            }
            guard next < end || next == index else { throw fault(.badChunkExtension, line, index) }
            index = next
        }
    }

    /// The error for the byte at `index` of a size line: `code`, or bare-cr if it is a CR.
    private mutating func fault(_ code: HTTP1ErrorCode, _ line: Span<UInt8>, _ index: Int) -> HTTP1Error {
        let isCR = index < line.count - 1 && line[index] == ASCII.carriageReturn && line[index + 1] != ASCII.lineFeed
        return fail(isCR ? .bareCR : code, at: sectionStart + index)
    }

    private func skipBlanks(_ line: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, ASCII.isBlank(line[index]) { index += 1 }
        return index
    }
}
