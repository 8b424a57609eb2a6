/// A call that asyncio answers with an exception of Python's own: which one, and its text.
///
/// The text is asyncio's where asyncio raises in the same case, so that what is known about one helps with the other.
public struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Whose fault it is, in the classes that Python has for it.
    public enum Kind: String, Sendable, CaseIterable {
        /// Arguments that contradict each other or are out of range (Python: `ValueError`).
        case argument = "ValueError"
        /// An argument of the wrong kind, such as a datagram socket for a stream (Python: `TypeError`).
        case type = "TypeError"
        /// A call at the wrong time (Python: `RuntimeError`).
        case state = "RuntimeError"
        /// A future that is done already, or not yet (asyncio: `InvalidStateError`).
        case invalidState = "InvalidStateError"
        /// What this loop or transport cannot do (Python: `NotImplementedError`).
        case notImplemented = "NotImplementedError"
        /// A file that the kernel cannot send by itself, where nothing else is allowed (asyncio:
        /// `SendfileNotAvailableError`).
        case sendFileNotAvailable = "SendfileNotAvailableError"
    }

    /// Whose fault it is.
    public let kind: Kind
    /// What is wrong and, where it is not plain, the remedy.
    public let text: String

    /// A misuse of the given kind.
    public init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    /// Arguments that contradict each other or are out of range (Python: `ValueError`).
    public static func argument(_ text: String) -> UsageError { UsageError(.argument, text) }

    /// An argument of the wrong kind (Python: `TypeError`).
    public static func type(_ text: String) -> UsageError { UsageError(.type, text) }

    /// A call at the wrong time (Python: `RuntimeError`).
    public static func state(_ text: String) -> UsageError { UsageError(.state, text) }

    /// A future that is done already, or not yet (asyncio: `InvalidStateError`).
    public static func invalidState(_ text: String) -> UsageError { UsageError(.invalidState, text) }

    /// What this loop or transport cannot do (Python: `NotImplementedError`).
    public static func notImplemented(_ text: String) -> UsageError { UsageError(.notImplemented, text) }

    /// The text.
    public var description: String { text }
}

extension UsageError: ExpressibleByStringInterpolation {
    /// A call at the wrong time, which is the commonest misuse.
    public init(stringLiteral text: String) { self.init(.state, text) }
}
