import AnyloopSubjects
import NIOCore
import NIOHTTP1

/// What the service makes of a request: the routes of `ScenarioCatalog`, for both HTTP handlers.
enum HTTPServiceRoute {
    /// Answers with this once the request is over.
    case answer(HTTPServiceAnswer)
    /// Answers with method, length and body of the request, as long as that is not too long.
    case echo(limit: Int)
    /// Compares the body with `PatternBytes`, taking a rest after each part.
    case check(pause: TimeAmount?)
    /// Sends each part of the body back as it comes.
    case mirror
    /// Sends `PatternBytes` as the peer takes it, with a length or in chunks.
    case pattern(count: Int, isAnnounced: Bool)
    /// Sends an informational head first.
    case earlyHints(HTTPServiceAnswer)
    /// Answers as soon as the head is there, and closes.
    case refuse(HTTPServiceAnswer)
    /// Begins a body and closes in the midst of it.
    case breakOff(isAnnounced: Bool)
    /// Closes without an answer.
    case hangUp
    /// Never answers.
    case silence

    /// The bytes that `echo` takes.
    static let echoLimit = 1 << 20
    /// Bytes of a generated body in one write.
    static let portion = 16384

    /// The route of `head`.
    init(_ head: HTTPRequestHead) {
        let parts = head.uri.split(separator: "/", omittingEmptySubsequences: true)
        let number = parts.last.flatMap { Int($0) }
        switch parts.first ?? "" {
        case "hello" where head.method != .GET && head.method != .HEAD:
            self = .answer(HTTPServiceAnswer(status: .methodNotAllowed, fields: [("allow", "GET, HEAD")]))
        case "hello": self = .answer(HTTPServiceAnswer(text: "hello, world\n"))
        case "target", "http:": self = .answer(HTTPServiceAnswer(text: head.uri))
        case "method": self = .answer(HTTPServiceAnswer(text: head.method.rawValue))
        case "status": self = .answer(HTTPServiceAnswer(status: HTTPResponseStatus(statusCode: number ?? 200)))
        case "ignore": self = .answer(HTTPServiceAnswer(text: "ignored\n"))
        case "close": self = .answer(HTTPServiceAnswer(fields: [("connection", "close")], text: "bye\n"))
        case "echo": self = .echo(limit: Self.echoLimit)
        case "small-upload": self = .echo(limit: 65536)
        case "upload": self = .check(pause: nil)
        case "slow-upload": self = .check(pause: .milliseconds(1))
        case "echo-stream": self = .mirror
        case "bytes": self = .pattern(count: number ?? 0, isAnnounced: true)
        case "stream": self = .pattern(count: number ?? 0, isAnnounced: false)
        case "refuse": self = .refuse(HTTPServiceAnswer(status: .forbidden, fields: [("connection", "close")]))
        case "truncated": self = .breakOff(isAnnounced: true)
        case "truncated-chunks": self = .breakOff(isAnnounced: false)
        case "no-answer": self = .hangUp
        case "never": self = .silence
        default: self = Self.answer(to: head, String(parts.first ?? ""), number)
        }
    }

    private static func answer(to head: HTTPRequestHead, _ route: String, _ number: Int?) -> HTTPServiceRoute {
        switch route {
        case "redirect": .answer(.redirect(number ?? 302, to: "/method"))
        case "chain": .answer(.redirect(302, to: (number ?? 1) > 1 ? "/chain/\((number ?? 1) - 1)" : "/method"))
        case "loop": .answer(.redirect(302, to: "/loop"))
        case "cookie" where head.uri.hasSuffix("/set"):
            .answer(HTTPServiceAnswer(fields: [("set-cookie", "taste=ginger; Path=/")], text: "set\n"))
        case "cookie": .answer(HTTPServiceAnswer(text: head.headers.first(name: "cookie") ?? ""))
        case "basic": .answer(.basic(head.headers.first(name: "authorization")))
        case "large-head":
            .answer(HTTPServiceAnswer(fields: [("x-large", String(repeating: "v", count: 7000))]))
        case "trailers": .answer(HTTPServiceAnswer(text: "abc", trailers: [("x-sum", "294")]))
        case "early-hints": .earlyHints(HTTPServiceAnswer(text: "hello, world\n"))
        default: .answer(HTTPServiceAnswer(status: .notFound, text: "not found\n"))
        }
    }

    /// Whether the body of the request is wanted, so that a client that asks first is told to go on.
    var wantsBody: Bool {
        switch self {
        case .echo, .check, .mirror: true
        case .answer, .pattern, .earlyHints, .refuse, .breakOff, .hangUp, .silence: false
        }
    }
}

/// A response that is known whole.
struct HTTPServiceAnswer {
    /// The status.
    var status = HTTPResponseStatus.ok
    /// Fields beside the length.
    var fields: [(String, String)] = []
    /// The body.
    var body = ByteBuffer()
    /// Fields after the body, which then comes in chunks.
    var trailers: [(String, String)] = []

    /// A response with `text` as its body.
    init(
        status: HTTPResponseStatus = .ok, fields: [(String, String)] = [], text: String = "",
        trailers: [(String, String)] = []
    ) {
        self.status = status
        self.fields = fields
        self.trailers = trailers
        body = ByteBuffer(string: text)
    }

    /// Its head, in answer to `request`.
    func head(for request: HTTPRequestHead) -> HTTPResponseHead {
        var fields = HTTPHeaders(fields)
        if status.mayHaveResponseBody, trailers.isEmpty {
            fields.replaceOrAdd(name: "content-length", value: String(body.readableBytes))
        }
        if request.version.major >= 2 {
            // RFC 9113 §8.2.2: connections are HTTP/2's own affair.
            fields.remove(name: "connection")
        } else if closes(after: request) {
            fields.replaceOrAdd(name: "connection", value: "close")
        } else if request.version == .http1_0 {
            fields.replaceOrAdd(name: "connection", value: "keep-alive")
        }
        return HTTPResponseHead(version: request.version, status: status, headers: fields)
    }

    /// Whether the body goes out in answer to `request`: NIO's encoder knows nothing of the method.
    func sendsBody(to request: HTTPRequestHead) -> Bool { body.readableBytes > 0 && request.method != .HEAD }

    /// Whether the connection ends with it.
    func closes(after request: HTTPRequestHead) -> Bool {
        !request.isKeepAlive || fields.contains { $0 == ("connection", "close") }
    }

    /// A body that is more than the route takes.
    static let tooLarge = HTTPServiceAnswer(status: .payloadTooLarge, fields: [("connection", "close")])

    /// What `HTTPServiceRoute.echo` says.
    static func echo(_ head: HTTPRequestHead, _ body: ByteBuffer) -> HTTPServiceAnswer {
        var answer = HTTPServiceAnswer(text: "\(head.method.rawValue) \(body.readableBytes)\n")
        answer.body.writeImmutableBuffer(body)
        return answer
    }

    /// A redirect.
    static func redirect(_ code: Int, to location: String) -> HTTPServiceAnswer {
        HTTPServiceAnswer(
            status: HTTPResponseStatus(statusCode: code), fields: [("location", location)], text: "see \(location)\n")
    }

    /// The answer to a login by RFC 7617, of which only "ada:lovelace" is right.
    static func basic(_ credentials: String?) -> HTTPServiceAnswer {
        if credentials == "Basic YWRhOmxvdmVsYWNl" { return HTTPServiceAnswer(text: "welcome\n") }
        return HTTPServiceAnswer(
            status: .unauthorized, fields: [("www-authenticate", "Basic realm=\"anyloop\"")])
    }
}

extension HTTPResponseStatus {
    /// Whether a response with this status has a body (RFC 9110 §6.4.1).
    var mayHaveResponseBody: Bool { !(100..<200).contains(code) && code != 204 && code != 304 }
}

extension HTTPResponseHead {
    /// The head of a generated body; without a length it comes in chunks, or to HTTP/1.0 until the end.
    static func pattern(_ version: HTTPVersion, count: Int?) -> HTTPResponseHead {
        let fields = count.map { [("content-length", String($0))] } ?? []
        return HTTPResponseHead(version: version, status: .ok, headers: HTTPHeaders(fields))
    }

    /// What may be fetched while the answer is being made (RFC 8297).
    static func earlyHints(_ version: HTTPVersion) -> HTTPResponseHead {
        HTTPResponseHead(
            version: version, status: HTTPResponseStatus(statusCode: 103),
            headers: HTTPHeaders([("link", "</a.css>; rel=preload")]))
    }
}

extension ByteBuffer {
    /// The portion at `offset` of a generated body of `count` bytes.
    static func pattern(offset: Int, of count: Int) -> ByteBuffer {
        ByteBuffer(bytes: PatternBytes.bytes(offset: offset, count: min(HTTPServiceRoute.portion, count - offset)))
    }
}

/// A comparison of what comes with `PatternBytes`.
struct HTTPServiceCheck {
    private var count = 0
    private var isIntact = true

    /// Compares the next part.
    mutating func take(_ part: ByteBuffer) {
        if !PatternBytes.matches(Array(buffer: part), offset: count) { isIntact = false }
        count += part.readableBytes
    }

    /// What came of it.
    var answer: HTTPServiceAnswer { HTTPServiceAnswer(text: "\(count) \(isIntact ? "intact" : "damaged")\n") }
}
