import AnyloopCore
import AnyloopHarness
import AnyloopNativeLoop
import AnyloopSubjects
import AnyloopTesting
import Testing

@Suite("Asyncio's rules have tests", .serialized)
struct RuleCheckTests {
    /// The fixtures of this package.
    private static let fixtures =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/") + "/Fixtures"

    @Test("Each check holds on every loop", arguments: RuleChecks.all.map(\.id))
    func holds(_ id: String) throws {
        let check = try #require(RuleChecks.all.first { $0.id == id })
        for provider in Registry.anyloop.loopProviders {
            #expect(try check.run(provider) == [], "\(provider.name)")
        }
    }

    @Test("Every rule has a scenario or a check that names its number")
    func complete() throws {
        let rules = try AsyncioRule.load(fixtures: Self.fixtures)
        #expect(rules.count == 131)
        #expect(rules.filter { $0.place != .scenario && $0.place != .check } == [])
        let checked = Set(RuleChecks.all.flatMap(\.rules))
        let shown = Set(try AsyncioFiles.find(in: Self.fixtures).flatMap { try AsyncioFiles.scenario($0).rules })
        #expect(rules.filter { $0.place == .check }.map(\.number) == checked.sorted())
        #expect(rules.filter { $0.place == .scenario && !shown.contains($0.number) } == [])
        #expect(shown.union(checked).isSubset(of: rules.map(\.number)))
        for rule in rules where rule.place != .scenario { #expect(rule.why != nil, "rule \(rule.number)") }
    }

    @Test("A check complains of a loop that does otherwise")
    func complains() throws {
        // A run that something else ends.
        let stopped = LoopProvider(mode: .native, poller: "epoll") {
            let loop = try NativeLoop()
            loop.callSoon { [unowned loop] in loop.stop() }
            loop.callSoon { throw CancellationError() }
            return loop
        }
        let ending = try #require(RuleChecks.all.first { $0.rules == [15] })
        #expect(try !ending.run(stopped).isEmpty)
        // A loop that runs no tasks is not judged.
        let bare = LoopProvider(mode: .nio, poller: "manual") { MemoryLoop() }
        #expect(throws: LiveScenario.Unsupported.self) { try ending.run(bare) }
    }

    @Test("A check's name begins with the number of its rule")
    func names() {
        #expect(Set(RuleChecks.all.map(\.id)).count == RuleChecks.all.count)
        for check in RuleChecks.all {
            let number = check.id.dropFirst("rules/".count).prefix { $0 != "-" }
            #expect(check.rules == [Int(number) ?? 0], "\(check.id)")
        }
    }
}
