/// What the fields of a head said so far about framing and connection.
struct HTTP1HeadNotes {
    var contentLength = -1
    var contentLengthLine = HTTP1Extent()
    var encodingLine = HTTP1Extent()
    var emptyLength: HTTP1Extent?
    var emptyEncoding: HTTP1Extent?
    var hasEncoding = false
    var lastIsChunked = false
    var sawChunked = false
    var sawUnknownCoding = false
    var close = false
    var keepAlive = false
    var namesUpgrade = false
    var hasUpgrade = false
    var expectsContinue = false
}

extension HTTP1Parser {
    /// Notes a field that has a meaning for the connection; all others pass.
    mutating func note(
        _ bytes: Span<UInt8>, name: Int, _ nameEnd: Int, value: Int, _ valueEnd: Int, base: Int, index: Int
    ) throws(LineFault) {
        // Each name by its length and its bytes with the bit of small letters set, which `-` has as well.
        switch nameEnd &- name {
        case 4 where bytes.smallHalfWord(at: name) == 0x7473_6F68:
            guard role == .requests else { return }
            try noteHost(bytes, name..<nameEnd, value..<valueEnd, base, index)
        case 6 where bytes.smallHalfWord(at: name) == 0x6570_7865 && bytes.extracting(name..<nameEnd).isName("expect"):
            guard role == .requests else { return }
            try noteExpect(bytes, value..<valueEnd)
        case 7 where bytes.smallHalfWord(at: name) == 0x7267_7075 && bytes.extracting(name..<nameEnd).isName("upgrade"):
            notes.hasUpgrade = notes.hasUpgrade || value < valueEnd
        case 10
        where bytes.smallWord(at: name) == 0x6974_6365_6E6E_6F63
            && bytes.smallHalfWord(at: name &+ 6) == 0x6E6F_6974:
            noteConnection(bytes, value..<valueEnd)
        case 14
        where bytes.smallWord(at: name) == 0x2D74_6E65_746E_6F63
            && bytes.smallWord(at: name &+ 6) == 0x6874_676E_656C_2D74:
            try noteContentLength(bytes, name..<nameEnd, value..<valueEnd, base)
        case 17
        where bytes.smallWord(at: name) == 0x7265_6673_6E61_7274
            && bytes.extracting(name..<nameEnd).isName("transfer-encoding"):
            try noteTransferEncoding(bytes, name..<nameEnd, value..<valueEnd, base)
        default:
            break
        }
    }

    private mutating func noteHost(
        _ bytes: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>, _ base: Int, _ index: Int
    ) throws(LineFault) {
        guard head.hostIndex < 0 else { throw LineFault(.duplicateHost, name.lowerBound, value.upperBound) }
        head.hostIndex = Int32(truncatingIfNeeded: index)
        guard let host = HTTP1Authority(bytes, value) else {
            throw LineFault(.badHost, value.lowerBound, value.upperBound)
        }
        guard head.targetForm == .absolute else { return }
        let range = head.authorityRange.range
        let target = base + range.lowerBound..<base + range.upperBound
        let scheme = bytes.extracting(base + head.targetRange.range.lowerBound..<target.lowerBound)
        let standardPort = scheme.isName("http://") ? 80 : scheme.isName("https://") ? 443 : nil
        guard let wanted = HTTP1Authority(bytes, target),
            bytes.extracting(wanted.host).equalsIgnoringCase(bytes.extracting(host.host)),
            wanted.port ?? standardPort == host.port ?? standardPort
        else { throw LineFault(.hostMismatch, value.lowerBound, value.upperBound) }
    }

    private mutating func noteExpect(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(LineFault) {
        var list = HTTP1ListReader(value)
        while let item = list.next(bytes) {
            guard bytes.extracting(item).isName("100-continue") else {
                throw LineFault(.badExpectation, value.lowerBound, value.upperBound)
            }
            notes.expectsContinue = true
        }
    }

    private mutating func noteConnection(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        // What clients send, by its bytes: `keep-alive`.
        if value.count == 10, bytes.smallWord(at: value.lowerBound) == 0x696C_612D_7065_656B,
            bytes.smallHalfWord(at: value.lowerBound &+ 6) == 0x6576_696C
        {
            notes.keepAlive = true
            return
        }
        var list = HTTP1ListReader(value)
        while let item = list.next(bytes) {
            let option = bytes.extracting(item)
            if option.isName("close") { notes.close = true }
            if option.isName("keep-alive") { notes.keepAlive = true }
            if option.isName("upgrade") { notes.namesUpgrade = true }
        }
    }

    private mutating func noteContentLength(
        _ bytes: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>, _ base: Int
    ) throws(LineFault) {
        let fault = LineFault(.badContentLength, value.lowerBound, value.upperBound)
        guard head.status == 0 || head.status >= 200 && head.status != 204 else {
            throw LineFault(.badContentLength, name.lowerBound, value.upperBound)
        }
        guard !value.isEmpty else {
            // Wrong only if the next line doesn't continue it, which is a fault of its own.
            notes.emptyLength = HTTP1Extent(name.lowerBound - base, value.upperBound - base)
            return
        }
        let merges = leniency.contains(.identicalContentLengths)
        var item = value
        var rest = value.upperBound..<value.upperBound
        if merges {
            let comma = bytes.first(ASCII.comma, from: value.lowerBound, to: value.upperBound)
            item = bytes.trimmed(value.lowerBound..<comma)
            rest = min(comma + 1, value.upperBound)..<value.upperBound
        }
        while true {
            guard let length = HTTP1Grammar.decimal(bytes, item) else { throw fault }
            if notes.contentLength >= 0 {
                guard notes.contentLength == length else {
                    throw LineFault(.differingContentLengths, value.lowerBound, value.upperBound)
                }
                guard merges else { throw fault }
            }
            notes.contentLength = length
            guard !rest.isEmpty else { break }
            let comma = bytes.first(ASCII.comma, from: rest.lowerBound, to: rest.upperBound)
            item = bytes.trimmed(rest.lowerBound..<comma)
            rest = min(comma + 1, rest.upperBound)..<rest.upperBound
        }
        notes.contentLengthLine = HTTP1Extent(value.lowerBound - base, value.upperBound - base)
        guard !notes.hasEncoding else { throw LineFault(.lengthAndEncoding, name.lowerBound, value.upperBound) }
    }

    private mutating func noteTransferEncoding(
        _ bytes: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>, _ base: Int
    ) throws(LineFault) {
        let whole = LineFault(.badTransferEncoding, name.lowerBound, value.upperBound)
        guard head.status == 0 || head.status >= 200 && head.status != 204 else { throw whole }
        guard head.version >= .http11 else {
            throw LineFault(.encodingInHTTP10, name.lowerBound, value.upperBound)
        }
        guard !value.isEmpty else {
            notes.emptyEncoding = HTTP1Extent(name.lowerBound - base, value.upperBound - base)
            return
        }
        var list = HTTP1ListReader(value)
        var isEmpty = true
        while let item = list.next(bytes) {
            isEmpty = false
            guard let (coding, hasParameters) = HTTP1Grammar.transferCoding(bytes, item) else { throw whole }
            notes.lastIsChunked = bytes.extracting(coding).isName("chunked")
            if notes.lastIsChunked {
                guard !notes.sawChunked, !hasParameters else { throw whole }
                notes.sawChunked = true
            } else {
                notes.sawUnknownCoding = true
            }
        }
        guard !isEmpty else { throw whole }
        notes.hasEncoding = true
        notes.encodingLine = HTTP1Extent(name.lowerBound - base, value.upperBound - base)
        guard notes.contentLength < 0 else { throw LineFault(.lengthAndEncoding, name.lowerBound, value.upperBound) }
    }
}

extension Span where Element == UInt8 {
    /// Eight bytes from `index` on, letters made small; `index + 8` must not be past the end.
    @inline(__always)
    fileprivate func smallWord(at index: Int) -> UInt64 { word(at: index) | 0x2020_2020_2020_2020 }

    /// Four bytes from `index` on, letters made small; `index + 4` must not be past the end.
    @inline(__always)
    fileprivate func smallHalfWord(at index: Int) -> UInt32 { halfWord(at: index) | 0x2020_2020 }

    /// Whether the span is `name`, which is in small letters, without regard to the span's case.
    func isName(_ name: StaticString) -> Bool {
        guard name.hasPointerRepresentation, name.utf8CodeUnitCount == count else { return false }
        // A static string's bytes live as long as the process.
        let other = unsafe Span(_unsafeStart: name.utf8Start, count: name.utf8CodeUnitCount)
        for index in indices where ASCII.lowercased(self[index]) != other[index] { return false }
        return true
    }
}
