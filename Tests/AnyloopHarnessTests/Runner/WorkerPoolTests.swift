import Testing

@testable import AnyloopHarness

/// A job whose items are shell commands; each must print one line.
private struct ShellJob: WorkerJob {
    var commands: [String]
    var limit = Duration.seconds(20)

    var itemCount: Int { commands.count }
    func line(from first: Int) -> [UInt8] { Array(commands[first...].joined(separator: ";").utf8) }
    func deadline(for item: Int) -> Duration { limit }
}

struct WorkerPoolTests {
    private func pool(_ count: Int, script: String = "echo ready; while read -r line; do eval \"$line\"; done")
        -> WorkerPool
    {
        WorkerPool(program: "/bin/sh", arguments: ["-c", script], count: count)
    }

    private func run(_ jobs: [ShellJob], count: Int = 2) throws -> [String: WorkerAnswer] {
        var answers: [String: WorkerAnswer] = [:]
        try pool(count).run(jobs) { (job, item, answer) in answers[job.commands[item]] = answer }
        return answers
    }

    @Test func answersComeForEveryItem() throws {
        let jobs = (0..<40).map { job in ShellJob(commands: (0..<5).map { "echo \(job)-\($0)" }) }
        let answers = try run(jobs)
        #expect(answers.count == 200)
        #expect(answers["echo 7-3"] == .line("7-3"))
    }

    @Test func aSignalIsTheAnswerToItsItemAndTheRestGoesOn() throws {
        let answers = try run([
            ShellJob(commands: ["echo one", "echo trouble >&2; kill -SEGV $$", "echo three"]),
            ShellJob(commands: ["echo four"]),
        ])
        #expect(answers["echo one"] == .line("one"))
        #expect(answers["echo trouble >&2; kill -SEGV $$"] == .crashed(how: "killed by SIGSEGV", output: "trouble\n"))
        #expect(answers["echo three"] == .line("three"))
        #expect(answers["echo four"] == .line("four"))
    }

    @Test func anExitIsACrashToo() throws {
        #expect(
            try run([ShellJob(commands: ["exit 7"])])["exit 7"] == .crashed(how: "exited with status 7", output: ""))
    }

    @Test func aHangIsTheAnswerToItsItemAndTheRestGoesOn() throws {
        let job = ShellJob(commands: ["exec sleep 60", "echo after"], limit: .milliseconds(300))
        let answers = try run([job], count: 1)
        #expect(answers["exec sleep 60"] == .hung(after: .milliseconds(300), output: ""))
        #expect(answers["echo after"] == .line("after"))
    }

    @Test func aProgramThatIsMissingStopsTheRun() {
        let pool = WorkerPool(program: "/nonexistent/anyloop", arguments: [], count: 1)
        #expect(throws: WorkerError.cannotStart(program: "/nonexistent/anyloop", errno: 2)) {
            try pool.run([ShellJob(commands: ["echo"])]) { (_, _, _) in }
        }
    }

    @Test func aWorkerThatIsNeverReadyStopsTheRun() {
        let error = #expect(throws: WorkerError.self) {
            try pool(1, script: "echo no settings >&2; exit 2").run([ShellJob(commands: ["echo"])]) { (_, _, _) in }
        }
        #expect(error?.description.contains("no settings") == true)
    }

    @Test func theTailOfStandardErrorIsLimited() throws {
        let noise = "head -c 100000 /dev/zero | tr '\\\\0' x >&2; kill -ABRT $$"
        guard case .crashed("killed by SIGABRT", let output)? = try run([ShellJob(commands: [noise])])[noise] else {
            Issue.record("no crash")
            return
        }
        #expect(output.utf8.count == WorkerProcess.errorTailLimit)
    }

    @Test func jobsHoldCellsOfOneFixture() {
        func cell(_ fixture: String, _ cuts: Int) -> CellSpec {
            CellSpec(fixture: fixture, subject: "s", executor: "parser", mode: "", poller: "", cuts: "\(cuts)")
        }
        let cells = (0..<CellJob.cellLimit + 1).map { cell("a", $0) } + [cell("b", 0), cell("c", 0), cell("c", 1)]
        let jobs = CellJob.jobs(
            cells, files: ["a": "a.wire", "b": "b.wire"], deadlines: ["c": .seconds(9)], deadline: .seconds(1))
        // Scenarios (here c, which has no file) stand alone, so that both processors share them.
        #expect(jobs.map(\.cells.count) == [CellJob.cellLimit, 1, 1, 1, 1])
        #expect(jobs.map(\.deadline) == [.seconds(1), .seconds(1), .seconds(1), .seconds(9), .seconds(9)])
    }
}
