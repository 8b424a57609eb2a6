import AnyloopCore

/// Whose signatures are trusted.
public struct TLSTrust: Sendable {
    enum Source: Sendable {
        case system
        case directory(String)
        /// A text, and how errors call it.
        case pem([UInt8], source: String)
    }

    var sources: [Source]

    /// What the system trusts: OpenSSL's default directory and file, on Debian `/etc/ssl/certs`.
    ///
    /// As for curl and Python, the environment's `SSL_CERT_FILE` and `SSL_CERT_DIR` take their places where they are
    /// set and the process does not run with more rights than its user (OpenSSL: `SSL_CTX_set_default_verify_paths`).
    public static let system = TLSTrust(sources: [.system])

    /// The certificates of a PEM text; a certificate that signs itself may be a server's own.
    public static func pem(_ text: [UInt8]) -> TLSTrust {
        TLSTrust(sources: [.pem(text, source: "the text of trusted certificates")])
    }

    /// The certificates of a PEM file.
    ///
    /// - Throws: `TLSError` (`.configuration`) if it cannot be read.
    public static func file(_ path: String) throws(TLSError) -> TLSTrust {
        let text = try TLSFile.read(path, what: "trusted certificates", limit: fileSizeLimit)
        return TLSTrust(sources: [.pem(text, source: "the file '\(path)'")])
    }

    /// A directory whose files are named by OpenSSL's hashes (`openssl rehash`).
    public static func directory(_ path: String) -> TLSTrust { TLSTrust(sources: [.directory(path)]) }

    /// Both.
    public static func + (one: TLSTrust, other: TLSTrust) -> TLSTrust {
        TLSTrust(sources: one.sources + other.sources)
    }

    /// Bytes that a file of trusted certificates may have at most.
    public static let fileSizeLimit = 16 << 20
}

/// Lists of certificates that their authorities took back (RFC 5280 §5).
public struct TLSRevocation: Sendable {
    /// Which certificates have to be on a list's good side.
    public enum Scope: Sendable, Hashable {
        /// The peer's own.
        case peer
        /// Every certificate of the chain; needs a list from each authority.
        case wholeChain
    }

    let lists: [UInt8]
    let scope: Scope
    /// How errors call the lists' file or text.
    let source: String

    /// Lists as a PEM text.
    public static func pem(_ text: [UInt8], scope: Scope = .peer) -> TLSRevocation {
        TLSRevocation(lists: text, scope: scope, source: "the text of revocation lists")
    }

    /// Lists in a PEM file.
    ///
    /// - Throws: `TLSError` (`.configuration`) if it cannot be read.
    public static func file(_ path: String, scope: Scope = .peer) throws(TLSError) -> TLSRevocation {
        TLSRevocation(
            lists: try TLSFile.read(path, what: "revocation list", limit: TLSTrust.fileSizeLimit), scope: scope,
            source: "the file '\(path)'")
    }
}
