import AnyloopCore
import CAnyloopTLS

/// The keys that session tickets are encrypted with; give them to a new context so that old sessions resume.
///
/// Make new ones at least every few days: whoever gets them can read resumed connections of TLS 1.2.
public struct TLSTicketKeys: Sendable {
    let bytes: [UInt8]

    /// New keys.
    ///
    /// - Throws: `TLSError` (`.internal`) without randomness.
    public init() throws(TLSError) {
        var bytes = [UInt8](repeating: 0, count: Int(ANYLOOP_TLS_TICKET_KEYS_SIZE))
        let made = unsafe bytes.withUnsafeMutableBufferPointer { unsafe anyloop_tls_random($0.baseAddress, $0.count) }
        guard made == 1 else { throw TLSError(.internal, "OpenSSL has no random bytes") }
        self.bytes = bytes
    }
}
