import AnyloopHarness

/// Hummingbird's router on our loop and on NIO's, each reached by curl.
enum HummingbirdScenarios {
    /// Their scenarios.
    static let all: [LiveScenario] = []
}
