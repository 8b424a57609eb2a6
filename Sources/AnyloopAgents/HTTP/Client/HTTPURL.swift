/// An `http` or `https` URL, as far as a request needs it (RFC 9110 §4.2, RFC 3986).
public struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
    /// `http` or `https`.
    public let scheme: String
    /// The host in lower case; an IPv6 literal without its brackets.
    public let host: String
    /// The port; 80 or 443 where none is given.
    public let port: UInt16
    /// The path with query, starting with `/`; bytes that may not stand there are percent-encoded.
    public let path: String

    private init(scheme: String, host: String, port: UInt16, path: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }

    /// The URL that `text` says; nil unless it is absolute, `http` or `https`, with a host and without user name.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let scheme = text[..<colon].lowercased()
        guard scheme == "http" || scheme == "https", text[colon...].hasPrefix("://") else { return nil }
        let rest = text[text.index(colon, offsetBy: 3)...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        guard let (host, port) = HTTPURL.authority(rest[..<end], scheme: scheme) else { return nil }
        var path = HTTPURL.encoded(HTTPURL.withoutFragment(rest[end...]))
        if !path.hasPrefix("/") { path = "/" + path }
        self.init(scheme: scheme, host: host, port: port, path: path)
    }

    /// Host and port of an authority such as `a`, `a:80` or `[::1]:80`.
    static func authority(_ text: Substring, scheme: String) -> (host: String, port: UInt16)? {
        let standard: UInt16 = scheme == "https" ? 443 : 80
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"@/?#[]<>\"\\^`{|}".utf8.contains($0) })
        else { return nil }
        guard let port, !port.isEmpty else { return (host.lowercased(), standard) }
        guard port.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(port) else { return nil }
        return (host.lowercased(), number)
    }

    /// Host and, unless it is the scheme's own, port: what `Host` says.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == "https" ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The whole URL.
    public var description: String { "\(scheme)://\(authority)\(path)" }

    /// Whether scheme, host and port are the same (RFC 9110 §4.3.1).
    public func hasSameOrigin(as other: HTTPURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// The URL that `reference` means, seen from this one (RFC 3986 §5.2); nil if it leads out of HTTP.
    public func resolving(_ reference: String) -> HTTPURL? {
        let text = HTTPURL.withoutFragment(Substring(reference))
        if text.hasPrefix("//") { return HTTPURL("\(scheme):\(text)") }
        let start = text.prefix { $0 != "/" && $0 != "?" }
        if start.contains(":") { return HTTPURL(String(text)) }
        let target = HTTPURL.encoded(text)
        let base = path.prefix { $0 != "?" }
        let resolved: String
        if target.isEmpty {
            resolved = path
        } else if target.hasPrefix("?") {
            resolved = base + target
        } else {
            let query = target.firstIndex(of: "?") ?? target.endIndex
            let directory = base[...(base.lastIndex(of: "/") ?? base.startIndex)]
            let merged = target.hasPrefix("/") ? target[..<query] : directory + target[..<query]
            resolved = HTTPURL.removingDotSegments(merged) + target[query...]
        }
        return HTTPURL(scheme: scheme, host: host, port: port, path: resolved)
    }

    /// RFC 3986 §5.2.4, for a path that starts with `/`.
    private static func removingDotSegments(_ path: Substring) -> String {
        var kept: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".":
                if isLast { kept.append("") }
            case "..":
                _ = kept.popLast()
                if isLast { kept.append("") }
            default:
                kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/")
    }

    private static func withoutFragment(_ text: Substring) -> Substring {
        text.prefix { $0 != "#" }
    }

    /// Percent-encodes what may not stand in a request's target.
    private static func encoded(_ text: Substring) -> String {
        guard !text.utf8.allSatisfy(isAllowed) else { return String(text) }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isAllowed(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\"<>\\^`{|}".utf8.contains(byte)
    }
}
