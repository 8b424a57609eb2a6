public import AnyloopHarness
import AnyloopWire
import HTTPTypes

/// Our HTTP/1.1 parser, reading requests on the server's side and responses on the client's.
public struct HTTP1ParserSubject: ParserSubject {
    /// What the parser reads.
    public let role: HTTP1Parser.Role

    /// A subject for one role.
    public init(role: HTTP1Parser.Role) { self.role = role }

    /// A parser that has been told of the fixture's requests, and accepts an upgrade where the fixture has one.
    public func makeSession(for fixture: Fixture) -> any ParserSession {
        let side: Fixture.Side = role == .requests ? .server : .client
        let methods = role == .responses ? HTTP1Conversation.methods(of: fixture) : []
        return HTTP1ParserSession(
            role: role, methods: methods.map { HTTP1Method($0) }, acceptsUpgrade: fixture.acceptsUpgrade(side))
    }
}

/// What a client has sent by the time a fixture's responses come.
enum HTTP1Conversation {
    /// The methods of the requests that are answered: as the fixture lists them, else one GET.
    static func methods(of fixture: Fixture) -> [String] {
        fixture.requests.isEmpty ? ["GET"] : fixture.requests
    }
}

/// One HTTP/1.1 parser in use.
final class HTTP1ParserSession: ParserSession {
    private let role: HTTP1Parser.Role
    private let methods: [HTTP1Method]
    private let acceptsUpgrade: Bool
    private var parser: HTTP1Parser
    private var isSwitched = false
    private var hasFailed = false

    init(role: HTTP1Parser.Role, methods: [HTTP1Method], acceptsUpgrade: Bool) {
        self.role = role
        self.methods = methods
        self.acceptsUpgrade = acceptsUpgrade
        parser = HTTP1Parser(role: role)
        restart()
    }

    func restart() {
        parser = HTTP1Parser(role: role)
        for method in methods { parser.expectResponse(to: method) }
        isSwitched = false
        hasFailed = false
    }

    func feed(_ chunk: Span<UInt8>, into trace: inout TraceRecorder) {
        guard !hasFailed else { return }
        guard !isSwitched else { return trace.surplus(chunk) }
        var position = 0
        do throws(HTTP1Error) {
            while let event = try parser.next(chunk, at: &position) {
                record(event, of: chunk, into: &trace)
                if isSwitched { return trace.surplus(chunk.extracting(position...)) }
            }
        } catch {
            fail(error, into: &trace)
        }
    }

    func end(into trace: inout TraceRecorder) {
        guard !isSwitched, !hasFailed else { return }
        do throws(HTTP1Error) {
            let none: [UInt8] = []
            while let event = try parser.receiveEnd() { record(event, of: none.span, into: &trace) }
        } catch {
            fail(error, into: &trace)
        }
    }

    func reset(into trace: inout TraceRecorder) {
        guard !isSwitched, !hasFailed else { return }
        do throws(HTTP1Error) {
            // Content that lasts until the close is incomplete if the close was a reset (RFC 9112 §8).
            guard try parser.receiveEnd() != nil else { return }
        } catch {
            // Which error it would be at an end of stream is of no matter.
        }
        hasFailed = true
        HTTP1Trace.lost(into: &trace)
    }

    private func record(_ event: HTTP1Event, of chunk: Span<UInt8>, into trace: inout TraceRecorder) {
        switch event {
        case .head: HTTP1Trace.head(parser.head, isRequest: role == .requests, into: &trace)
        case .body(let range): trace.body(chunk.extracting(range))
        case .trailers: HTTP1Trace.fields(parser.trailers, as: .trailer, into: &trace)
        case .end: trace.event(.end)
        case .mightSwitch:
            if acceptsUpgrade { switchOver(into: &trace) } else { parser.resumeAsHTTP() }
        case .upgrade: switchOver(into: &trace)
        }
    }

    private func switchOver(into trace: inout TraceRecorder) {
        isSwitched = true
        trace.event(.upgrade)
    }

    private func fail(_ error: HTTP1Error, into trace: inout TraceRecorder) {
        hasFailed = true
        trace.error(error.code.rawValue, at: error.offsets)
    }
}

/// How HTTP/1.1 heads are written into traces.
enum HTTP1Trace {
    /// A head: its start line's words, then its fields.
    static func head(_ head: borrowing HTTP1Head, isRequest: Bool, into trace: inout TraceRecorder) {
        trace.event(.head)
        if isRequest {
            head.withMethod { trace.part($0) }
            head.withTarget { trace.part($0) }
        } else {
            let status = [
                48 + UInt8(head.status / 100 % 10), 48 + UInt8(head.status / 10 % 10), 48 + UInt8(head.status % 10),
            ]
            trace.part(status.span)
        }
        switch head.version.minor {
        case 1: trace.part("HTTP/1.1" as StaticString)
        case 0: trace.part("HTTP/1.0" as StaticString)
        default: trace.part(head.version.description)
        }
        fields(head.fields, as: .field, into: &trace)
    }

    /// A connection that went within a message, in the parser's own word for it.
    static func lost(into trace: inout TraceRecorder) { trace.error(HTTP1ErrorCode.unexpectedEOF.rawValue) }

    /// Trailers as an application gets them.
    static func trailers(_ trailers: HTTPFields?, into trace: inout TraceRecorder) {
        for field in trailers ?? [:] {
            trace.event(.trailer)
            trace.part(field.name.rawName)
            unsafe field.withUnsafeBytesOfValue { trace.part(unsafe Span(_unsafeElements: $0)) }
        }
    }

    /// Fields, one event each.
    static func fields(_ fields: borrowing HTTP1Fields, as kind: TraceKind, into trace: inout TraceRecorder) {
        for index in fields.indices {
            trace.event(kind)
            fields.withName(at: index) { trace.part($0) }
            fields.withValue(at: index) { trace.part($0) }
        }
    }
}
