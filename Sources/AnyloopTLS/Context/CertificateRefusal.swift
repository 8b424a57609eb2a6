import AnyloopCore
import CAnyloopTLS

/// A certificate that was refused, and the sentence about it.
struct CertificateRefusal {
    let fault: CertificateFault
    private let depth: Int32
    private let subject: String
    private let issuer: String
    private let names: String
    private let start: String
    private let end: String
    private let hasList: Bool
    private let host: String
    private let reason: String

    /// What C kept of it.
    init(_ refusal: anyloop_tls_refusal) {
        fault = unsafe CertificateFault(code: refusal.fault, other: refusal.code)
        unsafe depth = refusal.depth
        unsafe hasList = refusal.has_list
        unsafe subject = String(cString: refusal.subject)
        unsafe issuer = String(cString: refusal.issuer)
        unsafe names = String(cString: refusal.names)
        unsafe start = String(cString: refusal.start)
        unsafe end = String(cString: refusal.end)
        unsafe host = String(cString: refusal.host)
        unsafe reason = String(cString: refusal.reason)
    }

    /// One sentence: whose certificate it is, what is wrong with it, and what to do.
    ///
    /// - Parameters:
    ///   - peer: how to call whom it came from, such as `the client`.
    ///   - isServer: whether we, who refuse it, are the server.
    func sentence(about peer: String, isServer: Bool) -> String {
        let place = depth == 0 ? "of \(peer)" : "in the chain of \(peer)"
        let certificate = "the certificate \(title) \(place)"
        switch fault {
        case .expired:
            return "\(certificate) expired on \(end): it has to be renewed, unless this machine's clock is wrong"
        case .notYetValid:
            return "\(certificate) is not valid before \(start): check the clocks, or wait until then"
        case .wrongHost, .wildcardTooWide, .nameNotPermitted:
            return nameSentence(certificate, peer)
        case .unknownRoot, .selfSigned, .missingIntermediate, .pathTooLong, .notAuthority, .badSignature:
            return chainSentence(certificate, peer)
        case .wrongPurpose:
            return "\(certificate) is not meant for a \(isServer ? "client" : "server"): its extended key usage has to "
                + "have \(isServer ? "clientAuth" : "serverAuth")"
        case .weakKey:
            return "\(certificate) has a key that is too short: it needs RSA from 2048 bits, EC from 224, or Ed25519"
        case .weakSignature:
            return
                "\(certificate) is signed with an algorithm that is broken, such as SHA-1 or MD5: it has to be renewed"
        case .revoked:
            return "\(certificate) was revoked by \(signer): it must not be used any more"
        case .noRevocationList:
            return listSentence(certificate)
        case .missing:
            return "\(peer) sent no certificate, and one is required"
        case .other:
            return "\(certificate) was refused: \(reason)"
        }
    }

    private func nameSentence(_ certificate: String, _ peer: String) -> String {
        switch fault {
        case .wildcardTooWide:
            "\(certificate) is for \(names), a wildcard that is too wide to stand for '\(host)': it has to be a whole "
                + "label in front of a name with a dot"
        case .nameNotPermitted:
            "\(certificate) is for \(names), which an authority in its chain may not sign for: \(peer) needs another one"
        default:
            "\(certificate) is for \(names.isEmpty ? "no host" : names) and not for '\(host)': ask for a name that it "
                + "has, or have this one put into it (subjectAltName)"
        }
    }

    private func chainSentence(_ certificate: String, _ peer: String) -> String {
        switch fault {
        case .selfSigned:
            "\(certificate) is signed by itself and not among the trusted ones: add it to them if it should be"
        case .unknownRoot where subject == issuer:
            "\(certificate) is a root that is not trusted: add it to those that are if it should be"
        case .unknownRoot:
            "\(certificate) is signed by \(signer), which is not trusted: add that root to the trusted ones if it should be"
        case .missingIntermediate:
            "\(certificate) is signed by \(signer), which was neither sent nor is trusted: \(peer) has to send it along"
        case .pathTooLong:
            "\(certificate) allows fewer authorities below it than there are: \(peer) needs another chain"
        case .notAuthority:
            "\(certificate) signed another one without being an authority's: \(peer) needs another chain"
        default:
            "the signature on \(certificate) does not fit \(signer): it was changed, or comes from somebody else"
        }
    }

    private func listSentence(_ certificate: String) -> String {
        let list = "the revocation list of \(signer)"
        guard hasList else { return "\(list), needed for \(certificate), is missing: load it" }
        return
            "\(list), needed for \(certificate), is not valid now but from \(start) to \(end), or it is forged: load "
            + "the current one"
    }

    /// The certificate by its subject, or by its names where that is empty.
    private var title: String {
        if !subject.isEmpty { return "'\(subject)'" }
        return names.isEmpty ? "without a name" : "for \(names)"
    }

    private var signer: String { issuer.isEmpty ? "an authority without a name" : "'\(issuer)'" }
}
