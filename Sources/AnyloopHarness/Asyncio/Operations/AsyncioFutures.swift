import AnyloopAsync
import AnyloopCore
import Synchronization

extension AsyncioOperation {
    /// Futures and the executor.
    static let futures: [String: AsyncioOperation] = [
        "future": .plain { player, step in
            player.tasks[try step.table.text("name")] = player.loop.createFuture(of: AsyncioResult.self)
        },
        "on_done": .plain { player, step in
            let (_, future) = try player.task(step)
            let mark = try step.table.text("mark")
            let body = try player.named(mark, try step.steps("then"))
            player.store(AsyncioDoneCallbacks.init).all[mark] = future.addDoneCallback { _ in try body() }
        },
        "remove_on_done": .plain { player, step in
            let (name, future) = try player.task(step)
            let callback = player.store(AsyncioDoneCallbacks.init).all[try step.table.text("mark")]
            player.call("\(name).remove_done_callback") {
                .number(callback.map { future.removeDoneCallback($0) } == true ? 1 : 0)
            }
        },
        "set_result": .plain { player, step in
            let (name, future) = try player.task(step)
            let value = step.table.values["value"].map { AsyncioResult($0) } ?? .none
            player.call("\(name).set_result") {
                try future.setResult(value)
                return .none
            }
        },
        "set_exception": .plain { player, step in
            let (name, future) = try player.task(step)
            player.call("\(name).set_exception") {
                try future.setError(Boom())
                return .none
            }
        },
        "cancel_future": .plain { player, step in
            let (name, future) = try player.task(step)
            player.call("\(name).cancel") { .flag(future.cancel()) }
        },
        "future_state": .plain { player, step in
            let (name, future) = try player.task(step)
            guard future.isDone else { return player.line("\(name) pending") }
            player.call(name, getter: true) { try future.result() }
        },
        "result_of": .plain { player, step in
            let (name, future) = try player.task(step)
            player.call("\(name).result", getter: true) { try future.result() }
        },
        "run_until_complete": .plain { player, step in
            let (name, future) = try player.task(step)
            player.call("loop.run_until_complete \(name)") { try player.loop.runUntilComplete(future) }
        },
        "executor": .waits { player, step, _ in
            let value = step.table.values["value"].map { AsyncioResult($0) } ?? .none
            let raises = step.table.has("raise")
            let gate = try step.table.optionalText("until").map { player.gate($0) }
            try await player.result(step, "executor") {
                try await player.loop.runInExecutor {
                    gate?.wait()
                    if raises { throw Boom() }
                    return value
                }
            }
        },
        "open_gate": .plain { player, step in player.gate(try step.table.text("gate")).open() },
        "shutdown_default_executor": .waits { player, step, _ in
            try await player.result(step, "loop.shutdown_default_executor") {
                try await player.loop.shutdownDefaultExecutor()
                return .none
            }
        },
    ]
}

/// The callbacks that wait at futures, by their marks.
private final class AsyncioDoneCallbacks {
    var all: [String: DoneCallback] = [:]
}

/// What functions on other threads wait for.
final class AsyncioGate: Sendable {
    private let isOpen = Mutex(false)

    func open() { isOpen.withLock { $0 = true } }

    /// Blocks until the gate is open, 5 s at most.
    func wait() {
        let end = ContinuousClock.now + AsyncioPlayer.patience
        while !isOpen.withLock({ $0 }), ContinuousClock.now < end { AsyncioThread.sleep(seconds: 0.001) }
    }
}

private final class AsyncioGates {
    var all: [String: AsyncioGate] = [:]
}

extension AsyncioPlayer {
    fileprivate func gate(_ name: String) -> AsyncioGate {
        let gates = store(AsyncioGates.init)
        let gate = gates.all[name] ?? AsyncioGate()
        gates.all[name] = gate
        return gate
    }
}
