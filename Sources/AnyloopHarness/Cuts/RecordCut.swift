/// How a cut treats the ciphertext on executors over TLS: which segments the peer's records travel in.
///
/// The pieces of the cut decide the records: each piece is sealed by itself. Where segments end within the records
/// is decided here.
public struct RecordCut: Sendable, Hashable {
    /// Where the segments of a stretch of ciphertext end.
    public enum Segments: Sendable, Hashable {
        /// Where pieces do: the records of each piece in one segment.
        case pieces
        /// Only where the peer does something else than sending: all records between in one segment.
        case joined
        /// After every byte.
        case everyByte
        /// Where pieces do, and at these places of each record.
        case places([Place])
        /// After this many bytes of ciphertext, and nowhere else.
        case offset(Int)
        /// At so many offsets at most, drawn from a seed; pieces are joined before.
        case drawn(seed: UInt64, pieces: Int)
    }

    /// A place within a record: 5 bytes of header, what is encrypted, and an authentication tag at its end.
    public enum Place: String, Sendable, Hashable, CaseIterable {
        /// After the type.
        case type
        /// Before the last byte of the length.
        case length
        /// Behind the header.
        case header
        /// Half-way.
        case middle
        /// Before the tag (RFC 8446 §5.2, RFC 5288 §3: 16 bytes).
        case tag
        /// Before the last byte.
        case last

        /// Where it is in a record of `size` bytes with its header.
        func offset(in size: Int) -> Int {
            switch self {
            case .type: 1
            case .length: 4
            case .header: RecordCut.headerSize
            case .middle: size / 2
            case .tag: size - 16
            case .last: size - 1
            }
        }
    }

    /// What goes wrong with the ciphertext.
    public enum Fault: Sendable, Hashable {
        /// TCP ends after this many bytes, without close_notify.
        case truncated(at: Int)
        /// The byte at this offset is combined with a mask (xor).
        case damaged(at: Int, mask: UInt8)
    }

    /// The bytes of a record's header (RFC 8446 §5.1).
    static let headerSize = 5
    /// What a record of TLS 1.3 has beside its plaintext: header, type and tag.
    static let overhead = headerSize + 1 + 16

    /// Segments of the application's records.
    public var segments = Segments.pieces
    /// Segments of what the peer sends in the handshake; `joined` joins its last flight with the first records.
    public var handshake = Segments.pieces
    /// What goes wrong; nil: nothing.
    public var fault: Fault?
    /// Whether an earlier replay's session is resumed; otherwise the handshake is a full one.
    public var resumes = true
    /// Whether the peer offers no more than TLS 1.2.
    public var isOlder = false

    /// A cut of the ciphertext.
    public init(
        segments: Segments = .pieces, handshake: Segments = .pieces, fault: Fault? = nil, resumes: Bool = true,
        isOlder: Bool = false
    ) {
        self.segments = segments
        self.handshake = handshake
        self.fault = fault
        self.resumes = resumes
        self.isOlder = isOlder
    }
}
