public import AnyloopHarness
import AnyloopNativeLoop
import AnyloopWire

extension Registry {
    /// This package's own implementations and loops.
    public static var anyloop: Registry {
        var registry = Registry()
        registry.subjects = [.http1Server, .http1Client, .tlsServer, .tlsClient, .echo]
        registry.loopProviders = PollerKind.allCases.flatMap { [.native($0), .compat($0)] }
        registry.scenarios = CurlScenarios.all + ClientScenarios.all + RuleChecks.all
        return registry
    }
}

extension Subject {
    /// Our HTTP/1.1 server side: parser and protocol.
    public static let http1Server = Subject(
        name: "http1-server", side: .server, tags: ["http1"], parser: HTTP1ParserSubject(role: .requests),
        protocol: HTTPServerSubject())

    /// Our HTTP/1.1 client side: parser and protocol.
    public static let http1Client = Subject(
        name: "http1-client", side: .client, tags: ["http1"], parser: HTTP1ParserSubject(role: .responses),
        protocol: HTTPClientSubject())
}

extension Subject {
    /// Our echo over a stream.
    public static let echo = Subject(name: "echo", side: .server, tags: ["echo"], protocol: EchoSubject())
}

extension LoopProvider {
    /// Our loop with callbacks straight from `poller`.
    static func native(_ poller: PollerKind) -> LoopProvider {
        LoopProvider(
            mode: .native, poller: poller.rawValue, asyncioLiberties: LoopLiberty.taken(byNative: true),
            sockets: { LoopSockets($0) }
        ) {
            var options = NativeLoopOptions()
            options.poller = poller
            return try NativeLoop(options: options)
        }
    }

    /// Our loop with asyncio's contract, over `poller`.
    static func compat(_ poller: PollerKind) -> LoopProvider {
        LoopProvider(
            mode: .compat, poller: poller.rawValue, asyncioLiberties: LoopLiberty.taken(byNative: false),
            sockets: { LoopSockets($0) }
        ) {
            var options = NativeLoopOptions()
            options.poller = poller
            return try CompatLoop(options: options)
        }
    }
}
