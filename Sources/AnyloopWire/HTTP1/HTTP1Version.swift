/// The version in a message's start line (RFC 9112 §2.3); the major one is always 1.
public struct HTTP1Version: Sendable, Equatable, Comparable, CustomStringConvertible {
    /// The digit after the dot.
    public let minor: UInt8

    /// HTTP/1.`minor`.
    public init(minor: UInt8) {
        self.minor = minor
    }

    /// HTTP/1.0.
    public static let http10 = HTTP1Version(minor: 0)
    /// HTTP/1.1.
    public static let http11 = HTTP1Version(minor: 1)

    /// `HTTP/1.1` and the like.
    public var description: String { "HTTP/1.\(minor)" }

    /// Whether the left version is the older one.
    public static func < (left: HTTP1Version, right: HTTP1Version) -> Bool { left.minor < right.minor }
}
