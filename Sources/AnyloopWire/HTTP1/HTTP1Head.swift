/// The head of a request or response: start line, fields, and what they mean for the connection.
///
/// A value of its own: keeping one costs a copy when the parser starts the next message, not before.
public struct HTTP1Head: Sendable {
    /// The field lines, in order.
    public internal(set) var fields = HTTP1Fields()
    /// The request's method; of a response, the method it answers.
    public internal(set) var method = HTTP1Method.other
    /// The form of the request's target.
    public internal(set) var targetForm = HTTP1TargetForm.origin
    /// The version in the start line.
    public internal(set) var version = HTTP1Version.http11
    /// The response's status code, 100 to 999; 0 for a request.
    public internal(set) var status = 0
    /// How the end of the content is known.
    public internal(set) var framing = HTTP1Framing.none
    /// Whether the connection may carry another message after this one (RFC 9112 §9.3).
    public internal(set) var keepAlive = true
    /// Whether the client waits for 100 before it sends the content (RFC 9110 §10.1.1).
    public internal(set) var expectsContinue = false
    /// Whether Upgrade is present and Connection names it, in HTTP/1.1 (RFC 9110 §7.8).
    public internal(set) var offersUpgrade = false

    var methodRange = HTTP1Extent()
    var targetRange = HTTP1Extent()
    var authorityRange = HTTP1Extent()
    var pathRange = HTTP1Extent()
    var queryRange: HTTP1Extent?
    var reasonRange = HTTP1Extent()
    var hostIndex: Int32 = -1

    init() {}

    /// Makes this the head of nothing, and keeps some storage.
    mutating func reset() {
        fields.reset()
        method = .other
        targetForm = .origin
        version = .http11
        status = 0
        framing = .none
        keepAlive = true
        expectsContinue = false
        offersUpgrade = false
        methodRange = HTTP1Extent()
        targetRange = HTTP1Extent()
        authorityRange = HTTP1Extent()
        pathRange = HTTP1Extent()
        queryRange = nil
        reasonRange = HTTP1Extent()
        hostIndex = -1
    }

    /// The request's method as received.
    public var methodName: String { fields.string(methodRange.range) }

    /// The request's target as received; it is ASCII.
    public var target: String { fields.string(targetRange.range) }

    /// The path in the target as received, without query; empty where the form has none.
    public var path: String { fields.string(pathRange.range) }

    /// What follows the target's `?`, as received; nil if there is no `?`.
    public var query: String? { queryRange.map { fields.string($0.range) } }

    /// The host, with port if given: of the target if that has one, else of the Host field; nil if there is neither.
    public var authority: String? {
        if targetForm == .absolute || targetForm == .authority { return fields.string(authorityRange.range) }
        return hostIndex < 0 || hostIndex >= fields.count ? nil : fields.value(at: Int(hostIndex))
    }

    /// The response's reason phrase as received; may be empty.
    public var reason: String { fields.string(reasonRange.range) }

    /// Calls `body` with the bytes of the request's method.
    public func withMethod<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try fields.withBytes(methodRange.range, body)
    }

    /// Calls `body` with the bytes of the request's target.
    public func withTarget<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try fields.withBytes(targetRange.range, body)
    }

    /// Calls `body` with the bytes of the path in the target, without query.
    public func withPath<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try fields.withBytes(pathRange.range, body)
    }

    /// Calls `body` with the bytes of the response's reason phrase.
    public func withReason<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try fields.withBytes(reasonRange.range, body)
    }
}

/// A range of a head's bytes, in half the space of `Range<Int>`.
struct HTTP1Extent: Sendable {
    var start: UInt32 = 0
    var end: UInt32 = 0

    init() {}

    @inline(__always)
    init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    @inline(__always)
    var range: Range<Int> { Int(start)..<Int(max(start, end)) }
}
