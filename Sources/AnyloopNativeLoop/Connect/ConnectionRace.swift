import AnyloopCore
import AnyloopSystem

/// Tries addresses one after another, each with a head start, and takes the first that connects (RFC 8305 §5).
///
/// Knows neither sockets nor clocks: how to dial and how to wait are given to it, and what a connection is.
package final class ConnectionRace<Connection>: Cancellable {
    package typealias Outcome = Result<Connection, TransportError>

    /// What a race does with the world.
    package struct World {
        /// Dials an address; the completion runs once, unless the attempt is cancelled before: later, or with a
        /// success inside the call.
        package var dial: (SocketAddress, @escaping (Outcome) -> Void) -> any Cancellable
        /// Runs a callback after a time.
        package var wait: (Duration, @escaping () -> Void) -> Handle

        package init(
            dial: @escaping (SocketAddress, @escaping (Outcome) -> Void) -> any Cancellable,
            wait: @escaping (Duration, @escaping () -> Void) -> Handle
        ) {
            self.dial = dial
            self.wait = wait
        }
    }

    private let world: World
    private let delay: Duration?
    private var waiting: ArraySlice<SocketAddress>
    private var attempts: [Int: any Cancellable] = [:]
    private var nextNumber = 0
    private var errors: [Int: TransportError] = [:]
    private var timer: Handle?
    private var completion: ((Outcome) -> Void)?

    /// A race over `addresses`, in that order; nil for `delay` tries each only once the one before failed.
    package init(
        addresses: [SocketAddress], delay: Duration?, world: World, completion: @escaping (Outcome) -> Void
    ) {
        waiting = addresses[...]
        self.delay = delay
        self.world = world
        self.completion = completion
    }

    /// Dials the next address; the completion runs later.
    package func startNext() {
        timer?.cancel()
        timer = nil
        guard completion != nil, let address = waiting.popFirst() else { return }
        let number = nextNumber
        nextNumber += 1
        let attempt = world.dial(address) { [weak self] outcome in self?.dialled(number, outcome) }
        // A dial may have succeeded inside the call, which ended the race.
        guard completion != nil else { return }
        attempts[number] = attempt
        if let delay, !waiting.isEmpty {
            timer = world.wait(delay) { [weak self] in self?.startNext() }
        }
    }

    private func dialled(_ number: Int, _ outcome: Outcome) {
        attempts[number] = nil
        switch outcome {
        case .success: finish(outcome)
        case .failure(let error):
            errors[number] = error
            if !waiting.isEmpty {
                startNext()
            } else if attempts.isEmpty {
                finish(.failure(TransportError.joined(errors.sorted { $0.key < $1.key }.map(\.value))))
            }
        }
    }

    private func finish(_ outcome: Outcome) {
        timer?.cancel()
        timer = nil
        for attempt in attempts.values { attempt.cancel() }
        attempts = [:]
        waiting = []
        let completion = completion
        self.completion = nil
        completion?(outcome)
    }

    /// Closes every attempt; the completion does not run any more.
    package func cancel() {
        completion = nil
        finish(.failure(.cancelled))
    }
}

extension SocketAddress {
    /// `addresses` with the families taking turns, the first one's family first (RFC 8305 §4).
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        let leading = addresses.filter { $0.family == first.family }
        let others = addresses.filter { $0.family != first.family }
        var mixed: [SocketAddress] = []
        for index in 0..<max(leading.count, others.count) {
            if index < leading.count { mixed.append(leading[index]) }
            if index < others.count { mixed.append(others[index]) }
        }
        return mixed
    }
}

extension TransportError {
    /// One error for all (asyncio rule 47): itself if there is one, the first if all say the same.
    static func joined(_ errors: [TransportError]) -> TransportError {
        guard let first = errors.first else { return .usage(.argument("no address to connect to")) }
        return errors.allSatisfy { $0.description == first.description } ? first : .several(errors)
    }
}
