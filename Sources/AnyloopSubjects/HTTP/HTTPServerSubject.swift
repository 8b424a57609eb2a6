import AnyloopAgents
public import AnyloopCore
public import AnyloopHarness
import AnyloopWire
import HTTPTypes

/// Our HTTP/1.1 server behind a transport: what its handler sees is recorded, and each request is answered with 200.
public struct HTTPServerSubject: ProtocolSubject {
    /// What `Date` says in every replay: 14 November 2023, 22:13:20 UTC.
    static let wallClock: Int64 = 1_700_000_000_000_000_000

    /// A subject; it has no options.
    public init() {}

    /// A server's connection whose handler reads each body to its end, and takes over where the fixture has that.
    public func makeConversation(for fixture: Fixture, on loop: any Loop) throws -> Conversation {
        let log = TraceLog()
        var options = HTTPServerOptions()
        options.wallClock = { Self.wallClock }
        let acceptsUpgrade = fixture.acceptsUpgrade(.server)
        let service = HTTPService(options: options) { exchange in
            HTTPServerRecorder(exchange, log: log, acceptsUpgrade: acceptsUpgrade).start()
        }
        service.onRefusal = { error in log.record { $0.error(error.code.rawValue, at: error.offsets) } }
        return Conversation(streamProtocol: service.makeProtocol(), log: log)
    }

    /// Without `100 Continue`, which a server may leave out where the content is there already (RFC 9110 §10.1.1).
    public func normalise(written: [UInt8]) -> [UInt8] {
        HTTP1Written.removing(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), from: written)
    }

    /// Reads the answers with means of its own: status lines, field lines, and bodies by their length.
    public func flaw(inWritten written: [UInt8], for fixture: Fixture) -> String? {
        HTTP1Written.flaw(
            inResponses: written,
            onlyFirst: fixture.acceptsUpgrade(.server)
                || HTTP1Written.contains(Array("HEAD ".utf8), in: fixture.stream(for: .server).bytes))
    }
}

/// What the handler does with one request.
private final class HTTPServerRecorder {
    private let exchange: HTTPServerExchange
    private let log: TraceLog
    private let acceptsUpgrade: Bool

    init(_ exchange: HTTPServerExchange, log: TraceLog, acceptsUpgrade: Bool) {
        self.exchange = exchange
        self.log = log
        self.acceptsUpgrade = acceptsUpgrade
    }

    func start() {
        log.record { HTTP1Trace.head(exchange.head, isRequest: true, into: &$0) }
        let log = log
        exchange.onClosed = { error in
            // What the parser refuses is told by the service; an end with a complete message is none of ours.
            guard case .connectionLost? = error else { return }
            log.record { HTTP1Trace.lost(into: &$0) }
        }
        exchange.readBody { chunk in
            log.record { $0.body(chunk) }
        } onEnd: { [self] trailers in
            finish(trailers)
        }
    }

    private func finish(_ trailers: HTTPFields?) {
        log.record { trace in
            HTTP1Trace.trailers(trailers, into: &trace)
            trace.event(.end)
        }
        exchange.onClosed = nil
        guard acceptsUpgrade, exchange.offersTakeOver else {
            let body = exchange.head.target
            return exchange.respond(HTTPResponse(status: .ok), body: Array((body + "\n").utf8))
        }
        var response = HTTPResponse(status: exchange.method == .connect ? .ok : .switchingProtocols)
        if exchange.method != .connect {
            response.headerFields[.connection] = "upgrade"
            response.headerFields[.upgrade] = exchange.head.fields["upgrade"]
        }
        let log = log
        exchange.takeOver(with: response) { transport, remaining in
            log.event(.upgrade)
            log.record { $0.surplus(remaining.span) }
            return SurplusRecorder(log)
        }
    }
}

/// Takes a connection over and records what comes.
final class SurplusRecorder: StreamProtocol {
    private let log: TraceLog

    init(_ log: TraceLog) { self.log = log }

    func dataReceived(_ data: Span<UInt8>) { log.record { $0.surplus(data) } }
}
