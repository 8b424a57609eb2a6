import AnyloopCore
import AnyloopHarness
import AnyloopSubjects
import AnyloopTesting

/// Cells, registries and records for the tests of the runner.
enum Samples {
    /// The package's subjects on loops that are never made.
    static var registry: Registry {
        var registry = Registry()
        // Parsers alone, so that no cell needs a socket.
        registry.subjects = [Subject.http1Server, .http1Client].map { subject in
            Subject(name: subject.name, side: subject.side, tags: subject.tags, parser: subject.parser)
        }
        for mode in [Mode.native, .compat] {
            for poller in ["epoll", "poll"] {
                registry.loopProviders.append(
                    LoopProvider(mode: mode, poller: poller) { throw TransportError.cancelled })
            }
        }
        registry.scenarios = [
            LiveScenario(id: "curl/get", title: "A GET", subject: "http-server", executor: "curl") { _ in [] }
        ]
        return registry
    }

    static func cell(
        _ fixture: String = "http1/get/simple", mode: String = "", cuts: String = "whole",
        outcome: CellOutcome = .passed, failure: String? = nil
    ) -> CellRecord {
        var record = CellRecord(
            fixture: fixture, subject: "http1-server", executor: mode.isEmpty ? "parser" : "tcp", mode: mode,
            poller: mode.isEmpty ? "" : "epoll", cuts: cuts, replays: 3, outcome: outcome)
        if let failure {
            record.failed = 1
            record.failures = [
                CellFailure(kind: .differential, cut: "two-way@17", summary: failure, details: "- a\n+ b <&>")
            ]
        }
        record.judgement = outcome.isFailure ? .failed : outcome == .passed ? .passed : .skipped
        return record
    }
}
