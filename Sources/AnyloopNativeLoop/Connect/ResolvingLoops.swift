import AnyloopCore

extension NativeLoop: ResolvingLoop {
    /// Answers for names before the system is asked.
    public var resolver: (@Sendable (_ host: String, _ port: UInt16) -> Result<[SocketAddress], TransportError>?)? {
        get { nameResolver }
        set { nameResolver = newValue }
    }
}

extension NativeLoopFacade {
    /// Answers for names before the system is asked.
    public var resolver: (@Sendable (_ host: String, _ port: UInt16) -> Result<[SocketAddress], TransportError>?)? {
        get { native.resolver }
        set { native.resolver = newValue }
    }
}
