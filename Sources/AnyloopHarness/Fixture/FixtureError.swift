/// What is wrong with a fixture, and where.
public struct FixtureError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, as it was named.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// The column in bytes, from 1.
    public var column: Int
    /// What would have been right there.
    public var expected: String
    /// What is there.
    public var found: String

    /// One sentence: `Fixtures/a.wire:3:9: expected a closing quote, found the end of the line`.
    public var description: String { "\(file):\(line):\(column): expected \(expected), found \(found)" }
}

/// How large a fixture may be.
public struct FixtureLimits: Sendable, Hashable {
    /// Bytes in the `.wire` file.
    public var fileBytes = 16 << 20
    /// Bytes that a conversation's stream, or one expected body, may come to once `repeat` and `blob` are expanded.
    public var streamBytes = 64 << 20
    /// How deep `repeat` may be nested.
    public var repeatDepth = 4

    /// The defaults.
    public static let standard = FixtureLimits()

    /// The defaults, to be changed.
    public init() {}
}
