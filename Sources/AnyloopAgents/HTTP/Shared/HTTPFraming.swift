import AnyloopWire
import HTTPTypes

/// The fields that say how a message is framed and whether the connection persists: ours to write; and those that
/// we add where the application does not.
enum HTTPFraming {
    enum Role {
        case contentLength, transferEncoding, connection, keepAlive, date, server, other
    }

    /// What the field `name` has to do with framing; decided by its length before any text is compared.
    static func role(of name: HTTPField.Name) -> Role {
        let text = name.canonicalName
        switch text.utf8.count {
        case 4 where text == "date": return .date
        case 6 where text == "server": return .server
        case 10 where text == "connection": return .connection
        case 10 where text == "keep-alive": return .keepAlive
        case 14 where text == "content-length": return .contentLength
        case 17 where text == "transfer-encoding": return .transferEncoding
        default: return .other
        }
    }

    /// Whether the application's `name` is replaced by ours.
    static func isManaged(_ name: HTTPField.Name) -> Bool {
        switch role(of: name) {
        case .contentLength, .transferEncoding, .connection, .keepAlive: true
        case .date, .server, .other: false
        }
    }

    /// Fields that would change the meaning of what they come after (RFC 9110 §6.5.1).
    static func isForbiddenTrailer(_ name: HTTPField.Name) -> Bool {
        switch name.canonicalName {
        case "content-length", "transfer-encoding", "host", "connection", "trailer", "te", "upgrade",
            "content-encoding", "content-type", "content-range", "authorization", "set-cookie":
            true
        default:
            false
        }
    }

    /// Whether a `Connection` value has the option `close`.
    static func saysClose(_ value: String) -> Bool {
        hasToken("close", in: value)
    }

    /// Whether `token`, in lower case, is an element of the comma-separated list `value`.
    static func hasToken(_ token: String, in value: String) -> Bool {
        value.utf8.split(separator: UInt8(ascii: ",")).contains { element in
            let text = element.drop { $0 == 32 || $0 == 9 }
            guard text.count >= token.utf8.count,
                text.dropFirst(token.utf8.count).allSatisfy({ $0 == 32 || $0 == 9 })
            else { return false }
            return zip(text, token.utf8).allSatisfy { $0 == $1 || ($0 | 0x20 == $1 && $1 >= 97 && $1 <= 122) }
        }
    }
}

extension HTTPOutput {
    /// `HTTP/1.1 200 OK` and its line end; the registered reason where `status` has none.
    func appendStatusLine(_ status: HTTPResponse.Status) {
        append("HTTP/1.1 ")
        let code = min(max(status.code, 100), 999)
        append(decimal: Int64(code))
        append(UInt8(ascii: " "))
        append(status.reasonPhrase.isEmpty ? HTTP1Status.reason(for: code) : status.reasonPhrase)
        append("\r\n")
    }

    /// One field line. `HTTPField` holds only what is valid on the wire.
    func append(_ field: HTTPField) {
        append(field.name.rawName)
        append(": ")
        unsafe field.withUnsafeBytesOfValue { unsafe append($0) }
        append("\r\n")
    }
}
