import AnyloopCore
import AnyloopSystem

/// Tries addresses one after another, each with a head start, and takes the first that connects (RFC 8305 §5).
///
/// Knows neither sockets nor clocks: how to dial and how to wait are given to it, what a connection is, and what an
/// error.
package final class ConnectionRace<Address, Connection, Failure: Error>: Cancellable {
    package typealias Outcome = Result<Connection, Failure>

    /// What a race does with the world.
    package struct World {
        /// Dials an address; the completion runs once, later or inside the call, unless the attempt is cancelled before.
        package var dial: (Address, @escaping (Outcome) -> Void) -> any Cancellable
        /// Runs a callback after a time.
        package var wait: (Duration, @escaping () -> Void) -> Handle
        /// One error for those of all attempts, in the order of these; they are none if there was no address.
        package var joined: ([Failure]) -> Failure

        package init(
            dial: @escaping (Address, @escaping (Outcome) -> Void) -> any Cancellable,
            wait: @escaping (Duration, @escaping () -> Void) -> Handle, joined: @escaping ([Failure]) -> Failure
        ) {
            self.dial = dial
            self.wait = wait
            self.joined = joined
        }
    }

    /// How long a race waits.
    package struct Delays {
        /// The head start of an attempt before the next (RFC 8305: Connection Attempt Delay); nil tries each only once
        /// the one before failed.
        package var attempt: Duration?
        /// How long addresses of the following family wait for the leading one's answer (RFC 8305: Resolution Delay).
        package var resolution: Duration

        package init(attempt: Duration?, resolution: Duration = .milliseconds(50)) {
            self.attempt = attempt
            self.resolution = resolution
        }
    }

    private enum Phase {
        /// No address was there to be tried.
        case resolving
        /// The following family has answered, and the leading one may yet, in time.
        case givingWay
        /// At least one address was dialled.
        case dialling
        case over
    }

    private let world: World
    private let delays: Delays
    private var phase = Phase.resolving
    private var turns: FamilyTurns<Address>
    /// Those under way; nil inside the call that dials.
    private var attempts: [Int: (any Cancellable)?] = [:]
    private var nextNumber = 0
    private var errors: [Int: Failure] = [:]
    private var timer: Handle?
    private var completion: ((Outcome) -> Void)?

    /// A race over `turns`; begun by `startNext`, or by the first answer of a family that has not given its own.
    package init(
        _ turns: FamilyTurns<Address>, delays: Delays, world: World, completion: @escaping (Outcome) -> Void
    ) {
        self.turns = turns
        self.delays = delays
        self.world = world
        self.completion = completion
    }

    /// The addresses of a family that was awaited, or none if it has none; once each.
    package func answer(_ addresses: [Address], of family: FamilyTurns<Address>.Family) {
        turns.answer(addresses, of: family)
        switch phase {
        case .resolving where turns.givesWay:
            phase = .givingWay
            timer = world.wait(delays.resolution) { [weak self] in self?.startNext() }
        case .dialling where timer != nil || delays.attempt == nil && !attempts.isEmpty:
            // Their turn comes.
            break
        case .resolving, .givingWay, .dialling: startNext()
        case .over: break
        }
    }

    /// Dials the next address; ends the race if there is none and never will be.
    package func startNext() {
        timer?.cancel()
        timer = nil
        guard phase != .over else { return }
        guard let address = turns.next() else {
            if attempts.isEmpty, !turns.isAwaited {
                finish(.failure(world.joined(errors.sorted { $0.key < $1.key }.map(\.value))))
            }
            return
        }
        phase = .dialling
        let number = nextNumber
        nextNumber += 1
        attempts.updateValue(nil, forKey: number)
        if let delay = delays.attempt, turns.mayHaveNext {
            timer = world.wait(delay) { [weak self] in self?.startNext() }
        }
        let attempt = world.dial(address) { [weak self] outcome in self?.dialled(number, outcome) }
        // Inside the call it may have come to its end.
        if attempts.keys.contains(number) { attempts.updateValue(attempt, forKey: number) }
    }

    private func dialled(_ number: Int, _ outcome: Outcome) {
        attempts.removeValue(forKey: number)
        switch outcome {
        case .success: finish(outcome)
        case .failure(let error):
            errors[number] = error
            startNext()
        }
    }

    private func finish(_ outcome: Outcome) {
        let completion = completion
        cancel()
        completion?(outcome)
    }

    /// Closes every attempt; the completion does not run any more.
    package func cancel() {
        phase = .over
        completion = nil
        timer?.cancel()
        timer = nil
        let losers = attempts.values
        attempts = [:]
        for loser in losers { loser?.cancel() }
    }
}

extension TransportError {
    /// One error for all (asyncio rule 47): itself if there is one, the first if all say the same.
    static func joined(_ errors: [TransportError]) -> TransportError {
        guard let first = errors.first else { return .usage(.argument("no address to connect to")) }
        return errors.allSatisfy { $0.description == first.description } ? first : .several(errors)
    }
}
