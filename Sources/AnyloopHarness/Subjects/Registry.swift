/// Everything a matrix can be made of: what is driven, on which loops, by which scenarios.
///
/// The command line fills one with this package's implementations; a package of one's own fills one with its own
/// and hands it to the runner.
public struct Registry: Sendable {
    /// What is driven by fixtures.
    public var subjects: [Subject] = []
    /// The loops, one entry for each mode and poller.
    public var loopProviders: [LoopProvider] = []
    /// What is driven by independent peers.
    public var scenarios: [LiveScenario] = []

    /// An empty registry.
    public init() {}

    /// The subject of that name.
    public func subject(named name: String) -> Subject? { subjects.first { $0.name == name } }

    /// The loop of that mode and poller.
    public func loopProvider(mode: Mode, poller: String) -> LoopProvider? {
        loopProviders.first { $0.mode == mode && $0.poller == poller }
    }

    /// The pollers that some loop has, in the order of their registration.
    public var pollers: [String] {
        var names: [String] = []
        for provider in loopProviders where !names.contains(provider.poller) { names.append(provider.poller) }
        return names
    }

    /// The modes that some loop has, in the order of `Mode`.
    public var modes: [Mode] { Mode.allCases.filter { mode in loopProviders.contains { $0.mode == mode } } }
}
