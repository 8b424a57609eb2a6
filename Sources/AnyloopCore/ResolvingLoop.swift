/// A loop whose application may answer for names (asyncio: a program that overrides the loop's `getaddrinfo`).
public protocol ResolvingLoop: Loop {
    /// Called on some thread with a host that is no literal, and a port, before the system is asked; its answer is
    /// taken in its order, nil leaves it to the system.
    var resolver: (@Sendable (_ host: String, _ port: UInt16) -> Result<[SocketAddress], TransportError>?)? { get set }
}
