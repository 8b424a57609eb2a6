/// Content made by rule, so that neither side keeps megabytes of expected bytes: byte `i` depends on `i` alone.
public enum PatternBytes {
    /// The byte at `index`; the period is long enough that a lost or repeated block shows.
    public static func byte(at index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8 &* 7 &+ index >> 16)
    }

    /// `count` bytes from `offset` on.
    public static func bytes(offset: Int = 0, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(max(0, count))
        var (index, end) = (offset, offset + count)
        while index < end {
            let (high, low) = (index >> 8, index & 0xFF)
            let block = blocks[(high &* 7 &+ high >> 8) & 0xFF]
            let size = min(256 - low, end - index)
            bytes += block[low..<low + size]
            index += size
        }
        return bytes
    }

    /// Whether `bytes` are those from `offset` on.
    public static func matches(_ bytes: [UInt8], offset: Int) -> Bool {
        bytes == self.bytes(offset: offset, count: bytes.count)
    }

    // Within 256 bytes that begin at a multiple of 256 only the lowest eight bits of the index change: of such blocks
    // there are as many as values of the rest. Tests that are not optimised would take seconds a scenario otherwise.
    private static let blocks: [[UInt8]] = (0..<256).map { rest in
        (0..<256).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ rest) }
    }
}

/// One request of a scenario, in words that every client can carry out.
public struct ScenarioStep: Sendable {
    /// What a request carries.
    public enum Body: Sendable {
        /// Nothing, and no Content-Length.
        case none
        /// Bytes with a Content-Length.
        case text(String)
        /// `PatternBytes` with a Content-Length.
        case pattern(Int)
        /// `PatternBytes` in chunks, without a Content-Length.
        case chunkedPattern(Int)
    }

    /// How the client logs in.
    public enum Credentials: Sendable {
        /// RFC 7617, sent with the first request.
        case basic(user: String, password: String)
        /// RFC 7616, after the server's challenge.
        case digest(user: String, password: String)
    }

    /// The path, with its query.
    public var path: String
    /// The request method.
    public var method = "GET"
    /// Fields beside those that the client sends of itself.
    public var fields: [(name: String, value: String)] = []
    /// What is sent.
    public var body = Body.none
    /// The version on the request line is HTTP/1.0.
    public var http10 = false
    /// `Expect: 100-continue` is sent: true; is not: false; as the client likes: nil.
    public var expectContinue: Bool?
    /// 3xx answers are followed, at most so many times; nil: not at all.
    public var redirectLimit: Int?
    /// The value of `Range` after `bytes=`.
    public var range: String?
    /// gzip and deflate are asked for and undone.
    public var compressed = false
    /// How the client logs in; nil: not at all.
    public var credentials: Credentials?
    /// Cookies are kept and sent within this scenario.
    public var cookies = false
    /// The client stops reading for good after so many body bytes and closes.
    public var abortAfter: Int?
    /// The client pauses for so many milliseconds at each part of the body it gets.
    public var pausePerPart: Int?
    /// The whole exchange may take so many milliseconds.
    public var timeLimit = 20_000
    /// A connection of its own, closed afterwards.
    public var freshConnection = false
    /// The server is asked in its role as a proxy: the request line has the absolute form.
    public var asProxy = false
    /// What is special about its TLS, where the server speaks that.
    public var tls = ScenarioStepTLS()

    /// A GET of `path`.
    public init(_ path: String) {
        self.path = path
    }

    /// A request of `path` with `method`.
    public init(_ method: String, _ path: String, body: Body = .none) {
        self.path = path
        self.method = method
        self.body = body
    }

    /// This step with one more change, for catalogs written as expressions.
    public func with(_ change: (inout ScenarioStep) -> Void) -> ScenarioStep {
        var copy = self
        change(&copy)
        return copy
    }
}

/// How an exchange ended, in words that hold for every client.
public enum ScenarioOutcome: String, Sendable, Codable {
    /// A whole response.
    case ok
    /// The connection ended before the body did (curl: 18).
    case partial
    /// The connection ended before any response (curl: 52).
    case emptyReply = "empty-reply"
    /// A reset or another failure while receiving (curl: 56).
    case receiveFailed = "receive-failed"
    /// Nothing listens there (curl: 7).
    case refused
    /// The time limit ran out (curl: 28).
    case timedOut = "timed-out"
    /// The client itself stopped in mid-body (curl: 23).
    case clientAborted = "client-aborted"
    /// More redirects than allowed (curl: 47).
    case tooManyRedirects = "too-many-redirects"
    /// The response is no HTTP, or breaks its framing (curl: 1, 8, 56, 61).
    case malformed
    /// No TLS came about (curl: 35).
    case handshakeFailed = "handshake-failed"
    /// The client does not trust the server's certificate, or it is for another name (curl: 60).
    case certificateRefused = "certificate-refused"
    /// A stream of HTTP/2 ended by an error, the connection did not (curl: 16, 92).
    case streamFailed = "stream-failed"
    /// Anything else.
    case other
}

/// What one client saw of one step; this is what is judged.
public struct ScenarioView: Sendable, Equatable {
    /// How it ended.
    public var outcome = ScenarioOutcome.ok
    /// The final response's status; 0 without one.
    public var status = 0
    /// The HTTP version of the final response as its status line has it, `1.1` or `2`; not compared, since only curl
    /// tells.
    public var version = ""
    /// Statuses of the interim and redirecting responses before it.
    public var earlierStatuses: [Int] = []
    /// The final response's fields, names in lower case, in order.
    public var fields: [(name: String, value: String)] = []
    /// The body as far as it came, decoded where `compressed` was asked for.
    public var body: [UInt8] = []
    /// Connections opened for this step.
    public var connections = 0
    /// Redirects followed.
    public var redirects = 0
    /// The client's own words for an error.
    public var note = ""

    /// A view of nothing yet.
    public init() {}

    /// The values of `name`, in lower case.
    public func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// Compares everything but the version and the client's own words.
    public static func == (left: ScenarioView, right: ScenarioView) -> Bool {
        left.outcome == right.outcome && left.status == right.status
            && left.earlierStatuses == right.earlierStatuses && left.body == right.body
            && left.connections == right.connections && left.redirects == right.redirects
            && left.fields.elementsEqual(right.fields) { $0 == $1 }
    }
}
