/// The stream ended before all that was asked for had come (asyncio: `IncompleteReadError`).
public struct IncompleteReadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What did come.
    public let partial: [UInt8]
    /// How many bytes were asked for; nil where a separator was.
    public let expected: Int?

    /// The end after `partial`.
    public init(partial: [UInt8], expected: Int?) {
        self.partial = partial
        self.expected = expected
    }

    /// In asyncio's words.
    public var description: String {
        let total = expected.map(String.init) ?? "undefined"
        return "\(partial.count) bytes read on a total of \(total) expected bytes"
    }
}

/// No separator within the reader's limit (asyncio: `LimitOverrunError`); the bytes are still in its buffer.
public struct LimitOverrunError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in asyncio's words.
    public let message: String
    /// Bytes before the separator, or so many that certainly hold none: `readExactly` may take them away.
    public let consumed: Int

    /// An overrun after `consumed` bytes.
    public init(message: String, consumed: Int) {
        self.message = message
        self.consumed = consumed
    }

    /// The message.
    public var description: String { message }
}
