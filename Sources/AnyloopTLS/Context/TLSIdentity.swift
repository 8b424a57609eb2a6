import AnyloopCore
import CAnyloopTLS

/// A certificate with its chain, and the private key that belongs to it.
public struct TLSIdentity: Sendable {
    /// Bytes that a certificate's or key's file may have at most.
    public static let fileSizeLimit = 1 << 20

    /// The certificate and those that signed it, the own one first, as PEM.
    public let certificateChain: [UInt8]
    /// The key as PEM; for the tests of this package.
    package let privateKey: [UInt8]
    let password: String?
    /// How errors call the file or text of each.
    let chainSource: String
    let keySource: String

    /// From PEM texts. The chain begins with the own certificate; the root may be missing (RFC 8446 §4.4.2).
    ///
    /// - Parameter password: of an encrypted key.
    public init(certificateChain: [UInt8], privateKey: [UInt8], password: String? = nil) {
        self.init(certificateChain, privateKey, password, ("the certificate chain", "the private key"))
    }

    /// From PEM files; one file may hold both.
    ///
    /// - Throws: `TLSError` (`.configuration`) if one cannot be read.
    public init(certificateChainFile: String, privateKeyFile: String, password: String? = nil) throws(TLSError) {
        let chain = try TLSFile.read(certificateChainFile, what: "certificate")
        let key = try TLSFile.read(privateKeyFile, what: "private key")
        self.init(
            chain, key, password,
            ("the certificate file '\(certificateChainFile)'", "the private key file '\(privateKeyFile)'"))
    }

    private init(_ chain: [UInt8], _ key: [UInt8], _ password: String?, _ sources: (String, String)) {
        certificateChain = chain
        privateKey = key
        self.password = password
        (chainSource, keySource) = sources
    }

    /// A new key (EC P-256) with a certificate that signs itself: for development and tests.
    ///
    /// Whoever connects has to trust `certificateChain` itself.
    ///
    /// - Parameters:
    ///   - names: host names, `*.` wildcards or addresses it is for; at least one.
    ///   - days: how long it is valid.
    /// - Throws: `TLSError` (`.configuration`) without names or with one that is no name.
    public static func selfSigned(names: [String], days: Int32 = 30) throws(TLSError) -> TLSIdentity {
        guard !names.isEmpty, names.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0 > 32 && $0 < 127 } }) else {
            throw TLSError(.configuration, "a certificate needs at least one host name or address in ASCII")
        }
        var certificate: UnsafeMutablePointer<UInt8>?
        var certificateCount = 0
        var key: UnsafeMutablePointer<UInt8>?
        var keyCount = 0
        let made = unsafe withCStrings(names) { strings in
            unsafe anyloop_tls_self_signed(
                strings.baseAddress, strings.count, days, &certificate, &certificateCount, &key, &keyCount)
        }
        defer {
            unsafe anyloop_tls_bytes_free(certificate)
            unsafe anyloop_tls_bytes_free(key)
        }
        guard made == 1 else { throw TLSFailure.take().configurationError("a certificate could not be made") }
        return TLSIdentity(
            unsafe Array(UnsafeBufferPointer(start: certificate, count: certificateCount)),
            unsafe Array(UnsafeBufferPointer(start: key, count: keyCount)), nil,
            ("the certificate just made", "its private key"))
    }
}

/// Lends the strings as C has them, for the length of the call.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let texts = strings.map { Array($0.utf8CString) }
    return unsafe lend(texts[...], [], body)
}

private func lend<Result>(
    _ texts: ArraySlice<[CChar]>, _ lent: [UnsafePointer<CChar>?],
    _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    guard let first = texts.first else {
        return unsafe lent.withUnsafeBufferPointer { unsafe body($0) }
    }
    return unsafe first.withUnsafeBufferPointer { text in
        unsafe lend(texts.dropFirst(), lent + [text.baseAddress], body)
    }
}
