import Testing

@testable import AnyloopHarness

struct MatrixTests {
    private func matrix(_ text: String) throws -> Matrix {
        try Matrix(file: "m.yaml", text: text, registry: Samples.registry)
    }

    private func fixture(_ id: String) throws -> PlannedFixture {
        let text = """
            wire 1
            id \(id)
            spec RFC9112#3 MUST
            source written RFC9112#3
            tags http1
            title a test
            --- stream
            > "GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
            --- expect server
            events head GET /; end

            """
        return PlannedFixture(fixture: try Fixture.parse(Array(text.utf8), file: "f.wire") { _ in nil }, file: "f.wire")
    }

    @Test func defaultsTakeAll() throws {
        let block = try #require(try matrix("cells:\n  - fixtures: '**'\n").blocks.first)
        #expect(block.executors == ExecutorKind.allCases)
        #expect(block.modes == [.native, .compat])
        #expect(block.pollers == ["epoll", "poll"])
        #expect(block.cuts == CutPlan.allCases)
    }

    @Test func settingsAreRead() throws {
        let matrix = try matrix(
            "version: 1\nseed: 7\ndeadline: 1500ms\nlimits: {mutations: 5}\ncells:\n  - {fixtures: [a, b], cuts: whole}\n"
        )
        #expect(matrix.seed == 7)
        #expect(matrix.deadline == .milliseconds(1500))
        #expect(matrix.limits.mutations == 5)
        #expect(matrix.blocks.map(\.cuts) == [[.whole]])
    }

    @Test(arguments: [
        ("", "m.yaml:1:1: expected settings, found an empty file"),
        ("cells: []\nspeed: 3\n", "m.yaml:2:1: expected one of the keys"),
        ("seed: fast\ncells: []\n", "m.yaml:1:7: expected a seed from 0"),
        ("deadline: soon\ncells: []\n", "m.yaml:1:11: expected a deadline such as 30s"),
        ("seed: 1\n", "expected the key cells"),
        ("cells:\n  - {fixtures: a, pollers: [kqueue]}\n", "m.yaml:2:29: expected pollers: one of epoll, poll, all"),
        ("cells:\n  - {fixtures: a, cuts: [half]}\n", "m.yaml:2:26: expected cuts: one of whole"),
        ("cells:\n  - {cuts: whole}\n", "m.yaml:2:5: expected either fixtures or scenarios, found neither"),
        ("cells:\n  - {scenarios: a, cuts: whole}\n", "expected neither executors nor cuts"),
        ("cells: [\n", "m.yaml:2:1: expected YAML"),
        ("version: 2\ncells: []\n", "m.yaml:1:10: expected version 1 of the format"),
    ])
    func errorsSayWhereAndWhat(text: String, expected: String) throws {
        let error = #expect(throws: SettingsError.self) { try matrix(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
    }

    @Test func cellsAreTheProductWithoutRepetition() throws {
        let matrix = try matrix(
            """
            cells:
              - {fixtures: '**', executors: parser, cuts: [whole, random]}
              - {fixtures: '**', executors: [parser], cuts: [whole]}
              - {scenarios: '**', modes: native}
            """)
        let cells = matrix.cells(
            fixtures: [try fixture("http1/a/b")], registry: Samples.registry, selection: CellSelection())
        // The scenario on two pollers comes first, then the parser by two plans.
        #expect(cells.map(\.executor) == ["curl", "curl", "parser", "parser"])
        #expect(cells.map(\.poller) == ["epoll", "poll", "", ""])
        #expect(Set(cells).count == cells.count)
    }

    @Test func selectionNarrows() throws {
        let matrix = try matrix("cells:\n  - fixtures: '**'\n  - scenarios: '**'\n")
        var selection = CellSelection()
        selection.fixtures = [Glob("http1/a")]
        selection.cuts = ["two-way"]
        let fixtures = [try fixture("http1/a/b"), try fixture("http1/c/d")]
        let cells = matrix.cells(fixtures: fixtures, registry: Samples.registry, selection: selection)
        #expect(Set(cells.map(\.fixture)) == ["http1/a/b"])
        #expect(Set(cells.map(\.cuts)) == ["two-way"])
    }

    @Test func scenariosRunInTheirModesOnly() throws {
        var registry = Samples.registry
        registry.scenarios = [
            LiveScenario(id: "a/b", title: "", subject: "a", executor: "curl", modes: [.compat, .nio]) { _ in [] }
        ]
        let matrix = try matrix("cells:\n  - scenarios: '**'\n")
        let cells = matrix.cells(fixtures: [], registry: registry, selection: CellSelection())
        #expect(cells.map(\.mode) == ["compat", "compat"])
    }

    @Test func exceptionsAreLeftOut() throws {
        let matrix = try matrix("cells:\n  - {fixtures: '**', except: http1/a, executors: parser, cuts: whole}\n")
        let fixtures = [try fixture("http1/a/b"), try fixture("http1/c/d")]
        let cells = matrix.cells(fixtures: fixtures, registry: Samples.registry, selection: CellSelection())
        #expect(cells.map(\.fixture) == ["http1/c/d"])
    }

    @Test(arguments: [
        ("30s", 30.0), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("7", 7), ("1.5s", 1.5),
    ])
    func durations(text: String, seconds: Double) {
        #expect(Duration(written: text) == .seconds(seconds))
    }

    @Test(arguments: ["", "s", "-1s", "1d", "ten", "1e9s", "9999999999s"])
    func badDurations(text: String) {
        #expect(Duration(written: text) == nil)
    }
}
