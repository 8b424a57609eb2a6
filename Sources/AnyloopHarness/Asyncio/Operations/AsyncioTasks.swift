import AnyloopAsync
import AnyloopCore

/// A step that runs as a task of its own.
final class AsyncioTask {
    private(set) var isDone = false
    private let player: AsyncioPlayer
    private let body: () async throws -> Void
    var cancel: () -> Void = {}

    init(_ player: AsyncioPlayer, _ body: @escaping () async throws -> Void) {
        self.player = player
        self.body = body
    }

    nonisolated(nonsending) func run() async {
        do { try await body() } catch {
            if AsyncioPlayer.isMistake(error) { player.fail(error) }
        }
        isDone = true
    }
}

extension AsyncioPlayer {
    /// Runs `body`, which writes its own line, as a task called `name`.
    func start(_ name: String, _ body: @escaping () async throws -> Void) {
        let record = AsyncioTask(self, body)
        let bound = LoopBound(record, to: loop.remote)
        let task = Task(executorPreference: loop.loopTaskExecutor) { await bound.value.run() }
        record.cancel = { task.cancel() }
        tasks[name] = record
    }
}

extension AsyncioOperation {
    static let tasks: [String: AsyncioOperation] = [
        "task_cancel": .plain { player, step in
            let name = try step.table.text("name")
            let task = try player.task(step)
            player.call("\(name).cancel") {
                task.cancel()
                return .none
            }
        },
        "task_wait": .waits { player, step, _ in
            let task = try player.task(step)
            _ = try await player.wait { task.isDone }
        },
    ]
}

extension AsyncioPlayer {
    func task(_ step: AsyncioStep) throws -> AsyncioTask {
        let name = try step.table.text("name")
        guard let task = tasks[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no task '\(name)' (yet)")
        }
        return task
    }
}
