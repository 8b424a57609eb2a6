import AnyloopCore
import AnyloopSystem
import AnyloopTestHosts
import AnyloopTesting
import Testing

@testable import AnyloopNativeLoop

/// RFC 8305, with scripted dialling and waiting.
@Suite struct ConnectionRaceTests {
    private final class Attempt: Cancellable {
        let address: SocketAddress
        let complete: (ConnectionRace<Int32>.Outcome) -> Void
        var isCancelled = false
        init(_ address: SocketAddress, _ complete: @escaping (ConnectionRace<Int32>.Outcome) -> Void) {
            self.address = address
            self.complete = complete
        }
        func cancel() { isCancelled = true }
    }

    /// Records what a race does and answers by hand.
    private final class Script {
        var attempts: [Attempt] = []
        var waits: [(Duration, Handle)] = []
        var outcome: ConnectionRace<Int32>.Outcome?
        var outcomes = 0

        func race(_ addresses: [SocketAddress], delay: Duration?) -> ConnectionRace<Int32> {
            let world = ConnectionRace<Int32>.World(
                dial: { [unowned self] address, completion in
                    let attempt = Attempt(address, completion)
                    attempts.append(attempt)
                    return attempt
                },
                wait: { [unowned self] delay, callback in
                    let handle = Handle(callback)
                    waits.append((delay, handle))
                    return handle
                })
            return ConnectionRace<Int32>(addresses: addresses, delay: delay, world: world) { [unowned self] in
                outcome = $0
                outcomes += 1
            }
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
        let six = (1...3).map { SocketAddress.v6(high: 0, low: 1, port: UInt16($0), scope: 0) }
        let four = (1...2).map { SocketAddress.loopback(port: UInt16($0)) }
        #expect(SocketAddress.interleaved(six + four) == [six[0], four[0], six[1], four[1], six[2]])
        #expect(SocketAddress.interleaved(four + six) == [four[0], six[0], four[1], six[1], six[2]])
        #expect(SocketAddress.interleaved([]) == [])
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

/// Connecting and resolving for real.
@Suite struct ConnectTests {
    private func outcome(
        of endpoint: Endpoint, _ options: ConnectOptions = ConnectOptions(), on loop: NativeLoop,
        then: (any Cancellable) -> Void = { _ in }
    ) throws -> Result<any StreamTransport, TransportError> {
        var outcome: Result<any StreamTransport, TransportError>?
        let attempt = loop.createConnection(
            to: endpoint, options: options, protocolFactory: { RecordingProtocol() }
        ) { outcome = $0 }
        #expect(outcome == nil, "the completion never runs inside the call")
        then(attempt)
        while outcome == nil { try loop.runOnce(timeout: nil) }
        return try #require(outcome)
    }

    private func failure(_ outcome: Result<any StreamTransport, TransportError>) -> TransportError? {
        if case .failure(let error) = outcome { error } else { nil }
    }

    @Test(arguments: PollerKind.allCases)
    func aNameIsResolvedAndItsAddressesAreTried(_ poller: PollerKind) throws {
        let loop = try makeLoop(poller)
        defer { loop.closeLoop() }
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { RecordingProtocol() }
        let port = try #require(server.addresses.first?.port)
        // `localhost` may be ::1 as well, where nobody listens.
        let transport = try outcome(of: .host("localhost", port: port), on: loop).get()
        #expect(transport.peerName == server.addresses.first)
        let literal = try outcome(of: .host("127.0.0.1", port: port), on: loop).get()
        #expect(literal.peerName == server.addresses.first)
    }

    @Test func aRefusedConnectionNamesTheAddress() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let (listener, address) = try RawSocket.listener()
        RawSocket.close(listener)
        let target = try #require(SocketAddress(address))
        let error = failure(try outcome(of: .address(target), on: loop))
        #expect(error?.errno == 111)
        #expect(error?.description.contains("connect to \(target)") == true)
    }

    @Test func unixSocketsConnectOrFailAtOnce() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let path = "/tmp/anyloop-connect-\(UInt64.random(in: 0 ... .max)).sock"
        #expect(failure(try outcome(of: .unix(path: path), on: loop))?.errno == 2)
        let long = String(repeating: "x", count: SocketAddress.longestPath + 1)
        guard case .usage? = failure(try outcome(of: .unix(path: long), on: loop)) else {
            Issue.record("a path one byte too long was accepted")
            return
        }
        let server = try loop.createServer(on: [.unix(path: path)], options: ServerOptions()) { RecordingProtocol() }
        defer {
            server.close()
            RawSocket.unlink(path)
        }
        #expect(try outcome(of: .unix(path: path), on: loop).get().peerName == .unix(path: path))
    }

    @Test func cancellingAndTimeOutsCompleteOnce() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        // A listener whose queue is full answers no more connects.
        let (listener, address) = try RawSocket.listener(backlog: 0)
        var fillers = try (0..<3).map { _ in try RawSocket.connect(to: address) }
        fillers.append(listener)
        defer { for filler in fillers { RawSocket.close(filler) } }
        let target = Endpoint.address(try #require(SocketAddress(address)))
        let cancelled = failure(try outcome(of: target, on: loop) { $0.cancel() })
        guard case .cancelled? = cancelled else {
            Issue.record("cancel() gave \(String(describing: cancelled))")
            return
        }
        var options = ConnectOptions()
        options.timeout = .milliseconds(30)
        let late = failure(try outcome(of: target, options, on: loop))
        guard case .timedOut(_, after: .milliseconds(30))? = late else {
            Issue.record("the time-out gave \(String(describing: late))")
            return
        }
        #expect(loop.pendingWork.isEmpty)
    }

    @Test func aFactoryThatThrowsFailsTheConnect() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { RecordingProtocol() }
        var outcome: Result<any StreamTransport, TransportError>?
        loop.createConnection(
            to: .address(try #require(server.addresses.first)), options: ConnectOptions(),
            protocolFactory: { throw ReactionError(.made) }
        ) { outcome = $0 }
        while outcome == nil { try loop.runOnce(timeout: nil) }
        guard case .failure(.callback(name: "protocolFactory", _)) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
    }

    @Test func literalsAreResolvedWithoutTheSystem() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        #expect(try addresses(of: "::1", on: loop).get() == [.v6(high: 0, low: 1, port: 80, scope: 0)])
    }

    @Test(arguments: ["", "a\0b"])
    func aHostThatIsNoneFails(_ host: String) throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        guard case .failure(.resolution) = try addresses(of: host, on: loop) else {
            Issue.record("'\(host)' was resolved")
            return
        }
    }

    @Test func manyRequestsShareAFewThreadsAndAllAreAnswered() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let count = Resolver.threadLimit * 5
        var answers = 0
        var cancelled = 0
        let requests = (0..<count).map { _ in
            loop.resolve(host: "localhost", port: 1) { result in
                answers += 1
                if case .failure(.cancelled) = result { cancelled += 1 }
            }
        }
        requests[count - 1].cancel()
        requests[count - 1].cancel()
        while answers < count { try loop.runOnce(timeout: nil) }
        #expect(cancelled == 1)
        #expect(loop.pendingWork.isEmpty)
    }

    @Test func closingTheLoopAnswersWhoWaits() throws {
        let loop = try makeLoop(.epoll)
        var errors: [String] = []
        loop.resolve(host: "localhost", port: 1) { if case .failure(let error) = $0 { errors.append("\(error)") } }
        loop.createConnection(
            to: .host("localhost", port: 1), options: ConnectOptions(), protocolFactory: { RecordingProtocol() }
        ) { if case .failure(let error) = $0 { errors.append("\(error)") } }
        loop.closeLoop()
        #expect(errors == ["Event loop is closed", "Event loop is closed"])
    }

    private func addresses(of host: String, on loop: NativeLoop) throws -> Result<[SocketAddress], TransportError> {
        var answer: Result<[SocketAddress], TransportError>?
        loop.resolve(host: host, port: 80) { answer = $0 }
        while answer == nil { try loop.runOnce(timeout: nil) }
        return try #require(answer)
    }
}
