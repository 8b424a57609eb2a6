@testable import AnyloopHarness
import Testing

/// Scenarios and recordings are read, and what is wrong in them is told with file, place and remedy.
@Suite struct AsyncioFormatTests {
    static let plain =
        #"{"asyncio": 1, "id": "asyncio/a/b", "title": "t", "rules": [1, 2], "steps": [{"op": "settle"}]}"#

    private func read(_ text: String) throws(AsyncioFormatError) -> AsyncioScenario {
        try AsyncioScenario(Array(text.utf8), file: "b.json")
    }

    @Test func readsWhatItIsGiven() throws {
        let scenario = try read(Self.plain)
        #expect(scenario.id == "asyncio/a/b")
        #expect(scenario.rules == [1, 2])
        #expect(scenario.follows == "3.11")
        #expect(scenario.driver == .task)
        #expect(scenario.steps.map(\.op) == ["settle"])
    }

    @Test(arguments: [
        (#"{"asyncio": 1"#, "b.json: the file: expected JSON"),
        (plain.replacing("\"asyncio\": 1", with: "\"asyncio\": 2"), "version"),
        (plain.replacing("\"rules\"", with: "\"rule\""), "expected keys among"),
        (plain.replacing("[1, 2]", with: "[1.5]"), "expected a list of whole numbers under the key 'rules'"),
        (plain.replacing("\"op\": ", with: "\"opp\": "), "step 1: expected an operation"),
        (plain.replacing("\"steps\"", with: "\"driver\": \"nobody\", \"steps\""), "expected 'task' or 'outside'"),
    ])
    func tellsWhatIsWrong(_ text: String, _ complaint: String) {
        let error = #expect(throws: AsyncioFormatError.self) { try read(text) }
        #expect(error?.description.contains(complaint) == true, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix("b.json: ") == true)
    }

    @Test func stepsTellWhichOneLacksWhat() throws {
        let step = try AsyncioStep(file: "b.json", place: "step 3", .table(["op": .text("write")]))
        let error = #expect(throws: AsyncioFormatError.self) { try step.on() }
        #expect(error?.description == "b.json: step 3 (write): expected a text under the key 'on', found nothing")
    }

    @Test func dataIsLatin1OrFilled() throws {
        func step(_ keys: [String: AsyncioValue]) throws -> AsyncioStep {
            try AsyncioStep(file: "", place: "", .table(keys.merging(["op": .text("write")]) { $1 }))
        }
        #expect(try step(["data": .text("a\u{FF}")]).data() == [0x61, 0xFF])
        #expect(try step(["fill": .text("ab"), "times": .number(2)]).data() == Array("abab".utf8))
        #expect(throws: AsyncioFormatError.self) { try step(["data": .text("\u{100}")]).data() }
    }

    @Test func recordingsGiveTheTraceOfAVersion() throws {
        let text = #"""
            {"id": "x", "traces": [
              {"by": ["CPython 3.11.7", "CPython 3.12.1"], "recorded": "2026-11-23", "trace": ["a"]},
              {"by": ["CPython 3.13.0"], "recorded": "2026-11-23", "trace": ["b"]}]}
            """#
        let recording = try AsyncioRecording(Array(text.utf8), file: "x.trace.json")
        #expect(try recording.trace(of: "3.11") == ["a"])
        #expect(try recording.trace(of: "3.13") == ["b"])
        let error = #expect(throws: AsyncioFormatError.self) { try recording.trace(of: "3.1") }
        #expect(error?.description.contains("record it with ci/record-asyncio") == true)
    }
}
