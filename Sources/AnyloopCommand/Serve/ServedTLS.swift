import AnyloopCore
import AnyloopTLS

/// The certificate of `anyloop serve`, for all workers; read again on SIGHUP.
final class ServedTLS: Sendable {
    /// What new connections take.
    let source: TLSServerContextSource
    private let settings: TLSServeSettings
    private let protocols: [String]
    /// What `--tls-self-signed` made; it lasts as long as the process.
    private let made: TLSIdentity?

    /// Reads the files, or makes a certificate.
    ///
    /// - Parameter protocols: what is spoken inside (ALPN).
    /// - Throws: `TLSError` that names the file.
    init(_ settings: TLSServeSettings, protocols: [String]) throws(TLSError) {
        self.settings = settings
        self.protocols = protocols
        let names = settings.selfSigned.split(separator: ",").map(String.init)
        made = names.isEmpty ? nil : try TLSIdentity.selfSigned(names: names)
        source = TLSServerContextSource(try Self.context(settings, made, protocols))
    }

    /// Reads the files again, for the connections that come from now on; others keep what they have.
    ///
    /// With keys for tickets of its own, so that no session from before passes by a new list of authorities.
    /// - Throws: `TLSError`; the old certificate then stays.
    func reload() throws(TLSError) {
        source.current = try Self.context(settings, made, protocols)
    }

    private static func context(
        _ settings: TLSServeSettings, _ made: TLSIdentity?, _ protocols: [String]
    ) throws(TLSError) -> TLSServerContext {
        var options = TLSServerOptions(identity: try identity(settings, made))
        options.settings = TLSText.settings(
            minimum: settings.minimum, maximum: settings.maximum, ciphers: settings.ciphers, protocols: protocols)
        if !settings.clientCA.isEmpty {
            let trust = try TLSTrust.file(settings.clientCA)
            options.clientCertificates = settings.client == "requested" ? .requested(trust) : .required(trust)
        }
        return try TLSServerContext(options)
    }

    private static func identity(_ settings: TLSServeSettings, _ made: TLSIdentity?) throws(TLSError) -> TLSIdentity {
        if let made { return made }
        return try TLSIdentity(
            certificateChainFile: settings.certificate,
            privateKeyFile: settings.key.isEmpty ? settings.certificate : settings.key,
            password: settings.keyPassword.isEmpty ? nil : settings.keyPassword)
    }
}
