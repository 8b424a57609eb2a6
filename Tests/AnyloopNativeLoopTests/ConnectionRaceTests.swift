import AnyloopCore
import AnyloopSystem
import Testing

@testable import AnyloopNativeLoop

/// RFC 8305, with scripted dialling and waiting.
@Suite struct ConnectionRaceTests {
    private typealias Race = ConnectionRace<SocketAddress, Int32, TransportError>

    private final class Attempt: Cancellable {
        let address: SocketAddress
        let complete: (Race.Outcome) -> Void
        var isCancelled = false
        init(_ address: SocketAddress, _ complete: @escaping (Race.Outcome) -> Void) {
            self.address = address
            self.complete = complete
        }
        func cancel() { isCancelled = true }
    }

    /// Records what a race does and answers by hand.
    private final class Script {
        var attempts: [Attempt] = []
        var waits: [(Duration, Handle)] = []
        var outcome: Race.Outcome?
        var outcomes = 0

        /// Whether dialling fails inside the call.
        var failsAtOnce = false

        func race(_ turns: FamilyTurns<SocketAddress>, delay: Duration?) -> Race {
            let world = Race.World(
                dial: { [unowned self] address, completion in
                    let attempt = Attempt(address, completion)
                    attempts.append(attempt)
                    if failsAtOnce { completion(.failure(.system(111, "attempt \(attempts.count)"))) }
                    return attempt
                },
                wait: { [unowned self] delay, callback in
                    let handle = Handle(callback)
                    waits.append((delay, handle))
                    return handle
                }, joined: TransportError.joined)
            return Race(turns, delays: Race.Delays(attempt: delay, resolution: .milliseconds(50)), world: world) {
                [unowned self] in
                outcome = $0
                outcomes += 1
            }
        }

        func race(_ addresses: [SocketAddress], delay: Duration?) -> Race {
            race(FamilyTurns(leading: addresses), delay: delay)
        }

        /// Lets the newest wait end, unless it was cancelled.
        func endWait() throws { try waits.last?.1.callback?() }

        var error: TransportError? {
            if case .failure(let error) = outcome { error } else { nil }
        }
    }

    private let addresses = (1...3).map { SocketAddress.loopback(port: UInt16($0)) }
    private func refused(_ port: Int) -> TransportError { .system(111, "connect to port \(port)") }

    @Test func familiesTakeTurnsTheFirstOnesFamilyFirst() {
        #expect(order(FamilyTurns(six + four)) == [six[0], four[0], six[1], four[1], six[2]])
        #expect(order(FamilyTurns(four + six)) == [four[0], six[0], four[1], six[1], six[2]])
        #expect(order(FamilyTurns([])) == [])
    }

    private let six = (1...3).map { SocketAddress.v6(high: 0, low: 1, port: UInt16($0), scope: 0) }
    private let four = (1...2).map { SocketAddress.loopback(port: UInt16($0)) }

    private func order(_ turns: FamilyTurns<SocketAddress>) -> [SocketAddress] {
        var turns = turns
        return Array(AnyIterator { turns.next() })
    }

    @Test func theNextStartsAfterTheDelayAndTheWinnerClosesTheOthers() throws {
        let script = Script()
        let race = script.race(addresses, delay: .milliseconds(250))
        race.startNext()
        #expect(script.attempts.map(\.address) == [addresses[0]])
        #expect(script.waits.map(\.0) == [.milliseconds(250)])
        try script.endWait()
        try script.endWait()
        #expect(script.attempts.count == 3)
        #expect(script.waits.count == 2, "nothing waits for a fourth")
        script.attempts[1].complete(.success(42))
        #expect(try script.outcome?.get() == 42)
        #expect(script.attempts.map(\.isCancelled) == [true, false, true])
        #expect(script.outcomes == 1)
    }

    @Test func aFailureStartsTheNextAtOnce() throws {
        let script = Script()
        let race = script.race(addresses, delay: .milliseconds(250))
        race.startNext()
        let firstWait = script.waits[0].1
        script.attempts[0].complete(.failure(refused(1)))
        #expect(script.attempts.count == 2)
        #expect(firstWait.isCancelled, "the head start counts from the newest attempt")
        script.attempts[1].complete(.success(7))
        #expect(try script.outcome?.get() == 7)
        #expect(script.waits[1].1.isCancelled)
    }

    @Test func withoutADelayEachWaitsForTheFailureBefore() {
        let script = Script()
        let race = script.race(addresses, delay: nil)
        race.startNext()
        #expect(script.waits.isEmpty)
        script.attempts[0].complete(.failure(refused(1)))
        script.attempts[1].complete(.failure(refused(2)))
        #expect(script.attempts.count == 3)
        #expect(script.outcome == nil)
        script.attempts[2].complete(.failure(refused(3)))
        #expect(script.error?.description.hasPrefix("Multiple exceptions: connect to port 1") == true)
    }

    @Test func errorsComeInTheOrderOfTheAttempts() throws {
        let script = Script()
        let race = script.race(addresses, delay: .milliseconds(1))
        race.startNext()
        try script.endWait()
        try script.endWait()
        for index in [2, 0, 1] { script.attempts[index].complete(.failure(refused(index + 1))) }
        guard case .several(let errors)? = script.error else {
            Issue.record("\(String(describing: script.outcome))")
            return
        }
        #expect(errors.map(\.description) == [1, 2, 3].map { refused($0).description })
    }

    @Test func oneErrorOrEqualOnesStandForThemselves() {
        #expect(TransportError.joined([refused(1)]).description == refused(1).description)
        #expect(TransportError.joined([refused(1), refused(1)]).description == refused(1).description)
        #expect(TransportError.joined([]).description == "no address to connect to")
    }

    @Test func cancellingClosesEveryAttemptAndSaysNothing() throws {
        let script = Script()
        let race = script.race(addresses, delay: .milliseconds(1))
        race.startNext()
        try script.endWait()
        race.cancel()
        #expect(script.attempts.map(\.isCancelled) == [true, true])
        try script.endWait()
        #expect(script.attempts.count == 2)
        #expect(script.outcome == nil)
    }
}

/// RFC 8305 §3: families that answer one after the other.
extension ConnectionRaceTests {
    @Test func theLeadingFamilyIsDialledAsSoonAsItAnswers() {
        let script = Script()
        let race = script.race(FamilyTurns(), delay: .milliseconds(250))
        race.answer(six, of: .leading)
        #expect(script.attempts.map(\.address) == [six[0]])
        race.answer(four, of: .following)
        #expect(script.attempts.count == 1, "the other one's turn comes with the delay")
        for index in 0..<4 { script.attempts[index].complete(.failure(refused(index))) }
        #expect(script.attempts.map(\.address) == [six[0], four[0], six[1], four[1], six[2]])
    }

    @Test(arguments: [true, false]) func theFollowingOneGivesWayForAWhile(_ isLate: Bool) throws {
        let script = Script()
        let race = script.race(FamilyTurns(), delay: .milliseconds(250))
        race.answer(four, of: .following)
        #expect(script.attempts.isEmpty)
        #expect(script.waits.map(\.0) == [.milliseconds(50)])
        if isLate { try script.endWait() }
        race.answer(six, of: .leading)
        #expect(script.attempts.map(\.address) == [isLate ? four[0] : six[0]])
        try script.endWait()
        #expect(script.attempts.last?.address == (isLate ? six[0] : four[0]))
    }

    @Test func aFamilyWithoutAddressesIsNotWaitedFor() {
        let script = Script()
        let race = script.race(FamilyTurns(), delay: .milliseconds(250))
        race.answer([], of: .leading)
        #expect(script.outcomes == 0)
        race.answer(four, of: .following)
        #expect(script.attempts.map(\.address) == [four[0]])
    }

    @Test func noAddressOfEitherFamilyEndsTheRace() {
        let script = Script()
        let race = script.race(FamilyTurns(), delay: .milliseconds(250))
        race.answer([], of: .following)
        #expect(script.outcomes == 0)
        race.answer([], of: .leading)
        #expect(script.error?.description == "no address to connect to")
    }

    @Test func lateAddressesAreDialledThoughAnAttemptHangs() throws {
        let script = Script()
        let race = script.race(FamilyTurns(), delay: .milliseconds(250))
        race.answer([six[0]], of: .leading)
        try script.endWait()
        #expect(script.attempts.count == 1)
        race.answer([four[0]], of: .following)
        #expect(script.attempts.map(\.address) == [six[0], four[0]])
    }

    @Test func failuresWaitForTheOtherFamily() {
        let script = Script()
        let race = script.race(FamilyTurns(), delay: .milliseconds(250))
        race.answer([six[0]], of: .leading)
        script.attempts[0].complete(.failure(refused(1)))
        #expect(script.outcomes == 0)
        race.answer([four[0]], of: .following)
        script.attempts[1].complete(.failure(refused(2)))
        #expect(script.error?.description.hasPrefix("Multiple exceptions: ") == true)
    }

    @Test func attemptsMayFailInsideTheCall() {
        let script = Script()
        script.failsAtOnce = true
        script.race(addresses, delay: .milliseconds(250)).startNext()
        #expect(script.attempts.count == 3)
        #expect(script.outcomes == 1)
        #expect(script.waits.allSatisfy { $0.1.isCancelled })
        #expect(script.attempts.allSatisfy { !$0.isCancelled }, "what has failed is not called off")
    }
}
