import CAnyloopSystem

/// A job for a worker: one line in, one line out for each of its items, in their order.
public protocol WorkerJob {
    /// How many answers the job gets.
    var itemCount: Int { get }
    /// The request for the items from `first` on, without a line end.
    func line(from first: Int) -> [UInt8]
    /// How long one item may take before the worker counts as hung.
    func deadline(for item: Int) -> Duration
}

/// What came of one item of a job.
public enum WorkerAnswer: Hashable, Sendable {
    /// The worker's line.
    case line(String)
    /// The worker died on this item, by a signal or with a status that it should not have; `output` is the end of
    /// what it had said on standard error.
    case crashed(how: String, output: String)
    /// The worker gave no answer within the item's deadline and was ended.
    case hung(after: Duration, output: String)
}

/// Hands jobs to copies of a program and survives their deaths.
///
/// A worker says `ready`, then gets one job at a time. When it dies or hangs, that is the answer to the item it was
/// at; a new worker takes its place and goes on with the item after.
public struct WorkerPool {
    /// The line a worker greets with.
    public static let greeting = "ready"

    /// The program's path.
    public var program: String
    /// The program's arguments, its name not among them.
    public var arguments: [String]
    /// Workers at once, at least 1.
    public var count: Int
    /// How long a worker may take to greet.
    public var startDeadline: Duration = .seconds(60)
    /// How often `tick` is called while nothing arrives, in milliseconds.
    public var tickInterval: Int32 = 200

    /// A pool of `count` copies of `program`.
    public init(program: String, arguments: [String], count: Int) {
        self.program = program
        self.arguments = arguments
        self.count = max(1, count)
    }

    /// Runs all jobs and gives each item's answer to `receive`.
    ///
    /// - Parameter tick: called after each wait, for progress; true goes on, false stops the run.
    /// - Throws: `WorkerError` when workers cannot be started or waited for.
    public func run<Job: WorkerJob>(
        _ jobs: [Job],
        receive: (Job, Int, WorkerAnswer) throws(WorkerError) -> Void,
        tick: () -> Bool = { true }
    ) throws(WorkerError) {
        var queue = jobs.makeIterator()
        var lanes: [Lane<Job>] = []
        defer { for lane in lanes { lane.end() } }
        for _ in 0..<min(count, max(1, jobs.count)) {
            guard let job = queue.next() else { break }
            lanes.append(try Lane(pool: self, job: job))
        }
        while !lanes.isEmpty {
            try wait(for: lanes)
            for lane in lanes {
                try lane.collect(pool: self, receive: receive)
                if lane.job == nil { try lane.start(queue.next(), pool: self) }
            }
            for lane in lanes where lane.job == nil { lane.end() }
            lanes.removeAll { $0.job == nil }
            guard tick() else { return }
        }
    }

    private func wait<Job>(for lanes: [Lane<Job>]) throws(WorkerError) {
        let descriptors = lanes.flatMap { [$0.worker.child.output, $0.worker.child.errors] }
        var ready = [UInt8](repeating: 0, count: descriptors.count)
        let found = unsafe anyloop_wait_readable(descriptors, &ready, descriptors.count, tickInterval)
        guard found >= 0 else { throw .cannotWait(errno: -found) }
    }
}

/// One worker of a pool and the job it is at.
private final class Lane<Job: WorkerJob> {
    private(set) var worker: WorkerProcess
    private(set) var job: Job?
    private var item = 0
    private var isReady = false
    private var since = ContinuousClock.now
    private var ended = false

    init(pool: WorkerPool, job: Job) throws(WorkerError) {
        worker = try WorkerProcess(program: pool.program, arguments: pool.arguments)
        self.job = job
    }

    /// Ends the worker, gently if it is idle.
    func end() {
        guard !ended else { return }
        ended = true
        if job == nil { worker.dismiss() } else { _ = worker.kill() }
    }

    /// Begins the next job, or becomes idle.
    func start(_ next: Job?, pool: WorkerPool) throws(WorkerError) {
        item = 0
        job = next
        try resume(pool: pool)
    }

    /// Takes what the worker has said, and sees whether it died or is overdue.
    func collect(
        pool: WorkerPool, receive: (Job, Int, WorkerAnswer) throws(WorkerError) -> Void
    ) throws(WorkerError) {
        worker.readErrors()
        let (lines, outputEnded) = worker.readLines()
        for line in lines {
            since = .now
            if !isReady {
                guard line == WorkerPool.greeting else { throw .notReady(program: pool.program, output: line) }
                isReady = true
                try resume(pool: pool)
            } else if let job {
                try receive(job, item, .line(line))
                advance()
            }
        }
        guard let job else { return }
        if outputEnded {
            let answer = try answer(to: worker.reap(), pool: pool)
            try receive(job, item, answer)
            try replace(pool: pool)
        } else if since.duration(to: .now) > (isReady ? job.deadline(for: item) : pool.startDeadline) {
            guard isReady else { throw .notReady(program: pool.program, output: worker.kill()) }
            try receive(job, item, .hung(after: job.deadline(for: item), output: worker.kill()))
            try replace(pool: pool)
        }
    }

    private func answer(to end: WorkerEnd, pool: WorkerPool) throws(WorkerError) -> WorkerAnswer {
        let (how, output) =
            switch end {
            case .exited(let status, let output): ("exited with status \(status)", output)
            case .signalled(let name, let output): ("killed by \(name)", output)
            }
        guard isReady else {
            ended = true
            throw .notReady(program: pool.program, output: "\(how) \(output)")
        }
        return .crashed(how: how, output: output)
    }

    private func advance() {
        item += 1
        if let current = job, item >= current.itemCount { job = nil }
    }

    /// Sends what is left of the job to a worker that is ready for it.
    private func resume(pool: WorkerPool) throws(WorkerError) {
        guard isReady, let job else { return }
        since = .now
        // A worker that is gone shows by the end of its output.
        _ = worker.send(job.line(from: item))
    }

    private func replace(pool: WorkerPool) throws(WorkerError) {
        advance()
        ended = true
        worker = try WorkerProcess(program: pool.program, arguments: pool.arguments)
        ended = false
        isReady = false
        since = .now
    }
}
