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
