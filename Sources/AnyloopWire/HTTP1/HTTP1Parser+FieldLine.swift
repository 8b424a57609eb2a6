extension HTTP1Parser {
    /// The fields of the section that is being read.
    private var sectionFields: HTTP1Fields { inTrailers ? trailers : head.fields }

    /// Reads any field line with care, naming its leftmost fault; nil if it isn't complete.
    mutating func readFieldLine(_ bytes: Span<UInt8>, _ line: Int, _ base: Int) throws(LineFault) -> Int? {
        guard let (end, next) = try lineEnd(bytes, line, base) else { return nil }
        if end == line {
            sectionDone = true
            if leniency.contains(.obsFold), !inTrailers { try noteAll(bytes, base) }
            return next
        }
        if ASCII.isBlank(bytes[line]) {
            try continueField(bytes, line, end, base)
            return next
        }
        guard sectionFields.entryCount < limits.fieldCount else {
            throw LineFault(.tooManyHeaders, line, end)
        }
        let (nameEnd, colon) = try readName(bytes, line, end)
        try checkValue(bytes, colon + 1, end)
        let value = bytes.trimmed(colon + 1..<end)
        try addField(bytes, name: line, nameEnd, value: value.lowerBound, value.upperBound, base: base)
        return next
    }

    /// The ends of the name of the line `line..<end` and of what may stand before its colon.
    private func readName(
        _ bytes: Span<UInt8>, _ line: Int, _ end: Int
    ) throws(LineFault) -> (nameEnd: Int, colon: Int) {
        let colon = bytes.first(ASCII.colon, from: line, to: end)
        let carriageReturn = bytes.first(ASCII.carriageReturn, from: line, to: colon)
        guard carriageReturn == colon else { throw LineFault(.bareCR, carriageReturn, carriageReturn + 1) }
        guard colon < end else { throw LineFault(inTrailers ? .badTrailer : .headerWithoutColon, line, end) }
        let nameEnd = bytes.first(notIn: .token, from: line, to: colon)
        guard nameEnd > line else {
            throw LineFault(inTrailers ? .badTrailer : .badHeaderName, line, line + 1)
        }
        guard nameEnd < colon else { return (nameEnd, colon) }
        let blanks = bytes.trimmed(nameEnd..<colon)
        guard blanks.isEmpty else {
            throw LineFault(inTrailers ? .badTrailer : .badHeaderName, nameEnd, nameEnd + 1)
        }
        guard leniency.contains(.spaceBeforeColon), role == .responses else {
            throw LineFault(inTrailers ? .badTrailer : .spaceBeforeColon, nameEnd, colon)
        }
        return (nameEnd, colon)
    }

    /// Throws over the first byte of `start..<end` that may not stand in a field's value.
    private func checkValue(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(LineFault) {
        let place = bytes.extracting(0..<end).firstControl(from: start)
        guard place < end else { return }
        switch bytes[place] {
        case 0: throw LineFault(.nul, place, place + 1)
        case ASCII.carriageReturn: throw LineFault(.bareCR, place, place + 1)
        default: throw LineFault(inTrailers ? .badTrailer : .badHeaderValue, place, place + 1)
        }
    }

    /// Takes the folded line `line..<end` as more of the value before, if that is allowed.
    private mutating func continueField(
        _ bytes: Span<UInt8>, _ line: Int, _ end: Int, _ base: Int
    ) throws(LineFault) {
        guard leniency.contains(.obsFold), sectionFields.entryCount > 0 else {
            throw LineFault(inTrailers ? .badTrailer : .obsFold, line, line + 1)
        }
        try checkValue(bytes, line, end)
        let more = bytes.trimmed(line..<end)
        guard !more.isEmpty else { return }
        let start = UInt32(truncatingIfNeeded: more.lowerBound - base)
        let stop = UInt32(truncatingIfNeeded: more.upperBound - base)
        if inTrailers {
            trailers.extendLast(start, stop)
        } else {
            head.fields.extendLast(start, stop)
        }
    }

    /// Notes all fields of a head in which lines may have been folded.
    private mutating func noteAll(_ bytes: Span<UInt8>, _ base: Int) throws(LineFault) {
        for index in 0..<head.fields.entryCount {
            let entry = head.fields.entry(at: index)
            try note(
                bytes, name: base + entry.name.lowerBound, base + entry.name.upperBound,
                value: base + entry.value.lowerBound, base + entry.value.upperBound, base: base, index: index)
        }
    }

    /// Makes spaces of the line ends within the values of `kept` (RFC 9112 §5.2).
    mutating func unfold(_ kept: inout [UInt8]) {
        let fields = sectionFields
        guard fields.entryCount > 0 else { return }
        for index in fields.entry(at: fields.entryCount - 1).value
        where kept[index] == ASCII.carriageReturn || kept[index] == ASCII.lineFeed {
            kept[index] = ASCII.space
        }
    }
}
