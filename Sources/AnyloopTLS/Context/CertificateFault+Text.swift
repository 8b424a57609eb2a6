import AnyloopCore
import CAnyloopTLS

extension CertificateFault {
    /// The fault behind C's number.
    init(code: Int32, other: Int32) {
        switch anyloop_tls_fault(UInt32(bitPattern: code)) {
        case ANYLOOP_TLS_EXPIRED: self = .expired
        case ANYLOOP_TLS_NOT_YET_VALID: self = .notYetValid
        case ANYLOOP_TLS_WRONG_HOST: self = .wrongHost
        case ANYLOOP_TLS_UNKNOWN_ROOT: self = .unknownRoot
        case ANYLOOP_TLS_SELF_SIGNED: self = .selfSigned
        case ANYLOOP_TLS_WRONG_PURPOSE: self = .wrongPurpose
        case ANYLOOP_TLS_WEAK_KEY: self = .weakKey
        case ANYLOOP_TLS_WEAK_SIGNATURE: self = .weakSignature
        case ANYLOOP_TLS_REVOKED: self = .revoked
        case ANYLOOP_TLS_NO_REVOCATION_LIST: self = .noRevocationList
        case ANYLOOP_TLS_MISSING_INTERMEDIATE: self = .missingIntermediate
        case ANYLOOP_TLS_PATH_TOO_LONG: self = .pathTooLong
        case ANYLOOP_TLS_NOT_AUTHORITY: self = .notAuthority
        case ANYLOOP_TLS_NAME_NOT_PERMITTED: self = .nameNotPermitted
        case ANYLOOP_TLS_BAD_SIGNATURE: self = .badSignature
        default: self = .other(other)
        }
    }

    /// One sentence: whose certificate, what is wrong, what to do.
    func sentence(
        _ isServer: Bool, _ serverName: String?, subject: String, issuer: String, _ openSSL: String
    ) -> String {
        let side = isServer ? "the client" : serverName.map { "'\($0)'" } ?? "the server"
        let start = "the certificate '\(subject)' of \(side)"
        switch self {
        case .expired: return "\(start) has expired: it has to be renewed"
        case .notYetValid: return "\(start) is not valid yet: check the clocks"
        case .wrongHost: return "\(start) is not made for that name: check the name, or have it in the certificate"
        case .unknownRoot: return "\(start) comes from '\(issuer)', which is not trusted: add that root if it should be"
        case .selfSigned:
            return "\(start) is signed by itself and not trusted: add it to the trusted ones if it should be"
        case .wrongPurpose: return "\(start) is not meant for a \(isServer ? "client" : "server")"
        case .weakKey: return "\(start) has a key that is too short: a new one is needed"
        case .weakSignature: return "\(start) is signed with an algorithm that is not safe any more"
        case .revoked: return "\(start) was revoked by '\(issuer)'"
        case .noRevocationList: return "there is no current revocation list of '\(issuer)' for \(start)"
        case .missingIntermediate:
            return "the certificate of '\(issuer)', which signed \(start), is missing: \(side) has to send it"
        case .pathTooLong: return "\(start) is in a chain with more certificates than an authority in it allows"
        case .notAuthority: return "\(start) signed another one without being an authority"
        case .nameNotPermitted: return "\(start) has a name that its authority may not sign for"
        case .badSignature: return "the signature of \(start) does not fit"
        case .missing: return "\(side) sent no certificate"
        case .other: return "\(start) was refused: \(openSSL)"
        }
    }
}
