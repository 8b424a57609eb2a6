import AnyloopCore
import AnyloopSystem
import AnyloopTestHosts
import AnyloopTesting
import Testing

@testable import AnyloopNativeLoop

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
