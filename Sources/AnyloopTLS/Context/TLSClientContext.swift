import AnyloopCore

/// What a client needs for TLS, made once and never changed; any number of loops and threads may share it.
public final class TLSClientContext: Sendable {
    /// What it was made of.
    public let options: TLSClientOptions
    let handle: TLSContextHandle
    let sessions: TLSSessionCache

    /// By default the system's roots, with certificate and host name checked.
    ///
    /// - Throws: `TLSError` (`.configuration`) for files, keys or names that cannot be used.
    public init(_ options: TLSClientOptions = TLSClientOptions()) throws(TLSError) {
        self.options = options
        handle = try TLSContextHandle(client: options)
        sessions = TLSSessionCache(limit: options.sessionLimit)
    }
}
