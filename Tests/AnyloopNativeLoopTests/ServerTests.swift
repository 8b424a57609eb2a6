import AnyloopCore
import AnyloopSystem
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Testing

@testable import AnyloopNativeLoop

/// Listening and accepting, beyond the shared battery.
@Suite struct ServerTests {
    private func temporaryPath() -> String { "/tmp/anyloop-test-\(UInt64.random(in: 0 ... .max)).sock" }

    @Test(arguments: PollerKind.allCases, [1, 3])
    func aTurnAcceptsNoMoreThanItsBudget(_ poller: PollerKind, _ budget: Int) throws {
        let loop = try makeLoop(poller) { $0.acceptBudget = budget }
        defer { loop.closeLoop() }
        var made = 0
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
            made += 1
            return RecordingProtocol()
        }
        let port = try #require(server.addresses.first?.port)
        let clients = try (0..<8).map { _ in try RawSocket.connect(to: RawSocket.loopback(port)) }
        defer { for client in clients { RawSocket.close(client) } }
        var last = 0
        while made < 8 {
            try loop.runOnce(timeout: nil)
            #expect(made - last <= budget)
            last = made
        }
    }

    @Test func theBacklogBoundsTheBudgetToo() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        var options = ServerOptions()
        options.backlog = 2
        var made = 0
        let server = try loop.createServer(on: [.loopback(port: 0)], options: options) {
            made += 1
            return RecordingProtocol()
        }
        let port = try #require(server.addresses.first?.port)
        let clients = try (0..<3).map { _ in try RawSocket.connect(to: RawSocket.loopback(port)) }
        defer { for client in clients { RawSocket.close(client) } }
        try loop.runOnce(timeout: nil)
        #expect(made == 2)
    }

    @Test(arguments: [Discipline.native, .asyncio])
    func theOrderOfABatchIsTheDisciplines(_ discipline: Discipline) throws {
        let loop = try NativeLoop(options: NativeLoopOptions(), discipline: discipline)
        defer { loop.closeLoop() }
        var order: [String] = []
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
            order.append("factory")
            return RecordingProtocol(.made) { _, _ in order.append("made") }
        }
        let port = try #require(server.addresses.first?.port)
        let clients = try (0..<3).map { _ in try RawSocket.connect(to: RawSocket.loopback(port)) }
        defer { for client in clients { RawSocket.close(client) } }
        while order.count < 6 { try loop.runOnce(timeout: .milliseconds(10)) }
        switch discipline {
        case .native: #expect(order == ["factory", "made", "factory", "made", "factory", "made"])
        case .asyncio: #expect(order == ["factory", "factory", "factory", "made", "made", "made"])
        }
    }

    @Test func aStaleSocketFileIsReplacedAndAnotherFileRefused() throws {
        let loop = try makeLoop(.epoll)
        let path = temporaryPath()
        defer {
            loop.closeLoop()
            RawSocket.unlink(path)
        }
        var keeping = ServerOptions()
        keeping.cleanUpSocket = false
        let first = try loop.createServer(on: [.unix(path: path)], options: keeping) { RecordingProtocol() }
        first.close()
        let second = try loop.createServer(on: [.unix(path: path)], options: ServerOptions()) { RecordingProtocol() }
        #expect(second.addresses == [.unix(path: path)])
        let error = #expect(throws: TransportError.self) {
            try loop.createServer(on: [.unix(path: "/etc/passwd")], options: ServerOptions()) { RecordingProtocol() }
        }
        #expect(error?.errno == 98)
        #expect(error?.description.contains("Address '/etc/passwd' is already in use by what is no socket") == true)
    }

    @Test func anAddressInUseIsNamedWithTheRemedy() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { RecordingProtocol() }
        let address = try #require(server.addresses.first)
        let error = #expect(throws: TransportError.self) {
            try loop.createServer(on: [address], options: ServerOptions()) { RecordingProtocol() }
        }
        #expect(error?.description.hasPrefix("bind on \(address): Address already in use") == true)
    }

    @Test func bothFamiliesShareAPort() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let four = try loop.createServer(on: [.any(port: 0)], options: ServerOptions()) { RecordingProtocol() }
        let port = try #require(four.addresses.first?.port)
        // Without V6ONLY this address would be in use.
        let six = SocketAddress.v6(high: 0, low: 0, port: port, scope: 0)
        let result = Result { try loop.createServer(on: [six], options: ServerOptions()) { RecordingProtocol() } }
        switch result {
        case .success(let server): #expect(server.addresses == [six])
        // 97: this machine has no IPv6.
        case .failure(let error): #expect((error as? TransportError)?.errno == 97)
        }
    }

    @Test("rule 55: out of descriptors the handler hears of it and the socket, accepting pauses and comes back")
    func outOfDescriptors() async {
        // The limit is the process's, so this needs one of its own.
        await #expect(processExitsWith: .success) {
            let loop = try makeLoop(.epoll) { $0.acceptRetryDelay = .milliseconds(50) }
            var reports: [String] = []
            var sockets: [Int32?] = []
            loop.exceptionHandler = { exception in
                reports.append(exception.message)
                sockets.append(exception.socket)
            }
            var made = 0
            let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
                made += 1
                return RecordingProtocol()
            }
            let port = try #require(server.addresses.first?.port)
            let clients = try (0..<4).map { _ in try RawSocket.connect(to: RawSocket.loopback(port)) }
            let limit = anyloop_descriptor_limit()
            let highest = try #require(clients.max())
            #expect(anyloop_set_descriptor_limit(Int64(highest) + 1) == 0)
            try loop.runOnce(timeout: nil)
            #expect(reports == ["socket.accept() out of system resource"])
            #expect(sockets.first.map { SocketAddress.bound($0 ?? -1) } == server.addresses.first)
            #expect(made == 0)
            // No spinning: the next turn waits for the retry, which fails again.
            let before = monotonicNow()
            try loop.runOnce(timeout: nil)
            #expect(monotonicNow() - before >= .milliseconds(40))
            #expect(anyloop_set_descriptor_limit(limit) == 0)
            while made < 4 { try loop.runOnce(timeout: nil) }
            loop.closeLoop()
        }
    }

    @Test func nothingLeaksDescriptorsOrObjects() async {
        await #expect(processExitsWith: .success) {
            let before = openDescriptors()
            for poller in PollerKind.allCases {
                weak var leaked: NativeLoop?
                do {
                    let loop = try makeLoop(poller)
                    leaked = loop
                    let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
                        RecordingProtocol()
                    }
                    let address = try #require(server.addresses.first)
                    var connected = 0
                    for _ in 0..<20 {
                        loop.createConnection(
                            to: .address(address), options: ConnectOptions(), protocolFactory: { RecordingProtocol() }
                        ) { _ in connected += 1 }
                    }
                    _ = try loop.createDatagramEndpoint(
                        local: .loopback(port: 0), remote: nil, options: DatagramOptions()
                    ) { RecordingDatagramProtocol() }
                    while connected < 20 { try loop.runOnce(timeout: nil) }
                    // One that never comes through, one being resolved, a timer, a post.
                    loop.createConnection(
                        to: .address(address), options: ConnectOptions(), protocolFactory: { RecordingProtocol() }
                    ) { _ in }
                    loop.createConnection(
                        to: .host("localhost", port: 1), options: ConnectOptions(),
                        protocolFactory: { RecordingProtocol() }
                    ) { _ in }
                    loop.callLater(.seconds(60)) { [loop] in loop.stop() }
                    loop.callSoon { [loop] in loop.stop() }
                    loop.closeLoop()
                }
                #expect(leaked == nil, "\(poller): the loop is kept alive")
            }
            // A look-up that nobody waits for any more still has its files open.
            while !Resolver.isIdle {}
            // The runner opens and closes one of its own now and then; a leak of ours counts once a poller at least.
            #expect(openDescriptors() - before < PollerKind.allCases.count)
        }
    }

    @Test func aClosedServerLetsGoOfItsFactory() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        weak var captured: RecordingProtocol?
        var server: (any Server)?
        do {
            let object = RecordingProtocol()
            captured = object
            server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { object }
        }
        #expect(captured != nil)
        server?.close()
        #expect(captured == nil)
    }

    @Test func aLoopThatIsDroppedOpenGivesItsOwnDescriptorsBack() async {
        await #expect(processExitsWith: .success) {
            let before = openDescriptors()
            for _ in 0..<5 { _ = try makeLoop(.epoll) }
            #expect(openDescriptors() - before < 5)
        }
    }
}

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    (0..<Int32(512)).filter { anyloop_set_non_blocking($0) == 0 }.count
}
