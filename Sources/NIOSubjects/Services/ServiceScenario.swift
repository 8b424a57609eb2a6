import AnyloopHarness
import AnyloopSubjects
import NIOCore

/// A service, and what a peer must see of it.
struct ServiceScenario: Sendable {
    /// `group/name`; its id is `service/group/name`.
    let name: String
    /// One line of prose.
    let title: String
    /// What is driven.
    let service: Service
    /// Who drives it, as `--executor` names it.
    var peer = "curl"
    /// The service listens at a Unix socket.
    var isAtUnixSocket = false
    /// Descriptors that both sides have open at once, about.
    var descriptorsNeeded = 20
    /// What is wrong with what the peer saw of the service at the target; empty if nothing is.
    let check: @Sendable (ScenarioTarget) throws -> [String]

    /// Its cell.
    var live: LiveScenario {
        LiveScenario(
            id: "\(service.name)/\(name)", title: title, subject: service.name, executor: peer,
            modes: ServiceLoops.modes, deadline: .seconds(60)
        ) { provider in
            try run(on: provider)
        }
    }

    /// Starts the service on loops of its own, and has the peer on this thread.
    private func run(on provider: LoopProvider) throws -> [String] {
        if provider.poller == "select", descriptorsNeeded > 1000 {
            throw LiveScenario.Unsupported("select watches descriptors below 1,024 only; use epoll or poll")
        }
        let files = try ScenarioFiles()
        let certificates =
            service.isOverTLS
            ? try ScenarioCertificates(in: files.store, authority: ScenarioAuthority(in: files.store)) : nil
        let unixPath = isAtUnixSocket ? files.store + "/service.sock" : nil
        let site = ServiceSite(certificates: certificates, unixPath: unixPath, files: files)
        return try ServiceLoops.with(provider) { loops in
            let running = try service.start(loops, site)
            var target = ScenarioTarget(port: running.port, certificates: certificates)
            target.unixPath = unixPath
            let failures = try check(target)
            try running.stop()
            return failures
        }
    }
}

extension ServiceScenario {
    /// `scenario` carried out by curl, which speaks that HTTP.
    static func curl(
        _ scenario: Scenario, _ service: Service, speaking http: ScenarioTarget.HTTPChoice = .http1
    ) -> ServiceScenario {
        ServiceScenario(
            name: scenario.name, title: scenario.title, service: service, isAtUnixSocket: scenario.unixSocket,
            descriptorsNeeded: scenario.descriptorsNeeded
        ) { target in
            var target = target
            target.http = http
            return CurlClient.run(scenario, against: target)
        }
    }
}
