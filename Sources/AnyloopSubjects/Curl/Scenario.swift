/// One conversation that several clients can have with several servers, and what must come of it.
public struct Scenario: Sendable {
    /// How the steps are carried out.
    public enum Kind: Sendable {
        /// One client, one step after the other, so that connections and cookies carry over.
        case sequence([(step: ScenarioStep, checks: [ScenarioCheck])])
        /// So many clients at once, each with a connection of its own; each must pass the checks.
        case parallel(count: Int, step: ScenarioStep, checks: [ScenarioCheck])
        /// Raw bytes in pieces over a connection made by curl; the answer's parts must come in this order.
        case raw(pieces: [String], answers: [String], closes: Bool)
    }

    /// `group/name`, part of the fixture-like id `curl/group/name`.
    public let name: String
    /// One line of prose.
    public let title: String
    /// What is done.
    public package(set) var kind: Kind
    /// Whether nginx, as configured by `NginxPeer`, can serve it too, so that the clients' views are compared.
    public let nginx: Bool
    /// The server listens on a Unix socket.
    public var unixSocket = false
    /// Connections that parallel transfers open together; nil: not looked at.
    public var connections: Int?
    /// What the server asks of its clients' TLS, where it speaks that.
    public var tls = ScenarioServerTLS()

    /// A scenario of any kind.
    public init(name: String, title: String, kind: Kind, nginx: Bool = false, unixSocket: Bool = false) {
        self.name = name
        self.title = title
        self.kind = kind
        self.nginx = nginx
        self.unixSocket = unixSocket
    }

    /// Descriptors that both sides have open at once, about.
    public var descriptorsNeeded: Int {
        if case .parallel(let count, _, _) = kind { 2 * count } else { 20 }
    }

    /// One step and its checks.
    public static func one(
        _ name: String, _ title: String, nginx: Bool = false, _ step: ScenarioStep, _ checks: [ScenarioCheck]
    ) -> Scenario {
        Scenario(name: name, title: title, kind: .sequence([(step, checks)]), nginx: nginx)
    }

    /// Several steps of one client.
    public static func sequence(
        _ name: String, _ title: String, nginx: Bool = false, _ steps: [(ScenarioStep, [ScenarioCheck])]
    ) -> Scenario {
        Scenario(name: name, title: title, kind: .sequence(steps.map { (step: $0.0, checks: $0.1) }), nginx: nginx)
    }
}

/// One thing that must hold of a client's view. Unless `.outcome` is among a step's checks, `.ok` is demanded.
public enum ScenarioCheck: Sendable, Equatable {
    /// The final status.
    case status(Int)
    /// How the exchange ended.
    case outcome(ScenarioOutcome)
    /// How it ended, where more than one end is right (a reset may overtake the last bytes).
    case outcomeAmong([ScenarioOutcome])
    /// A field (name in lower case) has exactly this value, once.
    case field(String, String)
    /// A field is there and its value contains this.
    case fieldContains(String, String)
    /// A field is not there.
    case noField(String)
    /// The whole body.
    case body(String)
    /// A part of the body.
    case bodyContains(String)
    /// The body is `PatternBytes` from this offset, of this length.
    case bodyPattern(offset: Int, count: Int)
    /// The body's length.
    case bodyCount(Int)
    /// Connections that were opened for the step.
    case connections(Int)
    /// Redirects that were followed.
    case redirects(Int)
    /// The statuses before the final one.
    case earlierStatuses([Int])
    /// The final response's HTTP version, `1.1` or `2`.
    case version(String)

    /// What `view` lacks of this check; nil if it holds.
    public func failure(in view: ScenarioView) -> String? {
        switch self {
        case .status(let status): differ("status", view.status, status)
        case .outcome(let outcome): differ("outcome", view.outcome.rawValue, outcome.rawValue)
        case .outcomeAmong(let outcomes):
            outcomes.contains(view.outcome)
                ? nil : "outcome is \(view.outcome.rawValue), not one of \(outcomes.map(\.rawValue))"
        case .field(let name, let value): differ("field \(name)", view.values(name), [value])
        case .fieldContains(let name, let part):
            view.values(name).contains { $0.contains(part) }
                ? nil : "field \(name) is \(view.values(name)), which nowhere contains '\(part)'"
        case .noField(let name): view.values(name).isEmpty ? nil : "field \(name) is there: \(view.values(name))"
        case .body(let text): differ("body", String(decoding: view.body.prefix(400), as: UTF8.self), text)
        case .bodyContains(let part):
            String(decoding: view.body, as: UTF8.self).contains(part)
                ? nil : "body '\(String(decoding: view.body.prefix(200), as: UTF8.self))' lacks '\(part)'"
        case .bodyPattern(let offset, let count): patternFailure(view.body, offset: offset, count: count)
        case .bodyCount(let count): differ("body length", view.body.count, count)
        case .connections(let count): differ("connections opened", view.connections, count)
        case .redirects(let count): differ("redirects followed", view.redirects, count)
        case .earlierStatuses(let statuses): differ("earlier statuses", view.earlierStatuses, statuses)
        case .version(let version): differ("HTTP version", view.version, version)
        }
    }

    /// What `view` lacks of `checks`, and of a good end where they don't speak of it.
    package static func failures(of checks: [ScenarioCheck], in view: ScenarioView) -> [String] {
        let speaksOfOutcome = checks.contains {
            switch $0 {
            case .outcome, .outcomeAmong: true
            default: false
            }
        }
        var failures = (speaksOfOutcome ? checks : checks + [.outcome(.ok)]).compactMap { $0.failure(in: view) }
        if !failures.isEmpty, !view.note.isEmpty { failures.append("(\(view.note))") }
        return failures
    }

    private func differ<Value: Equatable>(_ what: String, _ got: Value, _ wanted: Value) -> String? {
        got == wanted ? nil : "\(what) is \(got), expected \(wanted)"
    }

    private func patternFailure(_ body: [UInt8], offset: Int, count: Int) -> String? {
        if body.count == count, PatternBytes.matches(body, offset: offset) { return nil }
        for (index, byte) in body.enumerated() where byte != PatternBytes.byte(at: offset + index) {
            return "body differs from the pattern at byte \(index) of \(body.count)"
        }
        return differ("body length", body.count, count)
    }
}
