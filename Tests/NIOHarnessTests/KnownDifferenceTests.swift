import AnyloopHarness
import NIOHarness
import Testing

/// A listed difference is held to as strictly as an expectation.
@Suite struct KnownDifferenceTests {
    private func fixture(_ expect: String) throws -> Fixture {
        let text =
            "wire 1\nid lines/x\nsource recorded by hand\ntags lines\ntitle t\n--- stream\n> \"one\\ntwo\\n\"\n"
            + "--- expect server\n\(expect)\n"
        return try Fixture.parse(Array(text.utf8), file: "lines.wire")
    }

    private func subject(_ aspect: KnownDifference.Aspect, _ seen: String, cuts: Bool = false) -> Subject {
        var subject = Subject.lines
        subject.differences = KnownDifferences([
            KnownDifference(fixture: "lines/x", aspect: aspect, seen: seen, dependsOnCuts: cuts)
        ])
        return subject
    }

    private let seen = "head one; end; head two; end"

    @Test(arguments: [ExecutorKind.parser, .memory])
    func aSubjectThatDiffersAsListedPasses(_ executor: ExecutorKind) throws {
        let result = CellRunner().run(
            try fixture("events head one; end"), subject(.events, seen), executor, .twoWay)
        #expect(result.verdict == .passed, "\(result.failures)")
    }

    @Test(arguments: [ExecutorKind.parser, .memory])
    func anEntryForWhatIsAsExpectedFails(_ executor: ExecutorKind) throws {
        let result = CellRunner().run(
            try fixture("events \(seen)"), subject(.events, "head one; end"), executor, .whole)
        #expect(result.failures.first?.summary.contains("take it off the list") == true)
    }

    @Test(arguments: [ExecutorKind.parser, .memory])
    func aSubjectThatDiffersOtherwiseFails(_ executor: ExecutorKind) throws {
        let result = CellRunner().run(
            try fixture("events head one; end"), subject(.events, "nothing"), executor, .whole)
        #expect(result.failures.first?.summary.hasPrefix("differs otherwise") == true)
    }

    @Test func repliesAndClosingAreListedToo() throws {
        let reply = try fixture("events \(seen)\nwire < \"5\\n\"")
        #expect(CellRunner().run(reply, subject(.reply, "\"3\\n3\\n\""), .memory, .twoWay).verdict == .passed)
        // The parser writes nothing: there the entry says nothing.
        #expect(CellRunner().run(reply, subject(.reply, "\"3\\n3\\n\""), .parser, .twoWay).verdict == .passed)
        let closing = try fixture("events \(seen)\nclose")
        #expect(CellRunner().run(closing, subject(.closing, "open"), .memory, .twoWay).verdict == .passed)
        #expect(CellRunner().run(closing, subject(.closing, "closed"), .memory, .whole).verdict == .failed)
    }

    @Test func whatDependsOnCutsIsRunWholeOnly() throws {
        let fixture = try fixture("events head one; end")
        #expect(CellRunner().run(fixture, subject(.events, seen, cuts: true), .memory, .whole).verdict == .passed)
        #expect(CellRunner().run(fixture, subject(.events, seen, cuts: true), .memory, .twoWay).verdict == .skipped)
    }

    @Test func listsAreReadAsTheyAreWritten() throws {
        let list = KnownDifferences([
            KnownDifference(fixture: "b/y", aspect: .reply, seen: "\"a b\"", dependsOnCuts: true),
            KnownDifference(fixture: "a/x", aspect: .events, seen: seen),
        ])
        #expect(list.text == "a/x events \(seen)\nb/y reply,cuts \"a b\"\n")
        #expect(try KnownDifferences(file: "list", text: list.text) == list)
        for bad in ["a/x", "a/x events", "a/x colour red", "a/x ,cuts red"] {
            let error = #expect(throws: SettingsError.self) { try KnownDifferences(file: "list", text: "\n" + bad) }
            #expect(error?.line == 2)
        }
    }

    @Test func longTextsAreCutOffWithADigest() throws {
        let fixture = try fixture("events \(String(repeating: "head x; end; ", count: 100))head y; end")
        let long = Subject.pipeline(name: "long", side: .server, tags: ["lines"]) { _, conversation in
            for number in 0..<200 {
                conversation.log.event(.head, "\(number)")
                conversation.log.event(.end)
            }
        }
        let difference = try #require(try CellRunner().difference(fixture, long))
        #expect(difference.seen.hasPrefix("head 0; end; head 1; end; "))
        #expect(difference.seen.utf8.count < 420)
        #expect(difference.seen.contains("… #"))
    }
}
