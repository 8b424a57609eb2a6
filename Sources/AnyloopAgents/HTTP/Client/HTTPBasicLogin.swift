/// A user's name and password, as Basic authentication sends them (RFC 7617): readable for all who see the request.
public struct HTTPBasicLogin: Hashable, Sendable {
    /// What `Authorization` or `Proxy-Authorization` says.
    public let fieldValue: String

    /// A login; nil if the name has a colon, or either has control characters (RFC 7617 §2).
    public init?(user: String, password: String) {
        guard !user.utf8.contains(UInt8(ascii: ":")),
            (user + password).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        fieldValue = "Basic " + Self.base64(Array("\(user):\(password)".utf8))
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// `bytes` in the padded standard alphabet (RFC 4648 §4).
    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                let padding = index > group.count
                text.append(padding ? UInt8(ascii: "=") : alphabet[bits >> (18 - 6 * index) & 63])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
