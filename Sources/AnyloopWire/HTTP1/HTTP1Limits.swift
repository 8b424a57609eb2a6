/// The greatest sizes that an HTTP/1 parser accepts; a message past one of them is refused.
public struct HTTP1Limits: Sendable, Equatable {
    /// Bytes of a request line or status line, without its line end; default 8192 (RFC 9112 §3 wants 8000 or more).
    public var requestLine = 8192
    /// Bytes of one field line, in head or trailers, without its line end; default 8192.
    public var fieldLine = 8192
    /// Field lines in a head, and again in the trailers; default 100.
    public var fieldCount = 100
    /// Bytes of a head with all its line ends, the empty line included; default 65536.
    public var headSize = 65536
    /// Bytes of the trailer section with all its line ends, the empty line included; default 8192.
    public var trailerSize = 8192
    /// Bytes after the size on one chunk's line, without the line end; default 256.
    public var chunkExtension = 256
    /// Bytes after the sizes on all chunk lines of one message; default 16384.
    public var chunkExtensionTotal = 16384
    /// Bytes of content of one message, after chunked coding is undone; default: no limit.
    public var bodySize = Int.max
    /// Empty lines that are skipped before a request line (RFC 9112 §2.2); default 1.
    public var leadingEmptyLines = 1

    /// The defaults.
    public init() {}

    /// The defaults.
    public static let standard = HTTP1Limits()
}
