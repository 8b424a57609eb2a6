/// What a `HummingbirdServer` does beyond what `ApplicationConfiguration` says.
public struct HummingbirdServerOptions: Sendable {
    /// Where servers listen; what `BindAddress` stands for, with parts that can be read.
    public enum Address: Sendable, Equatable {
        /// A name or an IP literal, and a port; 0: one of the system's choice.
        case hostname(String, port: Int)
        /// The path of a Unix socket; a socket that is left there is removed before.
        case unixDomainSocket(path: String)
    }

    /// How connections reach the loops of a group of several.
    public enum Listening: Sendable {
        /// One listener on one loop; its connections go to all of them in turn, as with the stock application.
        case once
        /// A listener on each loop, and the kernel spreads connections (SO_REUSEPORT); for TCP only.
        case onEachLoop
    }

    /// Where the responder's async code runs.
    public enum Execution: Sendable {
        /// On Swift's concurrent pool, as with the stock application. Each request changes threads twice.
        case pool
        /// On the thread of the connection's loop, unless the code goes elsewhere itself. Saves the changes of
        /// threads; a responder that computes for long or blocks holds up the other connections of the loop.
        case loop
    }

    /// Where to listen; nil: where `ApplicationConfiguration.address` says.
    public var address: Address?
    /// How connections reach the loops.
    public var listening = Listening.once
    /// Where the responder runs.
    public var execution = Execution.pool
    /// How long requests under way may take after a shutdown began before their connections are closed and their
    /// handlers cancelled; nil: as long
    /// as they like, as with the stock application.
    public var shutdownGrace: Duration? = .seconds(30)

    /// The stock application's ways, but for the grace of 30 seconds.
    public init() {}
}
