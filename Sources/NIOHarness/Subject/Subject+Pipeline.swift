import AnyloopCore
public import AnyloopHarness
public import NIOCore

/// What one replay of a fixture brings to a pipeline.
public struct PipelineConversation {
    /// The fixture that is replayed.
    public let fixture: Fixture
    /// Where handlers write down what they see; ends with the first error.
    public let log: TraceLog
}

extension Subject {
    /// A pipeline of NIO's as a subject: on every executor, and on the event loop of each mode.
    ///
    /// ```swift
    /// let subject = Subject.pipeline(name: "lines", side: .server, tags: ["lines"]) { channel, conversation in
    ///     try channel.pipeline.syncOperations.addHandlers(
    ///         ByteToMessageHandler(LineDecoder()), LineRecorder(conversation.log))
    /// }
    /// ```
    ///
    /// Errors that reach the pipeline's tail are recorded. They have names of their own (`Subject.ErrorCodes.own`).
    ///
    /// - Parameters:
    ///   - name: the name by which `--subject` selects it.
    ///   - side: the side it takes.
    ///   - tags: the protocols it speaks.
    ///   - options: how errors are named, and what is done with what it writes.
    ///   - initialize: adds the handlers to a new channel; what it throws fails the replay.
    public static func pipeline(
        name: String, side: Fixture.Side, tags: Set<String>, options: PipelineOptions = PipelineOptions(),
        initialize: @escaping @Sendable (_ channel: any Channel, _ conversation: PipelineConversation) throws -> Void
    ) -> Subject {
        let pipeline = PipelineSubject(options: options, initialize: initialize)
        var subject = Subject(name: name, side: side, tags: tags, parser: pipeline, protocol: pipeline)
        subject.errorCodes = .own
        return subject
    }
}

/// What may be said of a pipeline besides its handlers.
public struct PipelineOptions: Sendable {
    /// The name of an error that reached the pipeline's tail; nil leaves it out.
    public var errorCode: @Sendable (any Error) -> String? = { PipelineOptions.errorCode(of: $0) }
    /// Replaces what may differ from run to run in what the pipeline writes (dates) by something fixed.
    public var normalise: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// What is wrong, in itself, with what the pipeline wrote, in one sentence; nil if nothing is.
    public var flaw: @Sendable (_ written: [UInt8], _ fixture: Fixture) -> String? = { _, _ in nil }

    /// Errors by their own names; nothing replaced; no flaws.
    public init() {}

    /// `errno-104` for an `IOError`, whose text depends on the call that failed; otherwise as the error describes itself.
    public static func errorCode(of error: any Error) -> String {
        if let error = error as? IOError { return "errno-\(error.errnoCode)" }
        return "\(error)"
    }
}

/// A pipeline as the harness drives it.
struct PipelineSubject: ProtocolSubject, ParserSubject {
    let options: PipelineOptions
    let initialize: @Sendable (any Channel, PipelineConversation) throws -> Void

    func makeConversation(for fixture: Fixture, on loop: any Loop) -> Conversation {
        let (host, log) = makeHost(for: fixture)
        return Conversation(streamProtocol: host, log: log)
    }

    func makeSession(for fixture: Fixture) -> any ParserSession {
        PipelineSession { makeHost(for: fixture) }
    }

    func normalise(written: [UInt8]) -> [UInt8] { options.normalise(written) }

    func flaw(inWritten written: [UInt8], for fixture: Fixture) -> String? { options.flaw(written, fixture) }

    private func makeHost(for fixture: Fixture) -> (PipelineProtocol, TraceLog) {
        let log = TraceLog()
        log.endsWithError = true
        let host = PipelineProtocol { [options] error in
            if let code = options.errorCode(error) { log.event(.error, code) }
        } initialize: { [initialize] channel in
            try initialize(channel, PipelineConversation(fixture: fixture, log: log))
        }
        return (host, log)
    }
}
