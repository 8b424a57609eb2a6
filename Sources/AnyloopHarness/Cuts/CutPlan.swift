/// A family of ways to cut one stream; each of its cuts is one replay.
public enum CutPlan: String, Sendable, Hashable, CaseIterable, Codable {
    /// In one piece.
    case whole
    /// In the segments of the recording.
    case recorded
    /// One byte at a time.
    case everyByte = "every-byte"
    /// In two pieces, at every offset.
    case twoWay = "two-way"
    /// As recorded, but with neighbouring segments joined: each pair of them, each three, and all but each one.
    case coalesced
    /// In several pieces at offsets drawn from a seed.
    case random
    /// Ended by the peer at every offset.
    case eof
    /// Reset by the peer at every offset.
    case reset
    /// As recorded, while the peer reads nothing before it has sent as far as each offset.
    case blocked
    /// With a byte flipped, dropped or doubled, or the end missing; judged by law alone.
    case mutation
    /// Over TLS: as recorded, with all records in one segment, the handshake's last flight before them; then the
    /// same while the peer reads nothing.
    case recordsJoined = "tls-joined"
    /// Over TLS: as recorded, with the ciphertext one byte at a time.
    case recordsEveryByte = "tls-every-byte"
    /// Over TLS: as recorded, with each record cut within its header, behind it, in the middle and at its tag.
    case recordsEdges = "tls-edges"
    /// Over TLS: as recorded, with the ciphertext in two segments, at every offset.
    case recordsTwoWay = "tls-two-way"
    /// Over TLS: records and segments drawn from a seed.
    case recordsRandom = "tls-random"
    /// Over TLS: TCP ends at every offset of the ciphertext, without close_notify.
    case recordsTruncated = "tls-truncated"
    /// Over TLS: a byte of the ciphertext is another one, at every offset.
    case recordsDamaged = "tls-damaged"
    /// Over TLS 1.2: as recorded, after a full and after a resumed handshake.
    case recordsOlder = "tls-1.2"
    /// Over TLS: what the peer sends in the handshake byte by byte, at the records' edges, joined, at random.
    case handshake = "tls-handshake"
    /// Over TLS: what the peer sends in the handshake in two segments, at every offset.
    case handshakeTwoWay = "tls-handshake-two-way"

    /// Whether the replays see the same bytes as the recording, so that they must come to the same trace.
    public var keepsStream: Bool {
        switch self {
        case .whole, .recorded, .everyByte, .twoWay, .coalesced, .random, .blocked, .recordsJoined,
            .recordsEveryByte, .recordsEdges, .recordsTwoWay, .recordsRandom, .recordsOlder, .handshake,
            .handshakeTwoWay:
            true
        case .eof, .reset, .mutation, .recordsTruncated, .recordsDamaged: false
        }
    }

    /// Whether it cuts ciphertext, so that only executors over TLS can follow it.
    public var needsTLS: Bool {
        switch self {
        case .whole, .recorded, .everyByte, .twoWay, .coalesced, .random, .eof, .reset, .blocked, .mutation: false
        case .recordsJoined, .recordsEveryByte, .recordsEdges, .recordsTwoWay, .recordsRandom, .recordsTruncated,
            .recordsDamaged, .recordsOlder, .handshake, .handshakeTwoWay:
            true
        }
    }
}

/// Up to where the plans are exhaustive; beyond that they sample, always by the same seed.
public struct CutLimits: Sendable, Hashable {
    /// Streams up to so many bytes are cut at every offset.
    public var exhaustiveBytes = 8192
    /// In longer streams: every offset in the first so many bytes of each segment…
    public var headBytes = 1024
    /// …up to so many bytes before and after each boundary…
    public var aroundBoundary = 4
    /// …and so many offsets drawn from the seed.
    public var sampledOffsets = 512
    /// At most so many offsets in all; of more, an even choice is made.
    public var offsetCount = 16384
    /// So many replays in the random plan.
    public var randomCuts = 64
    /// At most so many pieces in a random cut.
    public var randomPieces = 8
    /// The every-byte plan falls back to pieces of this size class once a stream is longer than `everyByteBytes`.
    public var everyByteBytes = 1 << 20
    /// So many replays in the mutation sweep.
    public var mutations = 512
    /// At most so many replays with ciphertext that is drawn, cut off or damaged, each; offsets at even distances.
    public var ciphertextOffsets = 16384
    /// So many offsets of what the peer sends in a handshake.
    public var handshakeOffsets = 1024

    /// The defaults.
    public static let standard = CutLimits()

    /// The defaults, to be changed.
    public init() {}
}

/// One way to deliver one stream.
public struct Cut: Sendable, Hashable {
    /// How the stream ends once its bytes are delivered.
    public enum Ending: Sendable, Hashable {
        /// As the fixture has it.
        case recorded
        /// The peer ends its side after this many bytes.
        case eof(at: Int)
        /// The peer resets the connection after this many bytes.
        case reset(at: Int)
    }

    /// What is done to the bytes before they are delivered.
    public enum Mutation: Sendable, Hashable {
        /// One byte is combined with a mask (xor).
        case flip(offset: Int, mask: UInt8)
        /// One byte is left out.
        case drop(offset: Int)
        /// One byte comes twice.
        case double(offset: Int)
        /// The stream ends early.
        case truncate(length: Int)
    }

    /// Which cut of its plan it is; makes its name.
    public enum Label: Sendable, Hashable {
        /// The plan has only this one.
        case only
        /// The one at an offset.
        case offset(Int)
        /// One of several drawn from a seed.
        case drawn(seed: UInt64, number: Int)
        /// One with a name of its own.
        case named(String)
    }

    /// The plan it belongs to.
    public var plan: CutPlan
    /// Which of the plan's cuts it is.
    public var label: Label
    /// Offsets where one piece ends and the next begins; ascending, none at 0 or at the stream's end.
    public var boundaries: [Int]
    /// How the stream ends.
    public var ending: Ending
    /// The peer does not read before it has sent this many bytes; nil: it reads from the start.
    public var blockedUntil: Int?
    /// What is done to the bytes; nil: nothing.
    public var mutation: Mutation?
    /// How the ciphertext is cut where there is one; nil: not at all.
    public var records: RecordCut?

    /// A cut.
    public init(
        _ plan: CutPlan, _ label: Label = .only, boundaries: [Int] = [], ending: Ending = .recorded,
        blockedUntil: Int? = nil, mutation: Mutation? = nil, records: RecordCut? = nil
    ) {
        self.plan = plan
        self.label = label
        self.boundaries = boundaries
        self.ending = ending
        self.blockedUntil = blockedUntil
        self.mutation = mutation
        self.records = records
    }

    /// Whether the peer resets the connection.
    var isReset: Bool { if case .reset = ending { true } else { false } }

    /// Whether the ciphertext breaks off or is damaged: whatever comes of it must not look like a good end.
    var isFaulty: Bool { records?.fault != nil }

    /// The name by which a replay can be repeated, such as `two-way@17` or `random@1.3` (seed and number).
    public var name: String {
        switch label {
        case .only: plan.rawValue
        case .offset(let offset): "\(plan.rawValue)@\(offset)"
        case .drawn(let seed, let number): "\(plan.rawValue)@\(seed).\(number)"
        case .named(let name): "\(plan.rawValue)@\(name)"
        }
    }

    /// The whole stream in one piece.
    public static let whole = Cut(.whole)
}
