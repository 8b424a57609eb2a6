extension HTTP1Parser {
    /// Reads the complete and faultless lines of a head from `start` on, and gives the place of the first other one.
    ///
    /// One pass over token, colon, value and CRLF, by blocks; what it can't take is left to `readFieldLine`, which
    /// takes the same lines and names the faults of the others. Sets `sectionDone` when it read the empty line.
    mutating func readCommonLines(_ bytes: Span<UInt8>, from start: Int, base: Int) throws(LineFault) -> Int {
        let count = bytes.count
        let sectionEnd = min(count, base &+ limits.headSize)
        let lineLimit = limits.fieldLine
        let room = limits.fieldCount
        // Entries go to the table in batches, since each change of an array asks whether it is shared.
        var batch = HTTP1FieldBatch()
        var known = head.fields.entryCount
        var line = start
        while true {
            var colon = bytes.skipLetters(and: UInt8(ascii: "-"), UInt8(ascii: "-"), from: line)
            guard colon < count else { break }
            if bytes.byte(at: colon) != ASCII.colon {
                colon = bytes.first(notIn: .token, from: colon, to: count)
                guard colon < count, bytes.byte(at: colon) == ASCII.colon else { break }
            }
            var value = colon &+ 1
            while value < count, ASCII.isBlank(bytes.byte(at: value)) { value &+= 1 }
            let end = bytes.firstControl(from: value)
            guard end &+ 2 <= sectionEnd, bytes.byte(at: end) == ASCII.carriageReturn,
                bytes.byte(at: end &+ 1) == ASCII.lineFeed, end &- line <= lineLimit, known < room, colon > line
            else { break }
            var valueEnd = end
            while valueEnd > value, ASCII.isBlank(bytes.byte(at: valueEnd &- 1)) { valueEnd &-= 1 }
            batch.append(HTTP1Fields.Entry(name: line, colon, value: value, valueEnd, base: base), to: &head.fields)
            if HTTP1FieldName.mayMatter(length: colon &- line, first: bytes.byte(at: line)) {
                try note(bytes, name: line, colon, value: value, valueEnd, base: base, index: known)
            }
            known &+= 1
            line = end &+ 2
        }
        batch.flush(to: &head.fields)
        if line &+ 2 <= sectionEnd, bytes.byte(at: line) == ASCII.carriageReturn,
            bytes.byte(at: line &+ 1) == ASCII.lineFeed
        {
            sectionDone = true
            line &+= 2
        }
        return line
    }
}

/// A few entries on the stack, on their way to a table.
private struct HTTP1FieldBatch: ~Copyable {
    private var entries = InlineArray<8, HTTP1Fields.Entry>(repeating: HTTP1Fields.Entry())
    private var count = 0

    @inline(__always)
    mutating func append(_ entry: HTTP1Fields.Entry, to fields: inout HTTP1Fields) {
        if count == entries.count { flush(to: &fields) }
        entries[count] = entry
        count &+= 1
    }

    mutating func flush(to fields: inout HTTP1Fields) {
        fields.append(entries.span.extracting(0..<count))
        count = 0
    }
}
