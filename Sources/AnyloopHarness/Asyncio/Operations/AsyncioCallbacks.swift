import AnyloopCore
import CAnyloopSystem

extension AsyncioOperation {
    /// Callbacks, timers, threads, the clock.
    static let callbacks: [String: AsyncioOperation] = [
        "soon": .plain { player, step in
            try player.schedule(step) { player.loop.callSoon($0) }
        },
        "later": .plain { player, step in
            try later(player, step, name: try step.table.text("name"), delay: try step.table.seconds("delay"))
        },
        "at": .plain { player, step in
            let moments = player.moments
            let first = moments.firstAt ?? player.loop.now
            moments.firstAt = first
            let when = first + .seconds(try step.table.seconds("delay"))
            try player.schedule(step) { player.loop.callAt(when, $0) }
            moments.deadlines[try step.table.text("name")] = (when, when)
        },
        "many_later": .plain { player, step in
            let apart = step.table.has("apart") ? try step.table.seconds("apart") : 0
            for number in 0..<(try step.table.number("count")) {
                let delay = try step.table.seconds("delay") + Double(number) * apart
                try later(player, step, name: "\(try step.table.text("name"))\(number)", delay: delay)
            }
        },
        "cancel": .plain { player, step in try cancel(player, step) },
        "cancelled": .plain { player, step in
            let handle = try player.handle(step)
            player.call("\(try step.table.text("name")).cancelled") { .flag(handle.isCancelled) }
        },
        "when": .plain { player, step in
            let name = try step.table.text("name")
            guard let timer = try player.handle(step) as? TimerHandle, let asked = player.moments.deadlines[name] else {
                throw AsyncioPlayerError("\(step.table.place): '\(name)' is no timer")
            }
            player.call("\(name).when") {
                .flag(timer.when + .milliseconds(1) >= asked.low && timer.when <= asked.high + .milliseconds(1))
            }
        },
        "time_mark": .plain { player, step in
            player.moments.marks[try step.table.text("name")] = player.loop.now
        },
        "time_since": .plain { player, step in
            let name = try step.table.text("name")
            guard let mark = player.moments.marks[name] else {
                throw AsyncioPlayerError("\(step.table.place): there is no time_mark '\(name)' (yet)")
            }
            let gone = player.loop.now - mark
            let low = step.table.has("at_least") ? try step.table.seconds("at_least") : 0
            let high = step.table.has("below") ? try step.table.seconds("below") : 5
            player.call("time since \(name)") { .flag(.seconds(low) <= gone && gone < .seconds(high)) }
        },
        "busy": .plain { _, step in
            let end = ContinuousClock.now + .seconds(try step.table.seconds("seconds"))
            while ContinuousClock.now < end {}
        },
    ]

    private static func later(_ player: AsyncioPlayer, _ step: AsyncioStep, name: String, delay: Double) throws {
        let asked = player.loop.now
        try player.schedule(step, name: name) { player.loop.callLater(.seconds(delay), $0) }
        player.moments.deadlines[name] = (asked + .seconds(delay), player.loop.now + .seconds(delay))
    }

    private static func cancel(_ player: AsyncioPlayer, _ step: AsyncioStep) throws {
        guard step.table.has("from") else {
            let handle = try player.handle(step)
            return player.call("\(try step.table.text("name")).cancel") {
                handle.cancel()
                return .none
            }
        }
        let name = try step.table.text("name")
        let (first, last) = (try step.table.number("from"), try step.table.number("to"))
        for number in first..<(last + 1) { player.handles["\(name)\(number)"]?.cancel() }
    }
}

/// What a play remembers of times.
final class AsyncioMoments {
    var firstAt: LoopInstant?
    var marks: [String: LoopInstant] = [:]
    /// Between which instants a timer's deadline must be.
    var deadlines: [String: (low: LoopInstant, high: LoopInstant)] = [:]
}

extension AsyncioPlayer {
    var moments: AsyncioMoments { store(AsyncioMoments.init) }

    func handle(_ step: AsyncioStep) throws -> Handle {
        let name = try step.table.text("name")
        guard let handle = handles[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no handle '\(name)' (yet)")
        }
        return handle
    }

    /// Has the loop run what a callback of `soon`, `later` … does, and keeps the handle under its name.
    ///
    /// A closed loop gives a cancelled handle where asyncio raises: that counts as asyncio's error.
    func schedule(
        _ step: AsyncioStep, name: String? = nil, _ schedule: (@escaping () throws -> Void) -> Handle
    ) throws {
        let mark = try step.table.text("name")
        let name = name ?? mark
        let body = try named(name, try step.steps("then"))
        scheduling("\(step.op) \(name)") {
            let handle = schedule(body)
            handles[name] = handle
            return handle
        }
    }

    /// What a callback does: writes its mark, then the actions, then throws where it is told to.
    func named(_ name: String, _ actions: [AsyncioStep]) throws -> () throws -> Void {
        { [self] in
            mark(name)
            try perform(actions)
        }
    }

    func perform(_ actions: [AsyncioStep]) throws {
        for action in actions {
            if action.op.isEmpty { throw Boom() }
            do { try act(action) } catch { fail(error) }
        }
    }
}
