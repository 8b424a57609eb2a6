/// The field names that have a meaning for the connection.
enum HTTP1FieldName {
    /// Whether a name of this length and first byte may be one that means something for the connection.
    @inline(__always)
    static func mayMatter(length: Int, first: UInt8) -> Bool {
        switch length {
        case 4: first | 0x20 == UInt8(ascii: "h")
        case 6: first | 0x20 == UInt8(ascii: "e")
        case 7: first | 0x20 == UInt8(ascii: "u")
        case 10, 14: first | 0x20 == UInt8(ascii: "c")
        case 17: first | 0x20 == UInt8(ascii: "t")
        default: false
        }
    }

    /// Whether `name` may not be sent as a trailer, because it is of framing, routing, request modification,
    /// authentication or content format (RFC 9110 §6.5.1).
    static func isForbiddenInTrailers(_ name: Span<UInt8>) -> Bool {
        for forbidden in forbiddenTrailers where name.equalsIgnoringCase(forbidden.utf8.span) { return true }
        return false
    }

    private static let forbiddenTrailers = [
        "transfer-encoding", "content-length", "host", "connection", "trailer", "te", "upgrade", "keep-alive",
        "content-encoding", "content-type", "content-range", "authorization", "proxy-authorization",
        "www-authenticate", "proxy-authenticate", "cookie", "set-cookie", "cache-control", "pragma", "expect",
        "max-forwards", "range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
    ]
}
