import AnyloopAgents
public import AnyloopCore
public import AnyloopHarness
import AnyloopWire
import HTTPTypes

/// Our HTTP/1.1 client behind a transport: it sends the fixture's requests, all at once, and records what is answered.
public struct HTTPClientSubject: ProtocolSubject {
    /// A subject; it has no options.
    public init() {}

    /// A client's connection that asks as soon as it stands.
    public func makeConversation(for fixture: Fixture, on loop: any Loop) throws -> Conversation {
        let recorder = HTTPClientRecorder(
            methods: HTTP1Conversation.methods(of: fixture), acceptsUpgrade: fixture.acceptsUpgrade(.client))
        return Conversation(streamProtocol: recorder.connection, log: recorder.log)
    }
}

/// Makes one connection's requests and records its responses.
private final class HTTPClientRecorder {
    let log = TraceLog()
    let connection: HTTPClientProtocol
    private var waiting: ArraySlice<String>
    private let acceptsUpgrade: Bool
    private let loss = Loss()

    /// Whether the loss of the connection has been recorded; shared by its exchanges, which outlive the recorder.
    private final class Loss {
        var isTold = false
    }

    init(methods: [String], acceptsUpgrade: Bool) {
        self.acceptsUpgrade = acceptsUpgrade
        waiting = methods[...]
        var options = HTTPConnectionOptions()
        options.pipelineDepth = max(1, methods.count)
        connection = HTTPClientProtocol(options: options)
        let log = log
        connection.onHead = { head in
            log.record { trace in
                HTTP1Trace.head(head, isRequest: false, into: &trace)
                // An interim response has no body, so its head is all of it (RFC 9110 §15.2).
                if head.status < 200 { trace.event(.end) }
            }
        }
        connection.onMalformed = { error in
            log.record { $0.error(error.code.rawValue, at: error.offsets) }
        }
        // The connection keeps the recorder until all requests are out.
        connection.onReady = { self.ask() }
    }

    private func ask() {
        while connection.isReady, let method = waiting.popFirst() {
            let exchange = HTTPClientExchange(request(method))
            observe(exchange)
            do {
                try connection.start(exchange)
            } catch {
                log.event(.note, "not sent", "\(error)")
            }
        }
        if waiting.isEmpty { connection.onReady = nil }
    }

    private func request(_ name: String) -> HTTPRequest {
        let method = HTTPRequest.Method(name) ?? .get
        let isTunnel = method == .connect
        var request = HTTPRequest(
            method: method, scheme: "http", authority: isTunnel ? "server.example:443" : "server.example",
            path: isTunnel ? nil : "/")
        if acceptsUpgrade, !isTunnel {
            request.headerFields[.connection] = "upgrade"
            request.headerFields[.upgrade] = "example"
        }
        return request
    }

    private func observe(_ exchange: HTTPClientExchange) {
        let log = log
        let loss = loss
        exchange.onBody = { bytes in log.record { $0.body(bytes) } }
        exchange.onEnd = { trailers in
            log.record { trace in
                HTTP1Trace.trailers(trailers, into: &trace)
                trace.event(.end)
            }
        }
        exchange.onError = { [weak connection] error in
            // What the parser refuses was told by the connection; of a loss in the middle only this call tells. All
            // requests under way hear of it, but only the first has a response that could break off.
            guard case .connectionLost = error, connection?.isWithinResponse ?? false, !loss.isTold else { return }
            loss.isTold = true
            log.record { HTTP1Trace.lost(into: &$0) }
        }
        exchange.onSwitch = { response, _, remaining in
            log.record { trace in
                if response.status.code >= 200 { trace.event(.end) }
                trace.event(.upgrade)
                trace.surplus(remaining.span)
            }
            return SurplusRecorder(log)
        }
    }
}
