/// Why a `HummingbirdServer` does not run; each sentence says what to do about it.
public enum HummingbirdServerError: Error, Equatable, CustomStringConvertible {
    /// Servers can be bound on Anyloop's groups and on SwiftNIO's only; the type of the one that was given.
    case unsupportedGroup(String)
    /// `BindAddress` keeps its parts to itself, and this version of Hummingbird keeps them otherwise.
    case unreadableAddress(String)
    /// `HTTPServerBuilder` keeps its child channel to itself, and this version of Hummingbird keeps it otherwise.
    case unreadableProtocols(String)
    /// A delegate for available connections counts them for one listener; with one a loop each would have its own.
    case delegateNeedsOneListener
    /// SO_REUSEPORT spreads connections of TCP only.
    case unixSocketNeedsOneListener
    /// A server runs once; make another.
    case alreadyRun
    /// The server was shut down before it listened.
    case shutDownBeforeListening

    /// One sentence with the remedy.
    public var description: String {
        switch self {
        case .unsupportedGroup(let type):
            "no server can be bound on \(type); give a NativeEventLoopGroup or a MultiThreadedEventLoopGroup"
        case .unreadableAddress(let address):
            "this version of Hummingbird does not say what \(address) is; give the address in HummingbirdServerOptions"
        case .unreadableProtocols(let type):
            "this version of Hummingbird does not say what \(type) serves; give `protocols:` when making the server"
        case .delegateNeedsOneListener:
            "an available-connections delegate counts for one listener; leave `listening` at .once"
        case .unixSocketNeedsOneListener:
            "a Unix socket cannot be shared by several listeners; leave `listening` at .once"
        case .alreadyRun: "this server has run already; make another"
        case .shutDownBeforeListening: "the server was shut down before it listened"
        }
    }
}
