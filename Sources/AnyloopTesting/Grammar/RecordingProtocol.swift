import AnyloopCore

/// The error that `RecordingProtocol` throws where it is told to.
public struct ReactionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The callback that threw.
    public let callback: Callback

    /// An error thrown in `callback`.
    public init(_ callback: Callback) {
        self.callback = callback
    }

    /// Names the callback.
    public var description: String { "thrown on purpose in \(callback.rawValue)" }
}

/// A stream protocol that records what it sees, checks the grammar, and reacts as it is told.
public final class RecordingProtocol: StreamProtocol {
    /// What to do inside a callback; runs after the callback was recorded.
    public typealias Reaction = (RecordingProtocol, any StreamTransport) throws -> Void

    /// What was seen, adjacent data merged.
    public private(set) var trace = Trace()
    /// The checker that every callback was reported to.
    public private(set) var grammar = CallbackGrammar(.stream)
    /// The transport, from `connectionMade` on; kept after the end.
    public private(set) var transport: (any StreamTransport)?
    /// What `connectionLost` got.
    public private(set) var lostError: TransportError?
    /// The sizes of the pieces in which data came, the first 10,000 of them.
    public private(set) var chunkSizes: [Int] = []
    /// What to do in which callback.
    public var reactions: [Callback: Reaction] = [:]
    /// Sees each piece of data, before the reaction to `.data`.
    public var onData: ((any StreamTransport, Span<UInt8>) throws -> Void)?
    /// What `eofReceived` answers.
    public var keepsOpenAfterEOF = false
    /// False counts received bytes without keeping them.
    public var keepsData = true
    /// How many bytes came.
    public private(set) var byteCount = 0

    /// Pieces of which `chunkSizes` keeps the size.
    public static let chunkSizeLimit = 10_000

    /// A protocol that does nothing but record.
    public init() {}

    /// A protocol that records and does `reaction` in `callback`.
    public init(_ callback: Callback, _ reaction: @escaping Reaction) {
        reactions[callback] = reaction
    }

    /// Whether `connectionMade` came and `connectionLost` did not.
    public var isOpen: Bool { grammar.isOpen }

    /// Whether `connectionLost` came.
    public var isLost: Bool { grammar.isComplete }

    /// How often `callback` came.
    public func count(_ callback: Callback) -> Int { counts[callback, default: 0] }

    private var counts: [Callback: Int] = [:]

    /// Records `made`.
    public func connectionMade(_ transport: any StreamTransport) throws {
        self.transport = transport
        try note(.made, .made)
    }

    /// Records the bytes.
    public func dataReceived(_ data: Span<UInt8>) throws {
        if keepsData { trace.append(data: data) }
        if chunkSizes.count < RecordingProtocol.chunkSizeLimit { chunkSizes.append(data.count) }
        byteCount += data.count
        grammar.enter(.data)
        defer { grammar.leave() }
        counts[.data, default: 0] += 1
        if let onData, let transport { try onData(transport, data) }
        try react(.data)
    }

    /// Records `eof`; answers `keepsOpenAfterEOF`.
    public func eofReceived() throws -> Bool {
        try note(.eof, .eof)
        return keepsOpenAfterEOF
    }

    /// Records `lost` and its cause.
    public func connectionLost(_ error: TransportError?) throws {
        lostError = error
        try note(.lost, .lost(error.map(TraceEvent.cause)))
    }

    /// Records `pause`.
    public func pauseWriting() throws { try note(.pause, .pause) }

    /// Records `resume`.
    public func resumeWriting() throws { try note(.resume, .resume) }

    private func note(_ callback: Callback, _ event: TraceEvent) throws {
        trace.append(event)
        grammar.enter(callback)
        defer { grammar.leave() }
        counts[callback, default: 0] += 1
        try react(callback)
    }

    private func react(_ callback: Callback) throws {
        guard let reaction = reactions[callback], let transport else { return }
        try reaction(self, transport)
    }
}
