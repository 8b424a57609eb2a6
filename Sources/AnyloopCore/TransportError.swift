/// A system call that failed: which one, and the `errno` it left.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The value of `errno`.
    public var errno: Int32
    /// The call that failed, such as `connect`.
    public var operation: String
    /// The system's text for the error, such as `Connection refused`.
    public var text: String

    /// The failure `errno` of `operation`; `text` as `strerror` has it.
    public init(errno: Int32, operation: String, text: String) {
        self.errno = errno
        self.operation = operation
        self.text = text
    }

    /// One line: the call, the text, the number.
    public var description: String { "\(operation): \(text) (errno \(errno))" }
}

/// Why a transport ended, or a call on a loop could not be carried out.
public enum TransportError: Error, CustomStringConvertible {
    /// The system or the peer: a reset, a refused connection, an address in use.
    case system(SystemError)
    /// A callback of the application's protocol threw (asyncio: "Fatal error: protocol.… call failed.").
    case callback(name: String, error: any Error)
    /// A wait reached its limit; `what` names the wait.
    case timedOut(what: String, after: Duration)
    /// The work was cancelled by the side that asked for it.
    case cancelled
    /// A host name has no address; `code` is `getaddrinfo`'s.
    case resolution(host: String, code: Int32, text: String)
    /// Every address was tried and none answered (asyncio rule 47).
    case several([TransportError])
    /// A call with arguments that contradict each other, or at the wrong time; the text says the remedy.
    case usage(UsageError)
    /// TLS failed: a certificate, the handshake, or a stream that was cut short.
    case tls(TLSError)
    /// The loop was closed (asyncio rule 12).
    case loopClosed

    /// One sentence for the user.
    public var description: String {
        switch self {
        case .system(let error): error.description
        case .callback(let name, let error): "Fatal error: protocol.\(name)() call failed: \(error)"
        case .timedOut(let what, let after): "\(what) took longer than \(after)"
        case .cancelled: "cancelled"
        case .resolution(let host, _, let text): "cannot resolve '\(host)': \(text)"
        case .several(let errors):
            "Multiple exceptions: " + errors.map(\.description).joined(separator: ", ")
        case .usage(let error): error.text
        case .tls(let error): error.text
        case .loopClosed: "Event loop is closed"
        }
    }

    /// The `errno` behind this error, where there is one.
    public var errno: Int32? {
        if case .system(let error) = self { error.errno } else { nil }
    }
}
