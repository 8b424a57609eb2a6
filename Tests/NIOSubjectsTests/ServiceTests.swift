import AnyloopHarness
import AnyloopNativeLoop
@testable import NIOSubjects
import Testing

@Suite("Services of SwiftNIO, reached by curl")
struct ServiceTests {
    @Test("Each has a name of its own")
    func names() {
        let names = NIOServiceScenarios.all.map(\.id)
        #expect(Set(names).count == names.count)
    }

    @Test("Each holds on every loop that it is for", arguments: NIOServiceScenarios.all.map(\.id), ["nio", "native"])
    func holds(_ id: String, _ mode: String) throws {
        let scenario = try #require(NIOServiceScenarios.all.first { $0.id == id })
        let mode = try #require(Mode(rawValue: mode))
        guard scenario.modes.contains(mode) else { return }
        // Of the provider only what it stands for is used: services run on loops of their own.
        let provider = LoopProvider(mode: mode, poller: "epoll") { try NativeLoop() }
        do {
            #expect(try scenario.run(provider) == [])
        } catch is LiveScenario.Unsupported {
            // The machine lacks nginx or openssl; the matrix tells of it as skipped.
        }
    }
}
