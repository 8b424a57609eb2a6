import AnyloopCore
import AnyloopHarness

/// Our `HTTPClient` against nginx, beside curl against the same nginx: the two clients' views must agree.
public enum ClientScenarios {
    /// The scenarios with our client as the subject `http-client` and nginx as the executor; then the same over TLS.
    public static let all: [LiveScenario] =
        ScenarioCatalog.all.filter(\.isComparable).map { live($0, isOverTLS: false) }
        + (ScenarioCatalog.all.filter(\.isComparable).map(\.overTLS) + ScenarioCatalog.tlsOfClients).map {
            live($0, isOverTLS: true)
        }

    private static func live(_ scenario: Scenario, isOverTLS: Bool) -> LiveScenario {
        let executor = isOverTLS ? "nginx-tls" : "nginx"
        return LiveScenario(
            id: "\(executor)/\(scenario.name)", title: scenario.title, subject: "http-client", executor: executor,
            deadline: .seconds(60)
        ) { provider in
            try run(scenario, on: provider, isOverTLS: isOverTLS)
        }
    }

    private static func run(_ scenario: Scenario, on provider: LoopProvider, isOverTLS: Bool) throws -> [String] {
        guard case .sequence(let steps) = scenario.kind else { return [] }
        let reference = try views(steps.map(\.step), isOverTLS: isOverTLS) { steps, target in
            CurlClient.views(of: steps, target: target)
        }
        let loop = try provider.makeLoop()
        defer { loop.closeLoop() }
        let ours = try views(steps.map(\.step), isOverTLS: isOverTLS) { steps, target in
            try AnyloopClient.views(of: steps, target: target, on: loop)
        }
        guard reference.count == steps.count, ours.count == steps.count else { return ["libcurl is out of memory"] }
        var failures: [String] = []
        for (index, step) in steps.enumerated() {
            let decoded = step.step.compressed
            // A client that undoes a content coding drops the fields that speak of it; curl keeps them.
            let checks = step.checks.filter { check in
                if case .field("content-encoding", _) = check { return !decoded }
                // Of redirects on the way our client tells the number only.
                if case .earlierStatuses = check { return step.step.redirectLimit == nil }
                return true
            }
            failures += ScenarioCheck.failures(of: checks, in: ours[index]).map { "step \(index + 1): \($0)" }
            // What each client stored itself has a date of its own.
            let varying: Set<String> = step.step.path.hasPrefix("/store/") ? ["last-modified", "etag"] : []
            let theirs = reference[index].comparable(decoded: decoded, without: varying)
            let mine = ours[index].comparable(decoded: decoded, without: varying)
            if let difference = mine.difference(from: theirs) {
                failures.append("step \(index + 1): our client and curl part: \(difference)")
            }
        }
        return failures
    }

    /// What a client saw of a fresh nginx: so the second client finds what the first one found.
    private static func views(
        _ steps: [ScenarioStep], isOverTLS: Bool, _ client: ([ScenarioStep], ScenarioTarget) throws -> [ScenarioView]
    ) throws -> [ScenarioView] {
        let nginx: NginxPeer
        let files = try ScenarioFiles()
        do {
            let certificates = isOverTLS ? try ScenarioCertificates(in: files.store) : nil
            nginx = try NginxPeer(files: files, certificates: certificates)
        } catch NginxPeer.Failure.missing {
            throw LiveScenario.Unsupported("nginx is not installed: run ci/setup")
        }
        defer { nginx.stop() }
        return try client(steps, nginx.target)
    }
}

extension Scenario {
    /// Whether our client can carry it out, and nginx answer it.
    var isComparable: Bool {
        guard nginx, case .sequence(let steps) = kind else { return false }
        // Our client sends HTTP/1.1 only.
        return !steps.contains { $0.step.http10 }
    }
}

extension ScenarioView {
    /// This view without what two honest views may differ in.
    fileprivate func comparable(decoded: Bool, without names: Set<String>) -> ScenarioView {
        var view = self
        let varying = names.union(decoded ? ["date", "content-encoding", "content-length"] : ["date"])
        view.fields = fields.filter { !varying.contains($0.name) }.map { field in
            // nginx names its own port, which differs between the two.
            field.name == "location" ? (field.name, Self.withoutPort(field.value)) : field
        }
        view.earlierStatuses = earlierStatuses.filter { $0 < 200 }
        if outcome == .tooManyRedirects {
            // curl shows the last redirect beside its error, ours the error alone.
            view.status = 0
            view.fields = []
            view.body = []
        }
        return view
    }

    private static func withoutPort(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://"), url.hasPrefix("http"),
            let slash = url[scheme.upperBound...].firstIndex(of: "/")
        else { return url }
        return String(url[slash...])
    }

    /// The first thing in which this view differs from `other`; nil if nothing.
    fileprivate func difference(from other: ScenarioView) -> String? {
        if outcome != other.outcome { return "outcome \(outcome.rawValue) (\(note)) and \(other.outcome.rawValue)" }
        if status != other.status { return "status \(status) and \(other.status)" }
        if earlierStatuses != other.earlierStatuses { return "interim \(earlierStatuses) and \(other.earlierStatuses)" }
        if connections != other.connections { return "connections \(connections) and \(other.connections)" }
        if redirects != other.redirects { return "redirects \(redirects) and \(other.redirects)" }
        if body != other.body { return "bodies of \(body.count) and \(other.body.count) bytes" }
        for index in 0..<max(fields.count, other.fields.count) {
            let mine = index < fields.count ? "\(fields[index].name): \(fields[index].value)" : "nothing"
            let theirs =
                index < other.fields.count ? "\(other.fields[index].name): \(other.fields[index].value)" : "nothing"
            if mine != theirs { return "field '\(mine)' and '\(theirs)'" }
        }
        return nil
    }
}
