/// A reader of what our server wrote that shares nothing with our parser: plain and strict.
///
/// It reads after each of millions of replays, so it makes no strings but of what it complains about.
enum HTTP1Written {
    private static let contentLength = Array("content-length".utf8)
    private static let transferEncoding = Array("transfer-encoding".utf8)
    private static let versionAndSpace = Array("HTTP/1.1 ".utf8)

    /// Whether `part`, which is not empty, stands somewhere in `bytes`.
    static func contains(_ part: [UInt8], in bytes: [UInt8]) -> Bool {
        var start = bytes.startIndex
        while let found = bytes[start...].firstIndex(of: part[0]) {
            if bytes[found...].starts(with: part) { return true }
            start = found + 1
        }
        return false
    }

    /// `bytes` without every occurrence of `part`.
    static func removing(_ part: [UInt8], from bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= part.count else { return bytes }
        var kept: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == part[0], bytes[index...].starts(with: part) {
                index += part.count
            } else {
                kept.append(bytes[index])
                index += 1
            }
        }
        return kept
    }

    /// The first thing wrong with a run of responses; nil if each is well-formed as far as its length can be told.
    /// `onlyFirst` stops after the first final one.
    static func flaw(inResponses bytes: [UInt8], onlyFirst: Bool) -> String? {
        var position = 0
        var number = 1
        while position < bytes.count {
            guard let line = line(bytes, at: &position) else { return "response \(number) has no complete status line" }
            guard let status = status(line) else { return "response \(number) begins with '\(text(line))'" }
            var length: Int?
            var isChunked = false
            while true {
                guard let line = self.line(bytes, at: &position) else {
                    return "the head of response \(number) breaks off"
                }
                if line.isEmpty { break }
                guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
                    return "response \(number) has the field line '\(text(line))'"
                }
                let name = line[..<colon]
                if isField(name, contentLength) {
                    let value = text(line[(colon + 1)...].drop { $0 == 0x20 })
                    guard length == nil, let number = Int(value), number >= 0 else {
                        return "Content-Length is '\(value)'"
                    }
                    length = number
                }
                if isField(name, transferEncoding) { isChunked = true }
            }
            if isChunked, length != nil { return "response \(number) has both lengths" }
            let isInterim = status < 200 && status != 101
            if isInterim { continue }
            // After a tunnel, a response to HEAD or a body in chunks it would take a parser to go on.
            if onlyFirst || status == 101 || isChunked { return nil }
            let body = status == 204 || status == 304 ? 0 : length
            guard let body else { return nil }
            guard bytes.count - position >= body else {
                return "the body of response \(number) is shorter than it says"
            }
            position += body
            number += 1
        }
        return nil
    }

    /// The line from `position` to its CRLF; moves past it. Nil if there is no CRLF, or a lone CR or LF before it.
    private static func line(_ bytes: [UInt8], at position: inout Int) -> ArraySlice<UInt8>? {
        guard let end = bytes[position...].firstIndex(where: { $0 == 0x0D || $0 == 0x0A }) else { return nil }
        guard bytes[end] == 0x0D, end + 1 < bytes.count, bytes[end + 1] == 0x0A else { return nil }
        defer { position = end + 2 }
        return bytes[position..<end]
    }

    /// The status in `HTTP/1.1 200 reason` (RFC 9112 §4).
    private static func status(_ line: ArraySlice<UInt8>) -> Int? {
        guard line.starts(with: versionAndSpace), line.count >= versionAndSpace.count + 4 else { return nil }
        let rest = line.dropFirst(versionAndSpace.count)
        guard let status = Int(text(rest.prefix(3))), (100...599).contains(status) else { return nil }
        return rest[rest.startIndex + 3] == 0x20 ? status : nil
    }

    /// Whether `name` is `lowercase`, whatever the case of its letters; no other byte is taken for a letter or a hyphen.
    private static func isField(_ name: ArraySlice<UInt8>, _ lowercase: [UInt8]) -> Bool {
        name.count == lowercase.count
            && zip(name, lowercase).allSatisfy { $0 == $1 || (0x41...0x5A).contains($0) && $0 | 0x20 == $1 }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
