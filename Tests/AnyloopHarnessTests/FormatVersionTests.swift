import AnyloopHarness
import Testing

/// What `VERSIONING.md` promises about files: version 1 is read as long as it is promised, others are refused in a
/// clear sentence. The texts here are frozen: they are not brought up to date with the formats.
@Suite struct FormatVersionTests {
    static let wire = """
        wire 1
        id       http1/methods/get
        spec     RFC9110#9.3.1 MUST
        source   written RFC9110#9.3.1
        tags     http1 methods
        title    GET
        --- stream
        > "GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
        --- expect server
        events   head GET / HTTP/1.1; end
        wire     < "HTTP/1.1 200 OK\\r\\n" {any}
        open

        """

    static let matrix = """
        version: 1
        seed: 7
        deadline: 60s
        limits: {mutations: 128}
        cells:
          - fixtures: "**"
            except: [http1/smuggling/*]
            subjects: [http1-server]
            executors: [parser, memory, socketpair, tcp, unix]
            modes: [native, compat]
            pollers: [epoll]
            cuts: [whole, recorded, coalesced, every-byte, two-way, random, eof, reset]
          - scenarios: "curl/**"

        """

    static let knownFailing = """
        version: 1
        entries:
          - fixtures: http1/methods/*
            when: {mode: compat, poller: select}
            message: a part of the failure
            reason: one sentence
            issue: "#12"
            expires: 2099-12-31

        """

    /// A line of the first version, with a key that is not known yet.
    static let record = """
        {"cuts":"whole","executor":"tcp","failed":1,"failures":[{"cut":"two-way@17","details":"- a","kind":"differential",\
        "summary":"they part"}],"fixture":"http1/methods/get","judgement":"failed","later":[1],"milliseconds":1.5,\
        "mode":"native","outcome":"failed","poller":"epoll","replays":3,"reproduce":"anyloop run","seed":1,\
        "subject":"http1-server"}

        """

    static let scenario = """
        {
          "asyncio": 1,
          "id": "asyncio/ending/close-in-data-received",
          "title": "close() inside data_received",
          "rules": [94, 96],
          "react": {"C": {"data_received": [{"op": "write", "data": "bye"}, {"op": "close"}]}},
          "steps": [
            {"op": "socketpair", "peer": "p", "as": "C"},
            {"op": "peer_send", "peer": "p", "data": "x"},
            {"op": "settle"},
            {"op": "peer_recv", "peer": "p"}
          ]
        }

        """

    @Test func versionOneOfAScenarioIsRead() throws {
        let scenario = try AsyncioScenario(Array(Self.scenario.utf8), file: "s.json")
        #expect(scenario.id == "asyncio/ending/close-in-data-received")
        #expect(scenario.rules == [94, 96])
    }

    @Test(arguments: ["0", "2", "\"1\""]) func otherVersionsOfAScenarioAreRefused(version: String) throws {
        let text = Self.scenario.replacing("\"asyncio\": 1", with: "\"asyncio\": \(version), \"later\": 1")
        let error = try #require(throws: AsyncioFormatError.self) {
            try AsyncioScenario(Array(text.utf8), file: "s.json")
        }
        #expect(error.description.hasPrefix("s.json: the file" + Self.sentence), "\(error)")
    }

    private static let sentence = ": expected version 1 of the format, the only one that this anyloop reads"

    @Test func versionOneOfAFixtureIsRead() throws {
        let fixture = try Fixture.parse(Array(Self.wire.utf8), file: "f.wire")
        #expect(fixture.id == "http1/methods/get")
        #expect(try Fixture.format(Array(Self.wire.utf8), file: "f.wire") == Self.wire)
    }

    @Test(arguments: ["0", "2", "1.1", "one"]) func otherVersionsOfAFixtureAreRefused(version: String) throws {
        let text = "wire \(version)\n" + Self.wire.dropFirst(7)
        let error = try #require(throws: FixtureError.self) { try Fixture.parse(Array(text.utf8), file: "f.wire") }
        #expect(error.description == "f.wire:1:6" + Self.sentence + ", found '\(version)'")
    }

    @Test func aFixtureWithoutAVersionIsRefused() throws {
        let text = Self.wire.dropFirst(7)
        let error = try #require(throws: FixtureError.self) { try Fixture.parse(Array(text.utf8), file: "f.wire") }
        #expect(error.description == "f.wire:1:10: expected 'wire 1' first, found 'id'")
    }

    @Test func versionOneOfAMatrixIsRead() throws {
        let matrix = try Matrix(file: "m.yaml", text: Self.matrix, registry: Samples.registry)
        #expect(matrix.blocks.count == 2)
        #expect(matrix.seed == 7)
        #expect(try KnownFailures(file: "k.yaml", text: Self.knownFailing).entries.count == 1)
    }

    @Test(arguments: ["0", "2", "1.1", "one"]) func otherVersionsOfAMatrixAreRefused(version: String) throws {
        let matrix = "version: \(version)\n" + Self.matrix.dropFirst(11)
        let error = try #require(throws: SettingsError.self) {
            try Matrix(file: "m.yaml", text: matrix, registry: Samples.registry)
        }
        #expect(error.description == "m.yaml:1:10" + Self.sentence + ", found '\(version)'")
        let known = "version: \(version)\n" + Self.knownFailing.dropFirst(11)
        let other = try #require(throws: SettingsError.self) { try KnownFailures(file: "k.yaml", text: known) }
        #expect(other.description == "k.yaml:1:10" + Self.sentence + ", found '\(version)'")
    }

    @Test func aRecordOfTheFirstVersionIsReadWithKeysThatCameLater() throws {
        let cell = try #require(try NDJSON.parse(file: "cells.ndjson", text: Self.record).first)
        #expect(cell.fixture == "http1/methods/get")
        #expect(cell.outcome == .failed)
        #expect(cell.failures.map(\.cut) == ["two-way@17"])
    }

    @Test func aRecordKeepsItsKeys() throws {
        let line = try NDJSON.line(Samples.cell(mode: "native", outcome: .failed, failure: "they part"))
        for key in [
            "fixture", "subject", "executor", "mode", "poller", "cuts", "seed", "replays", "outcome", "failed",
            "failures", "kind", "cut", "summary", "details", "milliseconds", "reproduce", "judgement",
        ] {
            #expect(line.contains("\"\(key)\":"), "\(key) is gone")
        }
    }

    @Test func exitCodesKeepTheirMeaning() {
        let codes: [(RunExit, Int32)] = [
            (.passed, 0), (.failed, 1), (.usage, 2), (.staleExpectation, 3), (.nothingMatched, 4), (.harnessBroke, 5),
        ]
        for (exit, code) in codes { #expect(exit.rawValue == code) }
    }
}
