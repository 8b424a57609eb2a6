import Synchronization

/// The context that new connections take: replace it to renew a certificate while old connections live on.
public final class TLSServerContextSource: Sendable {
    private let context: Mutex<TLSServerContext>

    /// Begins with `context`.
    public init(_ context: TLSServerContext) {
        self.context = Mutex(context)
    }

    /// The context for the next connection; may be read and set on any thread.
    public var current: TLSServerContext {
        get { context.withLock { $0 } }
        set { context.withLock { $0 = newValue } }
    }
}
