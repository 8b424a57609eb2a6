@testable import AnyloopHarness
import Testing

/// Traces are equal line by line, or under the liberties that are needed and no more.
@Suite struct AsyncioComparisonTests {
    private static func liberty(_ id: String, _ effects: [AsyncioLiberty.Effect]) -> AsyncioLiberty {
        AsyncioLiberty(id: id, rules: [1], asyncio: "", ours: "", reason: "", effects: effects)
    }

    private static let turns = liberty("turns", [.turns])
    private static let floats = liberty("floats", [.floats(["* factory"])])
    private static let texts = liberty("texts", [.replaces("* !RuntimeError \"*\"", by: "* !Other \"*\"")])
    private static let omits = liberty("omits", [.omits(["log *"])])
    private static let adds = liberty("adds", [.adds(["handler *"])])
    private static let all = [turns, floats, texts, omits, adds]

    @Test(arguments: [
        (["a"], ["a"], []), (["a", "|", "b"], ["a", "b"], ["turns"]),
        (["S0 factory", "S1 factory", "a"], ["S0 factory", "a", "S1 factory"], ["floats"]),
        ([#"f !RuntimeError "x""#], [#"f !Other "x""#], ["texts"]), (["a", "log x"], ["a"], ["omits"]),
        (["a"], ["handler x", "a"], ["adds"]), (["a", "|", "log x"], ["handler y", "a"], ["turns", "omits", "adds"]),
    ])
    func needsAsFewAsWillDo(_ expected: [String], _ got: [String], _ needed: [String]) {
        let comparison = AsyncioComparison(expected: expected, got: got, rules: [1])
        #expect(comparison.outcome(under: Self.all) == .equal(liberties: needed))
    }

    @Test(arguments: [
        (["a", "b"], ["b", "a"]), (["S0 factory", "S1 factory"], ["S1 factory", "S0 factory"]),
        (["a"], ["a", "log x"]),
        (["a", "handler x"], ["a"]), ([#"f !RuntimeError "x""#], [#"f !Other "y""#]), (["a"], []), ([], ["a"]),
    ])
    func hidesNothingElse(_ expected: [String], _ got: [String]) {
        guard case .different = AsyncioComparison(expected: expected, got: got, rules: [1]).outcome(under: Self.all)
        else {
            Issue.record("passed over")
            return
        }
    }

    @Test func takesWhatChangesLinesOnlyWhereARuleIsShown() {
        let comparison = AsyncioComparison(expected: ["a", "log x"], got: ["a"], rules: [2])
        guard case .different = comparison.outcome(under: Self.all) else {
            Issue.record("passed over")
            return
        }
        let turns = AsyncioComparison(expected: ["a", "|", "b"], got: ["a", "b"], rules: [2])
        #expect(turns.outcome(under: Self.all) == .equal(liberties: ["turns"]))
    }

    @Test func actorsKeepTheirOwnOrder() {
        let actors = [Self.liberty("actors", [.actors])]
        func outcome(_ got: [String]) -> AsyncioComparison.Outcome {
            AsyncioComparison(expected: ["C factory", "D factory", "C connection_made", "mark a"], got: got)
                .outcome(under: actors)
        }
        #expect(
            outcome(["C factory", "C connection_made", "mark a", "D factory"]) == .equal(liberties: ["actors"]))
        guard case .different = outcome(["C connection_made", "C factory", "D factory", "mark a"]) else {
            Issue.record("an actor's own order was passed over")
            return
        }
    }

    @Test func showsWhereTracesPart() {
        let comparison = AsyncioComparison(expected: ["1", "2", "3", "4", "5"], got: ["1", "2", "3", "4"])
        guard case .different(let details) = comparison.outcome(under: []) else { return }
        #expect(details.contains("asyncio: 5"))
        #expect(details.contains("(the end)"))
        #expect(details.contains("… 1 equal lines"))
    }

    @Test func patternsTakeAsLittleAsTheyCan() {
        #expect(AsyncioLinePattern("a*b*c").match("axbybc") == ["x", "yb"])
        #expect(AsyncioLinePattern("a*").match("b") == nil)
        #expect(AsyncioLinePattern("a").match("ab") == nil)
        #expect(AsyncioLinePattern("*a").match("ba") == ["b"])
        #expect(AsyncioLinePattern("a*a").match("a") == nil)
        #expect(AsyncioLinePattern("* = *").filled(["x", "y"]) == "x = y")
    }
}
