/// One way to run a subject.
public enum ExecutorKind: String, Sendable, Hashable, CaseIterable, Codable {
    /// Its parser, in memory, without protocol or transport.
    case parser
    /// Its protocol over a memory transport with a manual clock.
    case memory
    /// Its protocol on a real loop, over a pair of connected Unix stream sockets.
    case socketpair
    /// Its protocol on a real loop, over TCP on the loopback interface.
    case tcp
    /// Its protocol on a real loop, over a Unix stream socket with a path.
    case unix

    /// Whether it needs a `LoopProvider`.
    public var needsLoop: Bool { self != .parser && self != .memory }
}
