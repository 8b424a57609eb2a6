import AnyloopHarness

/// NIO's own services, each reached by curl.
enum NIOServiceScenarios {
    /// Their scenarios.
    static let all: [LiveScenario] =
        (HTTPServiceScenarios.all + WebSocketScenarios.all + FramingScenarios.all).map(\.live)
        + HTTPClientScenarios.all
}
