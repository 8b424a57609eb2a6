/// A version of the protocol; those before 1.2 are not spoken (RFC 8996).
public enum TLSVersion: Sendable, Hashable, CaseIterable {
    /// RFC 5246.
    case v1_2
    /// RFC 8446.
    case v1_3

    /// The number on the wire.
    var code: Int32 {
        switch self {
        case .v1_2: 0x0303
        case .v1_3: 0x0304
        }
    }
}
