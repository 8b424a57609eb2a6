/// A pattern over slash-separated names.
///
/// `*` is any text without a slash, `**` any text, `?` one character but a slash, `{a,b}` either. A pattern that
/// names a folder (`http1/chunked`) also means everything under it.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// The pattern as it was written.
    public let text: String
    private let alternatives: [[Part]]

    private enum Part: Hashable {
        case literal(UInt8)
        case one
        case segment
        case everything
    }

    /// Alternatives that `{a,b}` may spell out to; more are cut off.
    static let alternativeLimit = 256

    /// The pattern `text`.
    public init(_ text: String) {
        self.text = text
        alternatives = Self.expand(text).map(Self.parts)
    }

    /// The pattern as it was written.
    public var description: String { text }

    /// Whether `name`, or a folder it lies in, fits.
    public func matches(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return alternatives.contains { Self.fits($0[...], bytes[...]) }
    }

    private static func fits(_ parts: ArraySlice<Part>, _ bytes: ArraySlice<UInt8>) -> Bool {
        let slash = UInt8(ascii: "/")
        guard let part = parts.first else { return bytes.isEmpty || bytes.first == slash }
        let rest = parts.dropFirst()
        switch part {
        case .literal(let byte):
            return bytes.first == byte && fits(rest, bytes.dropFirst())
        case .one:
            return bytes.first.map { $0 != slash } == true && fits(rest, bytes.dropFirst())
        case .segment:
            if fits(rest, bytes) { return true }
            return bytes.first.map { $0 != slash } == true && fits(parts, bytes.dropFirst())
        case .everything:
            if rest.isEmpty { return true }
            return (bytes.startIndex...bytes.endIndex).contains { fits(rest, bytes[$0...]) }
        }
    }

    private static func parts(_ text: String) -> [Part] {
        var parts: [Part] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "?"): parts.append(.one)
            case UInt8(ascii: "*"):
                if parts.last == .segment {
                    parts[parts.count - 1] = .everything
                } else if parts.last != .everything {
                    parts.append(.segment)
                }
            case UInt8(ascii: "/") where parts.count >= 2 && parts.last == .everything:
                // `a/**/b` also fits `a/b`.
                if parts[parts.count - 2] == .literal(byte) { continue }
                parts.append(.literal(byte))
            default: parts.append(.literal(byte))
            }
        }
        return parts
    }

    private static func expand(_ text: String) -> [String] {
        guard let open = text.firstIndex(of: "{"), let close = text[open...].firstIndex(of: "}") else { return [text] }
        let head = text[..<open]
        let choices = text[text.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false)
        let tails = expand(String(text[text.index(after: close)...]))
        let all = choices.flatMap { choice in tails.map { head + choice + $0 } }
        return all.prefix(alternativeLimit).map { String($0) }
    }
}

extension [Glob] {
    /// Whether one of the patterns fits; of no patterns, `empty`.
    public func match(_ name: String, empty: Bool) -> Bool {
        isEmpty ? empty : contains { $0.matches(name) }
    }
}
