public import AnyloopHarness
import AnyloopWire

extension Registry {
    /// This package's own implementations.
    public static var anyloop: Registry {
        var registry = Registry()
        registry.subjects = [.http1Server, .http1Client]
        registry.scenarios = CurlScenarios.all
        return registry
    }
}

extension Subject {
    /// Our HTTP/1.1 server side.
    public static let http1Server = Subject(
        name: "http1-server", side: .server, tags: ["http1"], parser: HTTP1ParserSubject(role: .requests))

    /// Our HTTP/1.1 client side.
    public static let http1Client = Subject(
        name: "http1-client", side: .client, tags: ["http1"], parser: HTTP1ParserSubject(role: .responses))
}
