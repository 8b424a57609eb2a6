import AnyloopCore
import CAnyloopTLS

/// What OpenSSL said about its last failure, as our errors.
struct TLSFailure {
    let kind: UInt32
    let alert: UInt8
    let reason: String
    let text: String
    let refusal: CertificateRefusal?

    /// Takes what the last call on this thread left.
    static func take() -> TLSFailure { unsafe take(of: nil) }

    /// Takes what the last call on this thread left, with what `connection` knows of its peer's certificate.
    static func take(of connection: OpaquePointer?) -> TLSFailure {
        var failure = unsafe anyloop_tls_failure()
        unsafe anyloop_tls_take_failure(connection, &failure)
        return unsafe TLSFailure(
            kind: UInt32(bitPattern: failure.kind), alert: UInt8(truncatingIfNeeded: failure.alert),
            reason: string(failure.reason), text: string(failure.text),
            refusal: unsafe failure.refusal.map { unsafe CertificateRefusal($0.pointee) })
    }

    private static func string<Tuple>(_ characters: Tuple) -> String {
        unsafe withUnsafeBytes(of: characters) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// OpenSSL's reason in Python's spelling.
    private var pythonReason: String { reason.uppercased().split(separator: " ").joined(separator: "_") }

    /// A setting that could not be used; `what` is the beginning of the sentence.
    func configurationError(_ what: String) -> TLSError {
        let details = [reason, text].filter { !$0.isEmpty }.joined(separator: ", ")
        return TLSError(
            .configuration, details.isEmpty ? what : "\(what): OpenSSL says '\(details)'", reason: pythonReason)
    }

    /// A failure of a connection.
    func connectionError(isServer: Bool, serverName: String?) -> TLSError {
        let peer = isServer ? "the client" : serverName.map { "'\($0)'" } ?? "the server"
        func error(_ kind: TLSError.Kind, _ text: String) -> TLSError { TLSError(kind, text, reason: pythonReason) }
        switch anyloop_tls_kind(kind) {
        case ANYLOOP_TLS_CERTIFICATE:
            guard let refusal else {
                return error(.internal, "the certificate of \(peer) was refused, without memory to tell why")
            }
            return error(.certificate(refusal.fault), refusal.sentence(about: peer, isServer: isServer))
        case ANYLOOP_TLS_NO_CERTIFICATE:
            return error(
                .certificate(.missing), "the client sent no certificate, and this server requires one")
        case ANYLOOP_TLS_ALERT:
            return error(.alert(alert), "\(peer) ended the connection with the TLS alert \(TLSAlert.name(alert))")
        case ANYLOOP_TLS_NO_VERSION:
            return error(.noCommonVersion, "no TLS version in common with \(peer) (OpenSSL: \(reason))")
        case ANYLOOP_TLS_NO_CIPHER:
            return error(
                .noCommonCipher, "no cipher, group or signature algorithm in common with \(peer) (OpenSSL: \(reason))")
        case ANYLOOP_TLS_NO_PROTOCOL:
            return error(.noCommonProtocol, "no application protocol (ALPN) in common with \(peer)")
        case ANYLOOP_TLS_UNRECOGNIZED_NAME:
            return error(.unrecognizedName, "the client asked for a name that this server has no certificate for")
        case ANYLOOP_TLS_PLAIN_HTTP:
            return error(.plainText, "\(peer) sent a plain HTTP request to a TLS port: use https")
        case ANYLOOP_TLS_PLAIN:
            return error(.plainText, "what \(peer) sent is not TLS: check the port")
        case ANYLOOP_TLS_TRUNCATED:
            return error(.truncated, "\(peer) ended the connection without close_notify")
        case ANYLOOP_TLS_MALFORMED:
            return error(.malformed, "\(peer) broke the TLS protocol (OpenSSL: \(reason))")
        default:
            return error(.internal, "OpenSSL failed: \(reason.isEmpty ? "no reason given" : reason)")
        }
    }
}
