/// One scenario on one loop, held to its recording.
enum AsyncioCell {
    /// The name of these cells' executor.
    static let executor = "asyncio"
    /// The name of what they drive.
    static let subject = "loop"

    /// Plays the scenario in `file` on a loop that `provider` makes.
    ///
    /// - Throws: `LiveScenario.Unsupported` where the loop lacks what the scenario needs, and what reading the files
    ///   throws.
    static func run(_ cell: CellSpec, file: String, on provider: LoopProvider) throws -> CellRecord {
        var record = CellRecord(cell)
        record.replays = 1
        let scenario = try AsyncioFiles.scenario(file)
        let expected = try AsyncioFiles.recording(besides: file).trace(of: scenario.follows)
        record.rules = scenario.rules
        let got: [String]
        do {
            got = try AsyncioPlayer.play(scenario, from: provider)
        } catch let error where !(error is LiveScenario.Unsupported) {
            record.outcome = .failed
            record.failed = 1
            record.failures = [CellFailure(kind: .harness, cut: "-", summary: "not played to its end: \(error)")]
            return record
        }
        switch AsyncioComparison(expected: expected, got: got, rules: scenario.rules)
            .outcome(under: provider.asyncioLiberties)
        {
        case .equal(let liberties): record.liberties = liberties
        case .different(let details):
            let summary = "the trace differs from that of \(AsyncioRecording.name(scenario.follows))"
            record.outcome = .failed
            record.failed = 1
            record.failures = [CellFailure(kind: .differential, cut: "-", summary: summary, details: details)]
        }
        return record
    }
}
