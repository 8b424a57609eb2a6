/// A cell that is to be run.
public struct CellSpec: Codable, Hashable, Sendable {
    /// The fixture's or the scenario's id.
    public var fixture: String
    /// The subject's name.
    public var subject: String
    /// The executor's name: an `ExecutorKind`, or a scenario's peer.
    public var executor: String
    /// The mode; empty where no loop is involved.
    public var mode: String
    /// The poller; empty where no loop is involved.
    public var poller: String
    /// The cut plan; empty for a scenario.
    public var cuts: String
}

/// What a run is narrowed to; an empty list narrows nothing.
public struct CellSelection: Sendable, Hashable {
    /// Fixtures and scenarios by glob.
    public var fixtures: [Glob] = []
    /// Subjects by glob.
    public var subjects: [Glob] = []
    /// Executors, scenarios' peers among them.
    public var executors: [String] = []
    /// Modes.
    public var modes: [String] = []
    /// Pollers.
    public var pollers: [String] = []
    /// Cut plans.
    public var cuts: [String] = []

    /// Everything.
    public init() {}

    /// Whether the cell is among the selected.
    public func holds(_ cell: CellSpec) -> Bool {
        func holds(_ list: [String], _ name: String) -> Bool { list.isEmpty || list.contains(name) }
        return holds(executors, cell.executor) && holds(modes, cell.mode) && holds(pollers, cell.poller)
            && holds(cuts, cell.cuts) && subjects.match(cell.subject, empty: true)
            && fixtures.match(cell.fixture, empty: true)
    }
}

/// What the planner needs to know of a fixture.
public struct PlannedFixture: Sendable {
    /// The fixture.
    public var fixture: Fixture
    /// The file it comes from.
    public var file: String

    /// A fixture and its file.
    public init(fixture: Fixture, file: String) {
        self.fixture = fixture
        self.file = file
    }
}

extension Matrix {
    /// The cells of this matrix that `selection` holds, without repetition, those of one fixture together.
    ///
    /// `asyncio` are the ids of asyncio's scenarios; blocks of scenarios cover them.
    public func cells(
        fixtures: [PlannedFixture], asyncio: [String] = [], registry: Registry, selection: CellSelection
    ) -> [CellSpec] {
        var cells: [CellSpec] = []
        // Scenarios take longest: they go first, so that no worker is left alone with one at the end.
        for scenario in registry.scenarios where selection.fixtures.match(scenario.id, empty: true) {
            append(to: &cells, selection: selection) { block, visit in
                guard block.isScenarios, block.covers(scenario.id), block.subjects.match(scenario.subject, empty: true)
                else { return }
                let cell = CellSpec(
                    fixture: scenario.id, subject: scenario.subject, executor: scenario.executor, mode: "", poller: "",
                    cuts: "")
                block.visitLoops(registry, cell) { if scenario.modes.contains($0.mode) { visit($1) } }
            }
        }
        for id in asyncio where selection.fixtures.match(id, empty: true) {
            append(to: &cells, selection: selection) { block, visit in
                guard block.isScenarios, block.covers(id), block.subjects.match(AsyncioCell.subject, empty: true)
                else { return }
                let cell = CellSpec(
                    fixture: id, subject: AsyncioCell.subject, executor: AsyncioCell.executor, mode: "", poller: "",
                    cuts: "")
                block.visitLoops(registry, cell) { visit($1) }
            }
        }
        for planned in fixtures where selection.fixtures.match(planned.fixture.id, empty: true) {
            append(to: &cells, selection: selection) { block, visit in
                guard !block.isScenarios, block.covers(planned.fixture.id) else { return }
                for subject in registry.subjects
                where subject.takes(planned.fixture) && block.subjects.match(subject.name, empty: true) {
                    block.visitCells(registry, planned.fixture, subject, visit)
                }
            }
        }
        return cells
    }

    private func append(
        to cells: inout [CellSpec], selection: CellSelection, _ visit: (Block, (CellSpec) -> Void) -> Void
    ) {
        var seen: Set<CellSpec> = []
        for block in blocks {
            visit(block) { cell in
                if selection.holds(cell), seen.insert(cell).inserted { cells.append(cell) }
            }
        }
    }
}

extension Matrix.Block {
    fileprivate func covers(_ id: String) -> Bool {
        fixtures.match(id, empty: false) && !except.match(id, empty: false)
    }

    fileprivate func visitCells(
        _ registry: Registry, _ fixture: Fixture, _ subject: Subject, _ visit: (CellSpec) -> Void
    ) {
        let isOneSegment = fixture.stream(for: subject.side).boundaries.isEmpty
        for executor in executors where subject.runs(on: executor) {
            // One segment has nothing to be joined with.
            for plan in cuts where executor.takes(plan) && !(plan == .coalesced && isOneSegment) {
                let cell = CellSpec(
                    fixture: fixture.id, subject: subject.name, executor: executor.rawValue, mode: "", poller: "",
                    cuts: plan.rawValue)
                if executor.needsLoop { visitLoops(registry, cell) { visit($1) } } else { visit(cell) }
            }
        }
    }

    fileprivate func visitLoops(_ registry: Registry, _ cell: CellSpec, _ visit: (LoopProvider, CellSpec) -> Void) {
        for provider in registry.loopProviders
        where modes.contains(provider.mode) && pollers.contains(provider.poller) {
            var cell = cell
            cell.mode = provider.mode.rawValue
            cell.poller = provider.poller
            visit(provider, cell)
        }
    }
}
