import AnyloopCore
import CAnyloopTLS

extension CertificateFault {
    /// The fault behind C's number.
    init(code: Int32, other: Int32) {
        switch anyloop_tls_fault(UInt32(bitPattern: code)) {
        case ANYLOOP_TLS_EXPIRED: self = .expired
        case ANYLOOP_TLS_NOT_YET_VALID: self = .notYetValid
        case ANYLOOP_TLS_WRONG_HOST: self = .wrongHost
        case ANYLOOP_TLS_WILDCARD_TOO_WIDE: self = .wildcardTooWide
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
}
