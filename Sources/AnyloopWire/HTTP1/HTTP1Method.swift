/// A request's method (RFC 9110 §9); names are case-sensitive.
public enum HTTP1Method: UInt8, Sendable {
    /// Transfers a representation.
    case get
    /// Like `get`, without the content.
    case head
    /// Processes the content.
    case post
    /// Replaces the target.
    case put
    /// Removes the target.
    case delete
    /// Establishes a tunnel.
    case connect
    /// Describes the communication options.
    case options
    /// Loops the message back.
    case trace
    /// Modifies the target (RFC 5789).
    case patch
    /// Any other token; the head has its bytes.
    case other

    /// The method of this name.
    public init(_ name: String) {
        self = HTTP1Method(name.utf8.span)
    }

    /// The method that these bytes name.
    public init(_ name: Span<UInt8>) {
        let candidate: HTTP1Method
        switch (name.count, name.isEmpty ? 0 : name[0]) {
        case (3, UInt8(ascii: "G")): candidate = .get
        case (3, UInt8(ascii: "P")): candidate = .put
        case (4, UInt8(ascii: "H")): candidate = .head
        case (4, UInt8(ascii: "P")): candidate = .post
        case (5, UInt8(ascii: "T")): candidate = .trace
        case (5, UInt8(ascii: "P")): candidate = .patch
        case (6, UInt8(ascii: "D")): candidate = .delete
        case (7, UInt8(ascii: "C")): candidate = .connect
        case (7, UInt8(ascii: "O")): candidate = .options
        default:
            self = .other
            return
        }
        self = name.equals(candidate.staticName) ? candidate : .other
    }

    /// The method's name; empty for `other`.
    public var name: String { "\(staticName)" }

    /// The name as bytes that need no allocation.
    var staticName: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .connect: "CONNECT"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .patch: "PATCH"
        case .other: ""
        }
    }

    /// Whether a repeated request of this method means the same as one (RFC 9110 §9.2.2).
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .connect, .patch, .other: false
        }
    }
}
