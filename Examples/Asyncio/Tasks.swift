import Anyloop

// begin: run
func helloWithRun() throws {
    try run(loopFactory: { try NativeLoop() }) { loop in
        print("Hello ...")
        try await loop.sleep(for: .milliseconds(10))
        print("... World!")
    }
}
// end: run

// begin: create-task
func sayAfter(_ delay: Duration, _ what: String, on loop: any TaskLoop) async throws {
    try await loop.sleep(for: delay)
    print(what)
}

func sayHelloWorld(on loop: any TaskLoop, after unit: Duration = .seconds(1)) async throws {
    let first = loop.createTask { try await sayAfter(unit, "hello", on: loop) }
    let second = loop.createTask { try await sayAfter(unit * 2, "world", on: loop) }

    print("started")
    // Wait until both tasks are completed (should take around 2 seconds.)
    try await first.value
    try await second.value
    print("finished")
}
// end: create-task

// begin: gather
func factorial(_ name: String, _ number: Int, on loop: any TaskLoop) async throws -> Int {
    var result = 1
    for factor in 2...number {
        print("Task \(name): Compute factorial(\(number)), currently i=\(factor)...")
        try await loop.sleep(for: .milliseconds(10))
        result *= factor
    }
    print("Task \(name): factorial(\(number)) = \(result)")
    return result
}

func factorials(on loop: any TaskLoop) async throws {
    // Schedule three calls concurrently:
    let results = try await loop.gather([
        { try await factorial("A", 2, on: loop) },
        { try await factorial("B", 3, on: loop) },
        { try await factorial("C", 4, on: loop) },
    ]).value
    print("\(results)")
}
// end: gather

// begin: wait-for
func waitForEternity(on loop: any TaskLoop, atMost limit: Duration = .seconds(1)) async throws {
    do {
        // Wait for at most 1 second
        try await loop.waitFor(timeout: limit) {
            try await loop.sleep(for: .seconds(3600))
            print("yay!")
        }
    } catch TransportError.timedOut {
        print("timeout!")
    }
}
// end: wait-for

// begin: timeout
func handleTimeout(on loop: any TaskLoop, after limit: Duration = .seconds(10)) async throws {
    do {
        try await loop.timeout(after: limit) { _ in
            try await loop.sleep(for: .seconds(3600))
        }
    } catch TransportError.timedOut {
        print("The long operation timed out, but we've handled it.")
    }
    print("This statement will run regardless.")
}
// end: timeout

// begin: executor
func runInThreads(on loop: any TaskLoop) async throws {
    // Blocking and CPU-bound operations go to the loop's pool of threads.
    let sum = try await loop.runInExecutor { (0..<1000).reduce(0) { $0 + $1 * $1 } }
    print("default thread pool: \(sum)")
}
// end: executor

// begin: queue
func worker(_ name: String, _ queue: LoopQueue<Duration>, on loop: any TaskLoop) async throws {
    while true {
        // Get a "work item" out of the queue.
        let sleepFor = try await queue.get()

        // Sleep for the time it says.
        try await loop.sleep(for: sleepFor)

        // Notify the queue that the "work item" has been processed.
        try queue.taskDone()
        print("\(name) has slept for \(sleepFor)")
    }
}

func distributeWork(on loop: any TaskLoop, unit: Duration = .milliseconds(50)) async throws {
    // Create a queue that we will use to store our "workload".
    let queue = LoopQueue<Duration>(loop: loop)

    // Generate timings and put them into the queue.
    for number in 0..<20 { try queue.putNowait(unit * (1 + number % 4)) }

    // Create three worker tasks to process the queue concurrently.
    let tasks = (0..<3).map { number in
        loop.createTask { try await worker("worker-\(number)", queue, on: loop) }
    }

    // Wait until the queue is fully processed.
    try await queue.join()

    // Cancel our worker tasks, and wait until all are cancelled.
    for task in tasks { task.cancel() }
    _ = try await loop.gatherResults(tasks).value
    print("====")
}
// end: queue
