import AnyloopCore

extension NativeLoop: ResolvingLoop {
    /// Answers for names before the system is asked.
    public var resolver: (@Sendable (_ host: String, _ port: UInt16) -> Result<[SocketAddress], TransportError>?)? {
        get { nameResolver }
        set { nameResolver = newValue }
    }
}

extension CompatLoop: ResolvingLoop {
    /// Answers for names before the system is asked.
    public var resolver: (@Sendable (_ host: String, _ port: UInt16) -> Result<[SocketAddress], TransportError>?)? {
        get { native.nameResolver }
        set { native.nameResolver = newValue }
    }
}
