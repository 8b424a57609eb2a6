/// Reading the values of list fields (RFC 9110 §5.6).
public enum HTTP1List {
    /// The elements of a comma-separated list, without blanks around them; empty ones are skipped.
    ///
    /// A comma within a quoted string separates nothing.
    public static func elements(of value: String) -> [String] {
        let bytes = value.utf8.span
        var list = HTTP1ListReader(0..<bytes.count)
        var elements: [String] = []
        while let item = list.next(bytes) { elements.append(bytes.string(item)) }
        return elements
    }

    /// Whether one of the list's elements is `token`, without regard to case.
    public static func contains(_ token: String, in value: String) -> Bool {
        let bytes = value.utf8.span
        let wanted = token.utf8.span
        var list = HTTP1ListReader(0..<bytes.count)
        while let item = list.next(bytes) {
            if bytes.extracting(item).equalsIgnoringCase(wanted) { return true }
        }
        return false
    }

    /// The text that a quoted string stands for (RFC 9110 §5.6.4); a token stands for itself; nil if it is neither.
    public static func unquoted(_ text: String) -> String? {
        let bytes = text.utf8.span
        guard let end = HTTP1Grammar.endOfTokenOrQuotedString(bytes, from: 0, to: bytes.count), end == bytes.count
        else { return nil }
        guard bytes[0] == ASCII.quote else { return text }
        var plain: [UInt8] = []
        var index = 1
        while index < end - 1 {
            if bytes[index] == ASCII.backslash { index += 1 }
            plain.append(bytes[index])
            index += 1
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// `text` as a quoted string; nil if it has a control character, which none can hold.
    public static func quoted(_ text: String) -> String? {
        var bytes = [ASCII.quote]
        for byte in text.utf8 {
            guard HTTP1Grammar.isText(byte) else { return nil }
            if byte == ASCII.quote || byte == ASCII.backslash { bytes.append(ASCII.backslash) }
            bytes.append(byte)
        }
        bytes.append(ASCII.quote)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether `text` is a token (RFC 9110 §5.6.2).
    public static func isToken(_ text: String) -> Bool {
        let bytes = text.utf8.span
        return !bytes.isEmpty && bytes.first(notIn: .token, from: 0, to: bytes.count) == bytes.count
    }
}
