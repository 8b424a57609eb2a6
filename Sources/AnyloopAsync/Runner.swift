import AnyloopCore

/// Makes a loop, runs `main` on it as a task, and cleans up (asyncio: `run`).
///
/// At the end, however it came, tasks that are left are cancelled and waited for, the executor is shut down and the
/// loop is closed. Errors of left-over tasks are told to the loop's exception handler.
///
/// - Throws: what `loopFactory` or `main` throws; `TransportError.usage` while another loop runs on this thread.
public func run<Driver: TaskLoop, Value>(
    loopFactory: () throws -> Driver, _ main: @escaping (Driver) async throws -> Value
) throws -> Value {
    let loop = try loopFactory()
    defer { loop.closeLoop() }
    let result = Result { try loop.runUntilComplete { try await main(loop) } }
    // The loop cannot run where another one does: then there is nothing to clean up either.
    try? loop.runUntilComplete {
        try await cancelTasks(of: loop)
        try await loop.shutdownDefaultExecutor()
    }
    return try result.get()
}

/// Cancels every other task and waits for its end (asyncio: `_cancel_all_tasks`).
private nonisolated(nonsending) func cancelTasks(of loop: some TaskLoop) async throws {
    let current = loop.currentTask
    let tasks = loop.allTasks.filter { $0 !== current }
    for task in tasks { task.cancel() }
    for task in tasks where !task.isDone { try await loop.suspend(on: task) }
    for task in tasks where !task.isCancelled {
        guard let error = try task.exception() else { continue }
        loop.callExceptionHandler(
            LoopException(message: "unhandled exception during asyncio.run() shutdown", error: error))
    }
}
