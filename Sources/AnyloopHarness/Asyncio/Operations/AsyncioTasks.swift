import AnyloopAsync
import AnyloopCore

/// A future or task of a play.
typealias AsyncioFuture = Future<AsyncioResult>

extension AsyncioOperation {
    /// Tasks, and what awaits them.
    static let tasks: [String: AsyncioOperation] = [
        "task": .plain { player, step in
            let (name, body) = (try step.table.text("name"), try step.steps("body"))
            player.tasks[name] = player.loop.createTask(name: name) { try await player.run(name, body) }
        },
        "task_cancel": .plain { player, step in
            let (name, task) = try player.task(step)
            player.call("\(name).cancel") {
                task.cancel()
                return .none
            }
        },
        "task_wait": .waits { player, step, _ in
            let (_, task) = try player.task(step)
            _ = try await player.wait { task.isDone }
        },
        "current_task": .plain { player, _ in
            player.call("current_task", getter: true) {
                guard let task = player.loop.currentTask else { throw AsyncioPlayerError("no task runs here") }
                return .name(task.name)
            }
        },
        "await": .waits { player, step, place in
            let (name, future) = try player.task(step)
            let loop = player.loop
            let awaited = try step.table.flag("shield", or: false) ? loop.shield(future) : future
            let limit: Duration? = step.table.has("timeout") ? .seconds(try step.table.seconds("timeout")) : nil
            try await player.awaited("await \(name)", place) {
                limit == nil ? try await awaited.value : try await loop.waitFor(awaited, timeout: limit)
            }
        },
        "timeout": .waits { player, step, place in
            let (limit, body) = (Duration.seconds(try step.table.seconds("seconds")), try step.steps("body"))
            try await player.awaited("timeout", place) {
                try await player.loop.timeout(after: limit) { _ in try await player.body(body) }
            }
        },
        "gather": .waits { player, step, place in
            let futures = try step.table.texts("names").map { try player.task(named: $0, step) }
            let givesErrors = try step.table.flag("return_exceptions", or: false)
            try await player.awaited("gather", place) {
                guard givesErrors else { return .list(try await player.loop.gather(futures).value) }
                return .list(
                    try await player.loop.gatherResults(futures).value.map { result in
                        switch result {
                        case .success(let value): value
                        case .failure(let error): .name("!" + AsyncioText.error(error))
                        }
                    })
            }
        },
        "wait_first": .waits { player, step, place in
            let names = try step.table.texts("names")
            let futures = try names.map { try player.task(named: $0, step) }
            try await player.awaited("wait", place) {
                let (done, _) = try await player.loop.wait(for: futures, until: .firstCompleted)
                let ended = zip(names, futures).filter { pair in done.contains { $0 === pair.1 } }.map(\.0)
                return .list(ended.sorted().map { .name($0) })
            }
        },
        "try": .waits { player, step, _ in
            let (body, clean) = (try step.steps("body"), try step.steps("finally"))
            let rescue = step.table.has("catch") ? try step.steps("catch") : nil
            try await player.attempt(body, rescue, clean)
        },
    ]
}

extension AsyncioPlayer {
    /// The future or task of a step, and its name.
    func task(_ step: AsyncioStep) throws -> (String, AsyncioFuture) {
        let name = try step.table.text("name")
        return (name, try task(named: name, step))
    }

    func task(named name: String, _ step: AsyncioStep) throws -> AsyncioFuture {
        guard let task = tasks[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no future or task '\(name)' (yet)")
        }
        return task
    }

    /// Runs `body`, which writes its own line, as a task called `name`.
    func start(_ name: String, _ body: @escaping () async throws -> Void) {
        tasks[name] = loop.createTask { [self] in
            do { try await body() } catch {
                if Self.isMistake(error) { fail(error) }
                throw error
            }
            return AsyncioResult.none
        }
    }

    /// The body of a task, whose last line says how it ended.
    fileprivate nonisolated(nonsending) func run(_ name: String, _ steps: [AsyncioStep]) async throws -> AsyncioResult {
        do {
            let value = try await body(steps)
            call(name, getter: true) { value }
            return value
        } catch {
            if Self.isMistake(error) { fail(error) } else { line("\(name) !\(AsyncioText.error(error))") }
            throw error
        }
    }

    /// Performs steps; here an error of what they await ends them.
    nonisolated(nonsending) func body(
        _ steps: [AsyncioStep], in place: AsyncioPlace = .body
    ) async throws -> AsyncioResult {
        for step in steps {
            if let value = step.table.values["return"], step.op.isEmpty { return AsyncioResult(value) }
            if step.op.isEmpty { throw Boom() }
            try await perform(step, in: place)
            if let failure { throw failure }
        }
        return .none
    }

    fileprivate nonisolated(nonsending) func attempt(
        _ steps: [AsyncioStep], _ rescue: [AsyncioStep]?, _ clean: [AsyncioStep]
    ) async throws {
        do {
            do { _ = try await body(steps) } catch let error where !Self.isMistake(error) {
                guard let rescue else { throw error }
                line("caught \(AsyncioText.error(error))")
                _ = try await body(rescue)
            }
        } catch {
            _ = try await body(clean)
            throw error
        }
        _ = try await body(clean)
    }

    /// Awaits `work` and writes its line; an error ends the body of a task, while the driver goes on.
    nonisolated(nonsending) func awaited(
        _ label: String, _ place: AsyncioPlace, _ work: nonisolated(nonsending) () async throws -> AsyncioResult
    ) async throws {
        do {
            let value = try await work()
            call(label, getter: true) { value }
        } catch {
            if Self.isMistake(error) { throw error }
            line("\(label) !\(AsyncioText.error(error))")
            if case .body = place { throw error }
        }
    }
}
