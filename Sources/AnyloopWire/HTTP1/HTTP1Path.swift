/// Paths of targets: percent-decoding and dot segments (RFC 3986 §2.1, §5.2.4, §6.2.2).
public enum HTTP1Path {
    /// `text` with each `%` and two hexadecimal digits replaced by the byte they name; nil if a `%` lacks them.
    public static func decoded(_ text: String) -> [UInt8]? {
        let bytes = text.utf8.span
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "%") else {
                plain.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = ASCII.hexValue(bytes[index + 1]),
                let low = ASCII.hexValue(bytes[index + 2])
            else { return nil }
            plain.append(high << 4 | low)
            index += 3
        }
        return plain
    }

    /// `text` with every byte that may not stand in a path segment percent-encoded; `/` stays.
    public static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if ByteClass.path.contains(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? digit + 0x30 : digit + 0x37) }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `path` without its `.` and `..` segments (RFC 3986 §5.2.4); `..` never leads above the root.
    public static func removingDotSegments(_ path: String) -> String {
        var segments = path.split(separator: "/", omittingEmptySubsequences: false)
        let isAbsolute = path.hasPrefix("/")
        if isAbsolute { segments.removeFirst() }
        var kept: [Substring] = []
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".":
                if isLast { kept.append("") }
            case "..":
                if !kept.isEmpty { kept.removeLast() }
                if isLast { kept.append("") }
            default:
                kept.append(segment)
            }
        }
        return (isAbsolute ? "/" : "") + kept.joined(separator: "/")
    }

    /// The segments under a root that the path of a target means, decoded; nil if it would lead out of the root.
    ///
    /// Refused are a path that doesn't begin with `/`, a bad `%`, bytes that aren't UTF-8, and a segment that is `..`
    /// or has a NUL, `/` or `\` once decoded. Empty segments and `.` are dropped, but for a last empty one, which says
    /// that a directory is meant.
    public static func segments(of path: String) -> [String]? {
        guard path.hasPrefix("/") else { return nil }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        var segments: [String] = []
        for (index, part) in parts.enumerated() {
            guard let bytes = decoded(String(part)), let segment = String(validating: bytes, as: UTF8.self) else {
                return nil
            }
            for byte in bytes where byte == 0 || byte == ASCII.slash || byte == ASCII.backslash { return nil }
            let isLast = index == parts.count - 1
            switch segment {
            case "..": return nil
            case "", ".": if isLast { segments.append("") }
            default: segments.append(segment)
            }
        }
        return segments
    }

    /// `path` in the form that equal paths share (RFC 3986 §6.2.2): escapes in capitals, needless ones undone, no dots.
    ///
    /// Nil if a `%` lacks its digits.
    public static func normalized(_ path: String) -> String? {
        let bytes = path.utf8.span
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "%") else {
                out.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = ASCII.hexValue(bytes[index + 1]),
                let low = ASCII.hexValue(bytes[index + 2])
            else { return nil }
            let byte = high << 4 | low
            if isUnreserved(byte) {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "%"))
                for digit in [high, low] { out.append(digit < 10 ? digit + 0x30 : digit + 0x37) }
            }
            index += 3
        }
        return removingDotSegments(String(decoding: out, as: UTF8.self))
    }

    /// `unreserved` of RFC 3986 §2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
    }
}
