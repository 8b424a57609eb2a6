import AnyloopTLS

/// Everything `anyloop serve` can be told about TLS; without a certificate it speaks none.
struct TLSServeSettings: Hashable, Sendable {
    var certificate = ""
    var key = ""
    var keyPassword = ""
    var selfSigned = ""
    var clientCA = ""
    var client = ""
    var minimum = TLSText.versions[0]
    var maximum = TLSText.versions[1]
    var ciphers = ""

    /// Whether clients are asked for certificates, and must have one.
    static let clientChoices = ["requested", "required"]

    /// The rows of the server's table.
    static let table: [Setting<ServeSettings>] = [
        .text("tls-certificate", "TLS_CERTIFICATE", "a PEM file with the certificate and its chain", \.tls.certificate),
        .text("tls-key", "TLS_KEY", "a PEM file with the private key", \.tls.key),
        .text(nil, "TLS_KEY_PASSWORD", "the private key's password", \.tls.keyPassword),
        .text("tls-self-signed", "TLS_SELF_SIGNED", "host names, separated by commas", \.tls.selfSigned),
        .text("tls-client-ca", "TLS_CLIENT_CA", "a PEM file with certificates", \.tls.clientCA),
        .choice("tls-client", "TLS_CLIENT", clientChoices, \.tls.client),
        .choice("tls-minimum", "TLS_MINIMUM", TLSText.versions, \.tls.minimum),
        .choice("tls-maximum", "TLS_MAXIMUM", TLSText.versions, \.tls.maximum),
        .text("tls-ciphers", "TLS_CIPHERS", "names of ciphers, joined by colons", \.tls.ciphers),
    ]

    /// Whether TLS is spoken.
    var isOn: Bool { !certificate.isEmpty || !selfSigned.isEmpty }

    /// Refuses settings that contradict each other.
    func check() throws(SettingError) {
        if !certificate.isEmpty, !selfSigned.isEmpty {
            throw SettingError("--tls-self-signed and --tls-certificate: expected one of them, found both")
        }
        if !key.isEmpty, certificate.isEmpty {
            throw SettingError("--tls-key: a key needs the certificate that it belongs to; add --tls-certificate")
        }
        if !client.isEmpty, clientCA.isEmpty {
            throw SettingError("--tls-client: say with --tls-client-ca whose certificates are good")
        }
        if !clientCA.isEmpty || !ciphers.isEmpty, !isOn {
            throw SettingError("TLS needs a certificate; add --tls-certificate FILE or --tls-self-signed NAME")
        }
    }
}

/// TLS settings as the command line writes them.
enum TLSText {
    /// The versions, oldest first.
    static let versions = ["1.2", "1.3"]

    /// Versions and ciphers as OpenSSL is told them.
    static func settings(
        minimum: String, maximum: String, ciphers: String, protocols: [String]
    ) -> TLSSettings {
        var settings = TLSSettings()
        settings.minimumVersion = minimum == versions[1] ? .v1_3 : .v1_2
        settings.maximumVersion = maximum == versions[0] ? .v1_2 : .v1_3
        settings.applicationProtocols = protocols
        // OpenSSL keeps the two in lists of their own; the names of those of TLS 1.3 all begin with TLS_.
        let names = ciphers.split(separator: ":")
        let suites = names.filter { $0.hasPrefix("TLS_") }
        let others = names.filter { !$0.hasPrefix("TLS_") }
        if !suites.isEmpty { settings.cipherSuites = suites.joined(separator: ":") }
        if !others.isEmpty { settings.ciphers = others.joined(separator: ":") }
        return settings
    }
}
