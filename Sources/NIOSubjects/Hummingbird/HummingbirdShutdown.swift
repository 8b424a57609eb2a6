import AnyloopHarness
import AnyloopSubjects
import HummingbirdOnAnyloop

/// The server is shut down while curl has a request under way.
enum HummingbirdShutdown {
    /// For one way to speak to it.
    static func scenarios(_ wire: HummingbirdScenarios.Wire) -> [LiveScenario] {
        let download = [
            scenario(
                wire, "download", "A download under way is finished after the shutdown began",
                ScenarioStep("/whistle/2097152").with { $0.pausePerPart = 1 },
                [.status(200), .bodyPattern(offset: 0, count: 1 << 21)])
        ]
        // Over TLS each takes 5 seconds: with allowRemoteHalfClosure, which Hummingbird sets, NIOSSL's close waits for
        // its time limit in spite of the peer's close_notify.
        guard wire != .tls else { return download }
        return download + [
            scenario(
                wire, "upload", "So is an upload that is read slowly",
                ScenarioStep("POST", "/whistle", body: .pattern(1 << 20)),
                [.status(200), .body("1048576 intact\n")])
        ]
    }

    private static func scenario(
        _ wire: HummingbirdScenarios.Wire, _ name: String, _ title: String, _ step: ScenarioStep,
        _ checks: [ScenarioCheck]
    ) -> LiveScenario {
        LiveScenario(
            id: "\(wire.rawValue)/hummingbird/shutdown/\(name)", title: title, subject: "hummingbird",
            executor: wire.rawValue, modes: ServiceLoops.modes, deadline: .seconds(60)
        ) { provider in
            try HummingbirdScenarios.with(wire, on: provider) { target, server, whistle in
                whistle.blows { server.shutDown() }
                let amiss = CurlClient.run(.one(name, title, step, checks), against: target)
                let late = CurlClient.run(
                    .one(name, title, ScenarioStep("/hello"), [.outcome(.refused)]), against: target)
                return amiss + late.map { "after the shutdown: \($0)" }
            }
        }
    }
}
