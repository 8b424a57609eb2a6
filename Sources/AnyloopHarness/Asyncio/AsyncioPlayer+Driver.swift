import AnyloopAsync
import AnyloopCore

extension AsyncioPlayer {
    /// A wait ends after this time at the latest, whatever happens.
    static let patience = Duration.seconds(5)
    /// What is over when nothing new was written for `quietRounds` of these.
    static let round = Duration.milliseconds(1)
    static let quietRounds = 3
    /// The same where threads, processes or terminals have a part, whose time is not the loop's: as the recorder's.
    private var settleRound: Duration {
        let elsewhere = ["executor", "names", "pipes", "sendfile", "subprocesses", "threads"]
        if elsewhere.contains(where: { scenario.id.hasPrefix("asyncio/\($0)/") }) { return .milliseconds(10) }
        // A handshake takes several turns, and time for its arithmetic.
        return scenario.id.hasPrefix("asyncio/tls/") ? .milliseconds(4) : Self.round
    }

    /// Plays the scenario on a loop of its own, which is closed afterwards; its lines.
    ///
    /// - Throws: what kept it from being played.
    static func play(_ scenario: AsyncioScenario, from provider: LoopProvider) throws -> [String] {
        let loop = try provider.makeLoop()
        guard let loop = loop as? any TaskLoop else {
            loop.closeLoop()
            throw LiveScenario.Unsupported("this loop runs no Swift tasks (protocol TaskLoop)")
        }
        let player = AsyncioPlayer(scenario, on: loop, from: provider)
        defer { player.end() }
        try player.watchLoop()
        if scenario.showsTurns { player.setTicking(true) }
        switch scenario.driver {
        case .task: try loop.runUntilComplete { try await player.drive() }
        case .outside: try player.driveFromOutside()
        }
        if let failure = player.failure { throw failure }
        return player.trace.lines
    }

    private nonisolated(nonsending) func drive() async throws {
        for step in scenario.steps {
            try await perform(step, in: .driver)
            if let failure { throw failure }
        }
        try await settle()
    }

    private func driveFromOutside() throws {
        for step in scenario.steps {
            switch try AsyncioOperation.named(step) {
            case .plain(let run): try run(self, step)
            case .waits(let run):
                if let name = try step.task() {
                    start(name) { try await run(self, step, .driver) }
                } else {
                    try loop.runUntilComplete { try await run(self, step, .driver) }
                }
            }
            if let failure { throw failure }
        }
    }

    /// Performs a step, and awaits it unless it is to run as a task.
    nonisolated(nonsending) func perform(_ step: AsyncioStep, in place: AsyncioPlace) async throws {
        switch try AsyncioOperation.named(step) {
        case .plain(let run): try run(self, step)
        case .waits(let run):
            if let name = try step.task() {
                start(name) { try await run(self, step, place) }
            } else {
                try await run(self, step, place)
            }
        }
    }

    /// A step inside a callback: a plain one, or one that starts a task.
    func act(_ step: AsyncioStep) throws {
        switch try AsyncioOperation.named(step) {
        case .plain(let run): try run(self, step)
        case .waits(let run):
            guard let name = try step.task() else {
                throw AsyncioPlayerError("\(step.table.place): takes time, so inside a callback it needs a 'task'")
            }
            start(name) { try await run(self, step, .driver) }
        }
    }

    /// Until nothing new was written for some rounds.
    nonisolated(nonsending) func settle() async throws {
        let start = ContinuousClock.now
        var last = trace.size
        var same = 0
        while same < Self.quietRounds, start.duration(to: .now) < Self.patience {
            try await loop.sleep(for: settleRound)
            same = trace.size == last ? same + 1 : 0
            last = trace.size
        }
    }

    /// Until `condition` holds; false if it did not in time.
    nonisolated(nonsending) func wait(until condition: () throws -> Bool) async throws -> Bool {
        let start = ContinuousClock.now
        while try !condition() {
            if start.duration(to: .now) > Self.patience { return false }
            try await loop.sleep(for: .milliseconds(1))
        }
        return true
    }

    static func isCancellation(_ error: any Error) -> Bool {
        if case .cancelled? = error as? TransportError { return true }
        return error is CancellationError
    }

    /// Awaits `body` and writes the line of its result, under the name of the step's task if it has one.
    nonisolated(nonsending) func result(
        _ step: AsyncioStep, _ label: String,
        _ body: nonisolated(nonsending) () async throws -> AsyncioResult
    ) async throws {
        let name = try step.task()
        do {
            let value = try await body()
            line(name == nil && value.isNone ? label : "\(name ?? label) = \(value.text)")
        } catch let error where Self.isMistake(error) {
            throw error
        } catch {
            if name == nil, Self.isCancellation(error) { throw error }
            line("\(name ?? label) !\(AsyncioText.error(error))")
        }
    }
}

extension AsyncioOperation {
    /// What the driver does itself.
    static let driver: [String: AsyncioOperation] = [
        "settle": .waits { player, _, _ in try await player.settle() },
        "wait_for": .waits { player, step, _ in try await waitFor(player, step) },
        "step": .plain { player, step in player.line("step \(try step.table.text("name"))") },
        "turns": .plain { player, step in player.setTicking(try step.table.flag("on", or: true)) },
        "mark": .plain { player, step in player.mark(try step.table.text("name")) },
        "yield": .waits { player, _, _ in try await player.loop.sleep(for: .zero) },
        "sleep": .waits { player, step, _ in
            try await player.loop.sleep(for: .seconds(try step.table.seconds("seconds")))
        },
    ]

    private nonisolated(nonsending) static func waitFor(_ player: AsyncioPlayer, _ step: AsyncioStep) async throws {
        if let bytes = try step.table.optionalNumber("received") {
            let actor = try step.on()
            if try await !player.wait(until: { player.trace.received[actor, default: 0] >= bytes }) {
                player.line("wait_for \(bytes) timed out")
            }
        } else {
            let line = try step.table.text("line")
            let count = try step.table.number("count", or: 1)
            if try await !player.wait(until: { player.trace.occurrences(of: line) >= count }) {
                player.line("wait_for \(line) timed out")
            }
        }
    }
}
