import AnyloopHarness
import Testing

@testable import AnyloopCommand

/// `anyloop run` on fixtures and matrices of the test's own.
struct RunTests {
    private static let right = fixture("right", events: "head GET /; end")
    // The body is not what the fixture says: a failure that is sure to come.
    private static let wrong = fixture("wrong", events: "head POST /; end")

    private static func fixture(_ name: String, events: String) -> String {
        """
        wire 1
        id       http1/test/\(name)
        spec     RFC9112#3 MUST
        source   written RFC9112#3
        tags     http1
        title    A request
        --- stream
        > "GET / HTTP/1.1\\r\\n"
        > "Host: a\\r\\n"
        > "\\r\\n"
        --- expect server
        events   \(events)

        """
    }

    private func scratch(wrong: Bool = true) throws -> Scratch {
        let scratch = try Scratch()
        try scratch.write(Self.right, to: "Fixtures/http1/test/right.wire")
        if wrong { try scratch.write(Self.wrong, to: "Fixtures/http1/test/wrong.wire") }
        try scratch.write(
            """
            seed: 5
            cells:
              - {fixtures: '**', subjects: http1-*, executors: parser, cuts: [whole, two-way, random]}
              - fixtures: '**'
                subjects: http1-*
                executors: [memory, tcp]
                modes: native
                pollers: epoll
                cuts: [whole, two-way]
            """, to: "Matrix/default.yaml")
        return scratch
    }

    @Test func allRightIsZero() throws {
        let scratch = try scratch(wrong: false)
        let outcome = try Tool.run(["run", "--report", "out", "--jobs", "2"], folder: scratch.path)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("7 cells, "))
        for name in ["index.html", "junit.xml", "cells.ndjson", "summary.md"] { #expect(scratch.has("out/\(name)")) }
        let cells = try NDJSON.parse(file: "c", text: scratch.read("out/cells.ndjson"))
        #expect(cells.count == 7)
        #expect(cells.allSatisfy { $0.replays > 0 && $0.seed == 5 })
    }

    @Test func failuresAreOneAndTheirLineReproducesThem() throws {
        let scratch = try scratch()
        let outcome = try Tool.run(["run", "--show", "100", "--report", "out"], folder: scratch.path)
        #expect(outcome.status == 1)
        let lines = outcome.output.split(separator: "\n").filter { $0.hasPrefix("  again: anyloop run ") }
        #expect(lines.count == 7)
        let records = try NDJSON.parse(file: "c", text: scratch.read("out/cells.ndjson"))
        for record in records where record.outcome.isFailure {
            let words = record.reproduce.split(separator: " ").dropFirst().map(String.init)
            let again = try Tool.run(words + ["--report", "again"], folder: scratch.path)
            #expect(again.status == 1, "\(record.reproduce)")
            let cells = try NDJSON.parse(file: "c", text: scratch.read("again/cells.ndjson"))
            #expect(cells.count == 1)
            #expect(cells.first?.replays == 1)
            #expect(cells.first?.failures.first == record.failures.first)
        }
    }

    @Test func aKnownFailureIsExcusedUntilItPasses() throws {
        let scratch = try scratch()
        let entry = "{fixtures: http1/test/wrong, reason: a test, issue: '#1', expires: 2999-01-01}"
        try scratch.write("entries: [\(entry)]\n", to: "Matrix/known-failing.yaml")
        #expect(try Tool.run(["run"], folder: scratch.path).status == 0)
        try scratch.write(
            "entries: [\(entry.replacing("wrong", with: "*"))]\n", to: "Matrix/known-failing.yaml")
        let stale = try Tool.run(["run"], folder: scratch.path)
        #expect(stale.status == 3)
        #expect(stale.output.contains("as failing, but it passes"))
    }

    /// One rule, that nothing shows, in a matrix of the package's checks.
    private func scratch(rulePlace: String) throws -> Scratch {
        let scratch = try scratch(wrong: false)
        let rule =
            "{\"number\": 1, \"section\": \"A\", \"text\": \"In order\", \"source\": \"x\", \"place\": \"\(rulePlace)\"}"
        try scratch.write("[\(rule)]", to: "Fixtures/asyncio/rules.json")
        try scratch.write(
            """
            cells:
              - {scenarios: 'rules/**', modes: [native, compat], pollers: epoll}
              - {fixtures: '**', subjects: http1-*, executors: parser, cuts: whole}
            """, to: "Matrix/default.yaml")
        return scratch
    }

    @Test func aWholeRunFailsOverARuleThatNothingShows() throws {
        let scratch = try scratch(rulePlace: "scenario")
        let outcome = try Tool.run(["run", "--report", "out"], folder: scratch.path)
        #expect(outcome.status == 1, "\(outcome.output)\(outcome.errors)")
        #expect(
            outcome.output.contains("\nrules: 0 of 1 shown on every loop, 1 not run on every loop: out/rules.html\n"))
        #expect(outcome.errors.contains("rules: 1 of asyncio's contract is not shown; write a scenario"))
        #expect(outcome.errors.contains("  rule 1 has no passing cell on any loop: In order"))
        for name in ["rules.html", "rules.md"] { #expect(scratch.has("out/\(name)")) }
        #expect(try scratch.read("out/index.html").contains("href=\"rules.html\""))
        // A part of the matrix owes nothing, and the reports can be made again.
        for part in [
            ["rules/**"], ["http1/**"], ["--executor", "check"], ["--subject", "loop"], ["--cuts", "whole"],
        ] {
            #expect(try Tool.run(["run"] + part, folder: scratch.path).status == 0, "\(part)")
        }
        #expect(try Tool.run(["run", "--mode", "compat"], folder: scratch.path).status == 1)
        let again = try Tool.run(["report", "out/cells.ndjson", "--report", "again"], folder: scratch.path)
        #expect(again.status == 0 && again.output.contains("\nrules: 0 of 1 shown") && scratch.has("again/rules.html"))
    }

    @Test(arguments: [
        ("none", 0, "1 have no place"), ("odd", 2, "expected one of scenario"),
    ])
    func rulesThatNothingMustShow(place: String, status: Int32, text: String) throws {
        let scratch = try scratch(rulePlace: place)
        let outcome = try Tool.run(["run"], folder: scratch.path)
        #expect(outcome.status == status)
        #expect((outcome.output + outcome.errors).contains(text), "\(outcome.output)\(outcome.errors)")
        #expect(!scratch.has("report"))
    }

    @Test func aCutIsNamedOrGivenByItsOffset() throws {
        let scratch = try scratch(wrong: false)
        for cut in ["two-way@17", "17"] {
            let words = ["run", "--executor", "parser", "--cuts", "two-way", "--cut", cut]
            let outcome = try Tool.run(words, folder: scratch.path)
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("1 cells, 1 replays, "))
        }
        // The request has 27 bytes, so that nothing is cut there.
        #expect(try Tool.run(["run", "--cuts", "two-way", "--cut", "27"], folder: scratch.path).status == 4)
    }

    @Test(
        arguments: [
            (["run", "nothing/matches"], 4, "no cell of Matrix/default.yaml matches"),
            (["run", "--poller", "kqueue"], 2, "--poller: expected one of epoll, poll, select, found 'kqueue'"),
            (["run", "--cuts", "half"], 2, "--cuts: expected one of whole"),
            (["run", "--executor", "wire"], 2, "--executor: expected one of parser"),
            (["run", "--transport", "parser"], 2, "--transport: expected one of socketpair, tcp, tls, unix"),
            (["run", "--mode", "asyncio"], 2, "lacks the asyncio loop"),
            (["serve", "hello", "--mode", "nio", "--poller", "poll"], 2, "waits by epoll only, not by poll"),
            (["get", "http://127.0.0.1/", "--mode", "nio", "--poller", "select"], 2, "waits by epoll only"),
            (["run", "--jobs", "0"], 2, "--jobs: expected a number from 1 to 256"),
            (["run", "--matrix", "missing.yaml"], 2, "cannot read 'missing.yaml'"),
            (["run", "--fixtures", "missing"], 2, "cannot find 'missing'"),
            (["run", "--known-failing", "Fixtures/http1/test/right.wire"], 2, "right.wire:"),
            (["show", "http1/missing"], 2, "cannot read 'Fixtures/http1/missing.wire'"),
            (["fmt", "--check", "missing"], 2, "cannot find 'missing'"),
            (["frobnicate"], 2, "frobnicate"),
            (["get", "ftp://127.0.0.1/"], 2, "expected a URL that begins with http://"),
            (["serve", "http", "--root", "missing"], 2, "missing"),
            (["serve", "echo", "--size", "5"], 2, "only 'anyloop serve hello'"),
            (["serve", "hello", "--size", "0"], 2, "expected 1 to 1073741824, found '0'"),
            (["serve", "hello", "--size", "1073741825"], 2, "expected 1 to 1073741824"),
            (["report", "missing.ndjson"], 2, "cannot read 'missing.ndjson'"),
        ] as [([String], Int32, String)])
    func wrongUseIsOneSentence(arguments: [String], status: Int32, text: String) throws {
        let scratch = try scratch(wrong: false)
        let outcome = try Tool.run(arguments, folder: scratch.path)
        #expect(outcome.status == status)
        #expect((outcome.errors + outcome.output).contains(text), "\(outcome.errors)\(outcome.output)")
    }

    @Test func missingLoopsSaySo() throws {
        let scratch = try scratch(wrong: false)
        for arguments in [["run"], ["serve", "hello", "--port", "0"], ["get", "http://127.0.0.1:1/"]] {
            let outcome = try Tool.run(arguments, environment: ["ASYNCIO": "1"], folder: scratch.path)
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains("ASYNCIO=1: this build lacks"))
        }
    }

    @Test func aMalformedFixtureIsNamedWithItsPlace() throws {
        let scratch = try scratch(wrong: false)
        try scratch.write(Self.right.replacing("> \"Host", with: "> Host"), to: "Fixtures/http1/test/bad.wire")
        let outcome = try Tool.run(["run"], folder: scratch.path)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("Fixtures/http1/test/bad.wire:9:3: expected "))
    }

    @Test func listAndShow() throws {
        let scratch = try scratch(wrong: false)
        let list = try Tool.run(["list", "--cells", "--cuts", "two-way", "--executor", "parser"], folder: scratch.path)
        #expect(list.output == "http1/test/right http1-server parser two-way\n")
        let show = try Tool.run(["show", "http1/test/right"], folder: scratch.path)
        #expect(show.output.hasPrefix(Self.right))
        #expect(show.output.contains("# server: 27 bytes in 1 segments, read by http1-server"))
    }

    @Test func helpIsZero() throws {
        for arguments in [["--help"], ["run", "--help"], ["serve", "--help"]] {
            #expect(try Tool.run(arguments).status == 0)
        }
    }
}
