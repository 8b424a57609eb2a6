import AnyloopAgents
public import AnyloopCore
public import AnyloopHarness

/// Our echo behind a transport: it has no events, so what it writes is all that is judged.
public struct EchoSubject: ProtocolSubject {
    /// A subject; it has no options.
    public init() {}

    /// One echo.
    public func makeConversation(for fixture: Fixture, on loop: any Loop) throws -> Conversation {
        Conversation(streamProtocol: EchoProtocol(), log: TraceLog())
    }
}
