import AnyloopAgents
import AnyloopCore
import AnyloopTLS
import Foundation

/// What `anyloop get` can be told by options and by the environment: TLS, and a proxy.
struct GetSettings: Hashable, Sendable {
    var ca = ""
    var certificate = ""
    var key = ""
    var keyPassword = ""
    var minimum = TLSText.versions[0]
    var maximum = TLSText.versions[1]
    var ciphers = ""
    var proxy = ""

    /// The one table of these settings.
    static let table = SettingsTable<GetSettings>(settings: [
        .text("ca", "TLS_CA", "a PEM file with certificates", \.ca),
        .text("cert", "TLS_CLIENT_CERTIFICATE", "a PEM file with a certificate and its chain", \.certificate),
        .text("key", "TLS_CLIENT_KEY", "a PEM file with the private key", \.key),
        .text(nil, "TLS_CLIENT_KEY_PASSWORD", "the private key's password", \.keyPassword),
        .choice("tls-minimum", "TLS_MINIMUM", TLSText.versions, \.minimum),
        .choice("tls-maximum", "TLS_MAXIMUM", TLSText.versions, \.maximum),
        .text("tls-ciphers", "TLS_CIPHERS", "names of ciphers, joined by colons", \.ciphers),
        .text("proxy", "PROXY", "a proxy's URL", \.proxy),
    ])

    /// The context for https; `isInsecure` checks nothing.
    ///
    /// - Throws: `SettingError`, or `TLSError` that names the file.
    func context(isInsecure: Bool) throws -> TLSClientContext {
        var options = TLSClientOptions()
        options.settings = TLSText.settings(
            minimum: minimum, maximum: maximum, ciphers: ciphers, protocols: ["http/1.1"])
        if isInsecure {
            options.verifiesCertificate = false
            options.verifiesHostName = false
        } else if !ca.isEmpty {
            options.trust = try TLSTrust.file(ca)
        }
        if certificate.isEmpty, !key.isEmpty {
            throw SettingError("--key: a key needs the certificate that it belongs to; add --cert")
        }
        if !certificate.isEmpty {
            options.identity = try TLSIdentity(
                certificateChainFile: certificate, privateKeyFile: key.isEmpty ? certificate : key,
                password: keyPassword.isEmpty ? nil : keyPassword)
        }
        return try TLSClientContext(options)
    }

    /// Tells `options` of the proxy `http://[user:password@]host[:port]`, or of one that is itself behind TLS.
    func setProxy(_ options: inout HTTPClientOptions) throws(SettingError) {
        guard !proxy.isEmpty else { return }
        let wrong = SettingError(
            "--proxy: expected a URL such as http://host:3128 or https://user:password@host, found '\(proxy)'")
        var text = proxy.contains("://") ? proxy : "http://" + proxy
        if let at = text.lastIndex(of: "@"), let start = text.firstRange(of: "://")?.upperBound, start <= at {
            let parts = text[start..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let user = parts[0].removingPercentEncoding,
                let password = parts.count == 2 ? parts[1].removingPercentEncoding : "",
                let login = HTTPBasicLogin(user: user, password: password)
            else { throw wrong }
            options.proxyOptions.login = login
            text.removeSubrange(start...at)
        }
        guard let url = HTTPURL(text), url.path == "/" else { throw wrong }
        options.proxy = .host(url.host, port: url.port)
        options.proxyOptions.isSecure = url.scheme == "https"
    }
}
