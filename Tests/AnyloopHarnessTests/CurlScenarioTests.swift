import AnyloopHarness
import AnyloopNativeLoop
@testable import AnyloopSubjects
import Testing

@Suite("curl's scenarios")
struct CurlScenarioTests {
    @Test("There are at least 60, each with a name of its own")
    func catalog() {
        let names = ScenarioCatalog.all.map(\.name)
        #expect(names.count >= 60)
        #expect(Set(names).count == names.count)
    }

    @Test("Each holds on the native loop", arguments: CurlScenarios.all.map(\.id))
    func native(_ id: String) throws {
        let scenario = try #require(CurlScenarios.all.first { $0.id == id })
        let provider = LoopProvider(mode: .native, poller: "epoll") { try NativeLoop() }
        #expect(try scenario.run(provider) == [])
    }

    @Test("Our client and curl see the same of nginx", .serialized, arguments: ClientScenarios.all.map(\.id))
    func nginx(_ id: String) throws {
        let scenario = try #require(ClientScenarios.all.first { $0.id == id })
        let provider = LoopProvider(mode: .native, poller: "epoll") { try NativeLoop() }
        #expect(try scenario.run(provider) == [])
    }

    @Test(
        "A check that does not hold says what it saw",
        arguments: [
            (ScenarioCheck.status(404), "status is 200, expected 404"),
            (.connections(1), "connections opened is 0, expected 1"),
            (.outcome(.partial), "outcome is ok, expected partial"),
            (.bodyPattern(offset: 0, count: 3), "body length is 2, expected 3"),
            (.bodyPattern(offset: 1, count: 2), "body differs from the pattern at byte 0 of 2"),
            (.field("x", "2"), "field x is [\"1\"], expected [\"2\"]"),
            (.noField("x"), "field x is there: [\"1\"]"),
        ])
    func failingCheck(_ check: ScenarioCheck, _ text: String) {
        var view = ScenarioView()
        view.status = 200
        view.fields = [("x", "1")]
        view.body = PatternBytes.bytes(count: 2)
        #expect(check.failure(in: view) == text)
    }
}
