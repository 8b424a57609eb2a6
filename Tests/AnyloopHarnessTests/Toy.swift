import AnyloopCore
import AnyloopHarness

/// A protocol of the tests' own: a message is a digit and as many bytes. Its parser can be broken on purpose.
struct ToyParser: ParserSubject {
    /// What is broken.
    enum Bug: Sendable, CaseIterable {
        case losesByteAtBoundary, endsTwice, depends, silentEnd, extraEventOnEOF
    }

    var bug: Bug?

    func makeSession(for fixture: Fixture) -> any ParserSession { ToySession(bug: bug) }
}

final class ToySession: ParserSession {
    private let bug: ToyParser.Bug?
    private var remaining = -1
    private var feeds = 0
    private var hasFailed = false
    private var offset = 0

    init(bug: ToyParser.Bug?) { self.bug = bug }

    func restart() {
        remaining = -1
        feeds = 0
        hasFailed = false
        offset = 0
    }

    func feed(_ chunk: Span<UInt8>, into trace: inout TraceRecorder) {
        guard !hasFailed else { return }
        feeds += 1
        defer { offset += chunk.count }
        var position = bug == .losesByteAtBoundary && feeds > 1 && remaining > 0 ? 1 : 0
        remaining -= position
        if bug == .depends, feeds == 3 { trace.event(.note) }
        while position < chunk.count {
            if remaining < 0 {
                guard chunk[position] >= 0x30, chunk[position] <= 0x39 else {
                    trace.error("bad-length", at: (offset + position)..<(offset + position + 1))
                    hasFailed = true
                    return
                }
                remaining = Int(chunk[position]) - 0x30
                trace.event(.head)
                trace.part(chunk.extracting(position..<(position + 1)))
                position += 1
            } else {
                let count = min(remaining, chunk.count - position)
                let body = chunk.extracting(position..<(position + count))
                trace.body(body)
                remaining -= count
                position += count
            }
            if remaining == 0 {
                trace.event(.end)
                if bug == .endsTwice { trace.event(.end) }
                remaining = -1
            }
        }
    }

    func end(into trace: inout TraceRecorder) {
        if remaining >= 0, !hasFailed, bug != .silentEnd { trace.error("unexpected-eof") }
        if bug == .extraEventOnEOF { trace.event(.head) }
    }
}

extension ToySession {
    func reset(into trace: inout TraceRecorder) { end(into: &trace) }
}

/// The same over a transport: answers each message with its length, and closes after a `0`.
struct ToyServer: ProtocolSubject {
    /// What is broken.
    enum Bug: Sendable, CaseIterable {
        case ignoresEOF, answersByChunk, writesNothingWhenPaused, throwsInData, neverTellsOfLoss
    }

    var bug: Bug?

    func makeConversation(for fixture: Fixture, on loop: any Loop) -> Conversation {
        let log = TraceLog()
        return Conversation(streamProtocol: ToyProtocol(bug: bug, log: log), log: log)
    }
}

struct ToyError: Error {}

final class ToyProtocol: StreamProtocol {
    private let bug: ToyServer.Bug?
    private let log: TraceLog
    private let session = ToySession(bug: nil)
    private var transport: (any StreamTransport)?
    private var inMessage = false
    private var isPaused = false

    init(bug: ToyServer.Bug?, log: TraceLog) {
        self.bug = bug
        self.log = log
    }

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) throws {
        if bug == .throwsInData { throw ToyError() }
        log.record { session.feed(data, into: &$0) }
        if bug == .writesNothingWhenPaused, isPaused { return }
        if bug == .answersByChunk { return transport?.write(Array("ok".utf8)) ?? () }
        for index in data.indices { transport?.write([data[index]]) }
    }

    func eofReceived() -> Bool {
        guard bug != .neverTellsOfLoss else { return false }
        log.record { session.end(into: &$0) }
        return bug == .ignoresEOF
    }

    func connectionLost(_ error: TransportError?) {
        transport = nil
        if error != nil, bug != .neverTellsOfLoss { log.record { session.end(into: &$0) } }
    }

    func pauseWriting() { isPaused = true }
    func resumeWriting() { isPaused = false }
}

enum Toy {
    static func subject(_ bug: ToyParser.Bug? = nil, _ server: ToyServer.Bug? = nil) -> Subject {
        Subject(
            name: "toy", side: .server, tags: ["toy"], parser: ToyParser(bug: bug), protocol: ToyServer(bug: server))
    }

    static func fixture(_ stream: String, expect: String) throws -> Fixture {
        let text =
            "wire 1\nid toy/x\nsource recorded by\ntags toy\ntitle t\n--- stream\n\(stream)\n--- expect server\n\(expect)\n"
        return try Fixture.parse(Array(text.utf8), file: "toy.wire")
    }

    static func standard() throws -> Fixture {
        try fixture(
            "> \"3abc\"\n|\n> \"0\"\n|\n> \"5hello\"\n> !fin",
            expect:
                "events head 3; body \"abc\"; end; head 0; end; head 5; body \"hello\"; end\nwire < \"3abc05hello\"\nclose"
        )
    }
}
