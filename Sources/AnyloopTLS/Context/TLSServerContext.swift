import AnyloopCore

/// What a server needs for TLS, made once and never changed; any number of loops and threads may share it.
public final class TLSServerContext: Sendable {
    /// What it was made of.
    public let options: TLSServerOptions
    package let handle: TLSContextHandle

    /// - Throws: `TLSError` (`.configuration`) for files, keys or names that cannot be used.
    public init(_ options: TLSServerOptions) throws(TLSError) {
        self.options = options
        handle = try TLSContextHandle(server: options)
    }
}
