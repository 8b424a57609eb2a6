import AnyloopCore
import AnyloopHarness
import AnyloopSubjects
import Testing

/// Callbacks are compared between real loops and memory, and only what a liberty grants is passed over.
@Suite struct LibertyTests {
    static let echo =
        "wire 1\nid echo/x\nsource recorded by\ntags echo\ntitle t\n--- stream\n> \"a\"\n|\n> \"b\"\n> !fin\n"

    /// The first registered loop, with other liberties.
    private func run(_ liberties: Set<Liberty>) throws -> CellResult {
        let text = Self.echo + "--- expect server\nwire < \"ab\"\n"
        let fixture = try Fixture.parse(Array(text.utf8), file: "echo.wire")
        let provider = try #require(Registry.anyloop.loopProviders.first)
        let loop = LoopProvider(
            mode: provider.mode, poller: provider.poller, liberties: liberties, makeLoop: provider.makeLoop)
        return CellRunner().run(fixture, .echo, .socketpair, loop: loop, .recorded)
    }

    @Test func otherPortionsPassWhereTheyAreGranted() throws {
        #expect(try run(Liberty.granted(to: .native)).verdict == .passed)
    }

    @Test func otherPortionsFailWhereTheyAreNot() throws {
        let result = try run([])
        #expect(result.failures.first?.kind == .differential)
        #expect(result.failures.first?.details.contains("made data data eof lost") == true)
    }
}
