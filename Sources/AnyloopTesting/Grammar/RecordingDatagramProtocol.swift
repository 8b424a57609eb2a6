import AnyloopCore

/// A datagram protocol that records what it sees, checks the grammar, and reacts as it is told.
public final class RecordingDatagramProtocol: DatagramProtocol {
    /// What to do inside a callback; runs after the callback was recorded.
    public typealias Reaction = (RecordingDatagramProtocol, any DatagramTransport) throws -> Void

    /// What was seen.
    public private(set) var trace: [TraceEvent] = []
    /// The checker that every callback was reported to.
    public private(set) var grammar = CallbackGrammar(.datagram)
    /// The transport, from `connectionMade` on; kept after the end.
    public private(set) var transport: (any DatagramTransport)?
    /// From whom each datagram came.
    public private(set) var sources: [SocketAddress?] = []
    /// What `errorReceived` got.
    public private(set) var errors: [TransportError] = []
    /// What `connectionLost` got.
    public private(set) var lostError: TransportError?
    /// What to do in which callback.
    public var reactions: [Callback: Reaction] = [:]
    /// Sees each datagram, before the reaction to `.datagram`.
    public var onDatagram: ((any DatagramTransport, Span<UInt8>, SocketAddress?) throws -> Void)?

    /// A protocol that does nothing but record.
    public init() {}

    /// The datagrams that came.
    public var datagrams: [[UInt8]] {
        trace.compactMap { event in
            if case .datagram(let bytes) = event { bytes } else { nil }
        }
    }

    /// Whether `connectionLost` came.
    public var isLost: Bool { grammar.isComplete }

    /// Records `made`.
    public func connectionMade(_ transport: any DatagramTransport) throws {
        self.transport = transport
        try note(.made, .made)
    }

    /// Records the datagram and its source.
    public func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) throws {
        var bytes: [UInt8] = []
        unsafe data.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        trace.append(.datagram(bytes))
        sources.append(address)
        grammar.enter(.datagram)
        defer { grammar.leave() }
        if let onDatagram, let transport { try onDatagram(transport, data, address) }
        try react(.datagram)
    }

    /// Records the error.
    public func errorReceived(_ error: TransportError) throws {
        errors.append(error)
        try note(.error, .error(TraceEvent.cause(error)))
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
        try react(callback)
    }

    private func react(_ callback: Callback) throws {
        guard let reaction = reactions[callback], let transport else { return }
        try reaction(self, transport)
    }
}
