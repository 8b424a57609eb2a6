import AnyloopCore

/// Addresses as the command line writes them: `127.0.0.1:80`, `[::1]:80`, `:80`, `name:80`, `unix:/path`.
enum AddressText {
    /// Where to connect.
    ///
    /// - Throws: `SettingError` that shows the forms.
    static func endpoint(_ text: String, option: String) throws(SettingError) -> Endpoint {
        if text.hasPrefix("unix:"), text.utf8.count > 5 { return .unix(path: String(text.dropFirst(5))) }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw SettingError("\(option): expected HOST:PORT, [IPv6]:PORT or unix:PATH, found '\(text)'")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.isEmpty { host = "127.0.0.1" }
        guard let address = SocketAddress(literal: host, port: port) else { return .host(host, port: port) }
        return .address(address)
    }

    /// Where to listen: an endpoint that needs no resolving; `localhost` is 127.0.0.1.
    static func listening(_ text: String, option: String) throws(SettingError) -> SocketAddress {
        switch try endpoint(text, option: option) {
        case .address(let address): return address
        case .host("localhost", let port): return .loopback(port: port)
        case .host(let host, _):
            throw SettingError(
                "\(option): expected an IP address, localhost or unix:PATH to listen on, found '\(host)'")
        }
    }
}
