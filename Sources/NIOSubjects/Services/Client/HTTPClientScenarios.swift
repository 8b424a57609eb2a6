import AnyloopHarness
import AnyloopSubjects

/// What NIO's HTTP client handlers see of nginx and of our server: the catalog's scenarios that such a client, which
/// follows no redirects, keeps no cookies and undoes no codings, can carry out.
enum HTTPClientScenarios {
    /// All of them.
    static let all: [LiveScenario] =
        ofNginx.map { live($0, "nginx", isOverTLS: false) }
        + ofNginx.map { live($0.overTLS, "nginx-tls", isOverTLS: true) }
        + ofOurs.map { live($0, "anyloop", isOverTLS: false) }
        + (ofOurs.map(\.overTLS) + trust).map { live($0, "anyloop-tls", isOverTLS: true) }

    private static let ofNginx = ScenarioCatalog.all.filter { $0.nginx && $0.isForPlainClient }
    private static let ofOurs = ScenarioCatalog.all.filter(\.isForPlainClient)

    private static let trust: [Scenario] = [
        .one(
            "tls/address", "The certificate is for the address that was connected to", ScenarioStep("/tls"),
            [.status(200), .bodyContains("name=-\n"), .bodyContains("alpn=http/1.1\n")]),
        .one(
            "tls/name", "The name that the client asks for arrives",
            ScenarioStep("/tls").with { $0.tls.host = "server.example" },
            [.status(200), .bodyContains("name=server.example\n")]),
        .sequence(
            "tls/other-authority", "A certificate of an authority that is not trusted is refused",
            [
                (ScenarioStep("/tls").with { $0.tls.trustsOther = true }, [.outcome(.certificateRefused)]),
                (ScenarioStep("/tls"), [.status(200)]),
            ]),
    ]

    private static func live(_ scenario: Scenario, _ peer: String, isOverTLS: Bool) -> LiveScenario {
        LiveScenario(
            id: "nio-http1-client/\(peer)/\(scenario.name)", title: scenario.title, subject: "nio-http1-client",
            executor: peer, modes: ServiceLoops.modes, deadline: .seconds(60)
        ) { provider in
            guard case .sequence(let steps) = scenario.kind else { return [] }
            if scenario.nginx, peer.hasPrefix("nginx") { return try askNginx(steps, provider, isOverTLS: isOverTLS) }
            return try CurlScenarios.run(scenario, on: provider, isOverTLS: isOverTLS, hasAuthority: true) { target in
                do {
                    return try ServiceLoops.with(provider) { try failures(of: steps, at: target, $0) }
                } catch {
                    return ["\(error)"]
                }
            }
        }
    }

    private typealias Steps = [(step: ScenarioStep, checks: [ScenarioCheck])]

    private static func askNginx(_ steps: Steps, _ provider: LoopProvider, isOverTLS: Bool) throws -> [String] {
        let files = try ScenarioFiles()
        let nginx: NginxPeer
        do {
            let certificates =
                isOverTLS
                ? try ScenarioCertificates(in: files.store, authority: ScenarioAuthority(in: files.store)) : nil
            nginx = try NginxPeer(files: files, certificates: certificates)
        } catch NginxPeer.Failure.missing {
            throw LiveScenario.Unsupported("nginx is not installed: run ci/setup")
        }
        defer { nginx.stop() }
        return try ServiceLoops.with(provider) { try failures(of: steps, at: nginx.target, $0) }
    }

    private static func failures(
        of steps: Steps, at target: ScenarioTarget, _ loops: ServiceLoops
    ) throws -> [String] {
        let views = try HTTPClientService.views(of: steps.map(\.step), target: target, on: loops)
        return zip(steps, views).enumerated().flatMap { index, pair in
            ScenarioCheck.failures(of: pair.0.checks.filter(\.isForPlainClient), in: pair.1)
                .map { "step \(index + 1): \($0)" }
        }
    }
}

extension Scenario {
    /// Whether NIO's handlers can carry it out without a client around them.
    fileprivate var isForPlainClient: Bool {
        guard case .sequence = kind, !unixSocket else { return false }
        return !steps.contains { step in
            if case .digest = step.credentials { return true }
            return step.redirectLimit != nil || step.compressed || step.cookies || step.asProxy
                || step.expectContinue == true
        }
    }
}

extension ScenarioCheck {
    /// NIO's client handlers drop informational responses.
    fileprivate var isForPlainClient: Bool {
        if case .earlierStatuses = self { return false }
        return true
    }
}
