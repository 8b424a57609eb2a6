public import AnyloopCore

/// An implementation that the harness drives.
///
/// A subject takes one side of the conversations of some protocols. It brings a parser, a protocol, or both;
/// with both, the harness also compares what the two make of the same bytes. The harness knows nothing of an
/// implementation beyond this. To verify a protocol of one's own:
///
/// ```swift
/// struct LineServer: ProtocolSubject {
///     func makeConversation(for fixture: Fixture, on loop: any Loop) -> Conversation {
///         let log = TraceLog()
///         let server = LineProtocol { line in
///             log.event(.head, line)
///             log.event(.end)
///         }
///         return Conversation(streamProtocol: server, log: log)
///     }
/// }
///
/// let subject = Subject(name: "line-server", side: .server, tags: ["lines"], protocol: LineServer())
/// ```
public struct Subject: Sendable {
    /// The name by which `--subject` selects it.
    public let name: String
    /// The side it takes.
    public let side: Fixture.Side
    /// The protocols it speaks: it takes the fixtures whose first tag is one of these.
    public let tags: Set<String>
    /// How to run its parser in memory; nil without one.
    public let parser: (any ParserSubject)?
    /// How to run its protocol on a loop; nil without one.
    public let streamProtocol: (any ProtocolSubject)?
    /// Whether its protocol is TLS itself, so that it is not run inside of TLS.
    public var isTLS = false
    /// Whose names its errors have.
    public var errorCodes = ErrorCodes.fixtures
    /// Where it is known to differ from the fixtures, and what it does there instead.
    public var differences = KnownDifferences.none

    /// Whose names a subject's errors have.
    public enum ErrorCodes: Sendable {
        /// The fixtures': an error must have the code that is expected.
        case fixtures
        /// Its own: an error is judged by where it comes, and any fits where one is expected.
        case own
    }

    /// A subject with a parser, a protocol or both.
    public init(
        name: String, side: Fixture.Side, tags: Set<String>,
        parser: (any ParserSubject)? = nil, protocol streamProtocol: (any ProtocolSubject)? = nil
    ) {
        self.name = name
        self.side = side
        self.tags = tags
        self.parser = parser
        self.streamProtocol = streamProtocol
    }

    /// Whether it is judged by `fixture`: the protocol is one of its own and its side has an expectation.
    public func takes(_ fixture: Fixture) -> Bool {
        tags.contains(fixture.protocolTag) && fixture.expectation(side) != nil
    }

    /// Whether it can be run by `executor`.
    public func runs(on executor: ExecutorKind) -> Bool {
        if executor == .parser { return parser != nil }
        return streamProtocol != nil && !(isTLS && executor.isOverTLS)
    }
}

/// A sans-I/O parser as the harness drives it.
public protocol ParserSubject: Sendable {
    /// A parser ready for the first byte of `fixture`'s stream.
    func makeSession(for fixture: Fixture) -> any ParserSession
}

/// One parser in use.
///
/// For any stream all ways of cutting it must record the same events once adjacent body spans are merged;
/// the recorder merges them.
public protocol ParserSession: AnyObject {
    /// Goes back to where it was before the first byte, for the next replay of the same fixture.
    func restart()

    /// Parses `chunk`, which is lent for the length of the call, and records what came of it.
    func feed(_ chunk: Span<UInt8>, into trace: inout TraceRecorder)

    /// Hears that the stream ended, and records what comes of that.
    func end(into trace: inout TraceRecorder)

    /// Hears that the connection was reset, and records an error if a message was incomplete.
    func reset(into trace: inout TraceRecorder)
}

/// A protocol as the harness drives it.
public protocol ProtocolSubject: Sendable {
    /// A fresh protocol for one replay of `fixture`, with the log its application writes.
    ///
    /// On the client side the protocol sends the fixture's requests of its own accord.
    func makeConversation(for fixture: Fixture, on loop: any Loop) throws -> Conversation

    /// What the subject wrote, with what may differ from run to run (dates) replaced by something fixed.
    func normalise(written: [UInt8]) -> [UInt8]

    /// What is wrong, in itself, with what the subject wrote, in one sentence; nil if nothing is.
    func flaw(inWritten written: [UInt8], for fixture: Fixture) -> String?
}

extension ProtocolSubject {
    /// The bytes as they are.
    public func normalise(written: [UInt8]) -> [UInt8] { written }
    /// Finds nothing.
    public func flaw(inWritten written: [UInt8], for fixture: Fixture) -> String? { nil }
}

/// One protocol in use, and the log its application writes.
public struct Conversation {
    /// What the transport drives.
    public let streamProtocol: any StreamProtocol
    /// What the application saw.
    public let log: TraceLog

    /// A conversation for one replay.
    public init(streamProtocol: any StreamProtocol, log: TraceLog) {
        self.streamProtocol = streamProtocol
        self.log = log
    }
}
