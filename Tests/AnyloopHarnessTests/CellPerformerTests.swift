@testable import AnyloopHarness
import Foundation
import Testing

@Suite("Cells that a worker performs")
struct CellPerformerTests {
    /// Counts bytes and says so at the end; expects nothing else of its input.
    private struct CountingParser: ParserSubject {
        func makeSession(for fixture: Fixture) -> any ParserSession { Session() }

        final class Session: ParserSession {
            private var count = 0
            func restart() { count = 0 }
            func feed(_ chunk: Span<UInt8>, into trace: inout TraceRecorder) { count += chunk.count }
            func end(into trace: inout TraceRecorder) { trace.error("bytes-\(count)") }
            func reset(into trace: inout TraceRecorder) { end(into: &trace) }
        }
    }

    @Test(
        "a cell that fails is judged as failed, one that passes as passed",
        arguments: [("error bytes-3", Judgement.passed), ("error bytes-4", .failed)])
    func judgement(expected: String, judgement: Judgement) throws {
        let fixture = """
            wire 1
            id       count
            source   written RFC9112#2
            spec     RFC9112#2
            tags     counted
            title    Three bytes
            --- stream
            > "abc"
            > !fin
            --- expect server
            events   \(expected)

            """
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "count.wire").path
        try FixtureFiles.write(Array(fixture.utf8), to: file)
        var registry = Registry()
        registry.subjects = [Subject(name: "counter", side: .server, tags: ["counted"], parser: CountingParser())]
        let performer = CellPerformer(registry: registry, seed: 1, limits: .standard, cut: nil)
        let cell = CellSpec(
            fixture: "count", subject: "counter", executor: "parser", mode: "", poller: "", cuts: "whole")
        let record = try performer.perform(cell, file: file)
        #expect(record.judgement == judgement)
        #expect(record.outcome == (judgement == .passed ? CellOutcome.passed : .failed))
    }
}
