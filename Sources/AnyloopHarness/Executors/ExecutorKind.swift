/// One way to run a subject.
public enum ExecutorKind: String, Sendable, Hashable, CaseIterable, Codable {
    /// Its parser, in memory, without protocol or transport.
    case parser
    /// Its protocol over a memory transport with a manual clock.
    case memory
    /// Its protocol over TLS over a memory transport with a manual clock; the peer has a TLS engine of its own.
    case memoryTLS = "memory-tls"
    /// Its protocol on a real loop, over a pair of connected Unix stream sockets.
    case socketpair
    /// Its protocol on a real loop, over TCP on the loopback interface.
    case tcp
    /// Its protocol on a real loop, over TLS over TCP on the loopback interface.
    case tls
    /// Its protocol on a real loop, over a Unix stream socket with a path.
    case unix

    /// Whether it needs a `LoopProvider`.
    public var needsLoop: Bool {
        switch self {
        case .parser, .memory, .memoryTLS: false
        case .socketpair, .tcp, .tls, .unix: true
        }
    }

    /// Whether the bytes go through TLS.
    public var isOverTLS: Bool { self == .memoryTLS || self == .tls }

    /// Whether `plan` says anything to it: only where there are records can they be cut.
    public func takes(_ plan: CutPlan) -> Bool { isOverTLS || !plan.needsTLS }
}
