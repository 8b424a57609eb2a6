import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import Synchronization
import Testing

/// asyncio's interface on the compat loop, on every poller.
@Suite struct CompatLoopTests {
    static func loop(_ poller: PollerKind = .standard) throws -> CompatLoop {
        var options = NativeLoopOptions()
        options.poller = poller
        return try CompatLoop(options: options)
    }

    @Test(arguments: PollerKind.allCases) func serverAndClientTalk(_ poller: PollerKind) throws {
        let loop = try Self.loop(poller)
        defer { loop.closeLoop() }
        let text = try loop.runUntilComplete {
            let server = try await loop.createServer(
                {
                    let echo = RecordingProtocol()
                    echo.onData = { transport, bytes in transport.write(bytes) }
                    return echo
                }, host: "127.0.0.1", port: 0)
            let client = RecordingProtocol()
            let (transport, made) = try await loop.createConnection(
                { client }, host: "localhost", port: server.addresses[0].port)
            #expect(made === client)
            #expect(transport.loop === loop)
            transport.write(Array("hello".utf8))
            while client.byteCount < 5 { try await loop.sleep(for: .milliseconds(1)) }
            transport.close()
            server.close()
            try await server.waitClosed()
            #expect(client.isLost)
            #expect(client.grammar.violation == nil)
            return String(decoding: client.trace.bytes, as: UTF8.self)
        }
        #expect(text == "hello")
    }

    // MARK: Arguments (rule 45)

    @Test func contradictingArguments() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        let (near, far) = try RawEnd.pair()
        let datagrams = try loop.createDatagramEndpoint(
            local: .loopback(port: 0), remote: nil, options: DatagramOptions()
        ) { RecordingDatagramProtocol() }
        _ = datagrams
        func text(_ body: @escaping () async throws -> Void) throws -> String {
            do {
                try loop.runUntilComplete(body)
                return ""
            } catch let error as TransportError {
                guard case .usage(let misuse) = error else { return "not a usage error: \(error)" }
                return misuse.text
            }
        }
        let make = { RecordingProtocol() }
        #expect(
            try text { _ = try await loop.createConnection(make, host: "a", port: 1, socket: near) }
                == "host/port and sock can not be specified at the same time")
        #expect(
            try text { _ = try await loop.createConnection(make) }
                == "host and port was not specified and no sock specified")
        #expect(
            try text { _ = try await loop.createConnection(make, socket: 0) }
                == "A Stream Socket was expected, got <descriptor 0>")
        #expect(
            try text { _ = try await loop.createUnixConnection(make, path: "/a", socket: near) }
                == "path and sock can not be specified at the same time")
        #expect(try text { _ = try await loop.createUnixConnection(make) } == "no path and sock were specified")
        #expect(
            try text { _ = try await loop.createServer(make, hosts: [], port: 0) }
                == "Neither host/port nor sock were specified")
        #expect(
            try text { _ = try await loop.createDatagramEndpoint({ RecordingDatagramProtocol() }) }
                == "unexpected address family")
        #expect(
            try text {
                _ = try await loop.createDatagramEndpoint(
                    { RecordingDatagramProtocol() }, localAddress: .host("127.0.0.1", port: 0),
                    remoteAddress: .host("::1", port: 9))
            } == "can not get address information")
        far.close()
    }

    // MARK: Running

    @Test func resultsAndErrorsComeThrough() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        #expect(try loop.runUntilComplete { 42 } == 42)
        #expect(throws: ReactionError.self) { try loop.runUntilComplete { throw ReactionError(.data) } }
        #expect(!loop.isRunning)
        #expect(CompatLoop.running == nil)
        let (isSame, isRunning) = try loop.runUntilComplete { (CompatLoop.running === loop, loop.isRunning) }
        #expect(isSame && isRunning)
    }

    @Test func runningTwiceAndAfterClose() throws {
        let loop = try Self.loop()
        var texts: [String] = []
        loop.callSoon {
            do { try loop.runForever() } catch { texts.append("\(error)") }
            do { try loop.runUntilComplete {} } catch { texts.append("\(error)") }
            do { try loop.close() } catch { texts.append("\(error)") }
            loop.stop()
        }
        try loop.runForever()
        try loop.close()
        try loop.close()
        do { try loop.runUntilComplete {} } catch { texts.append("\(error)") }
        do { try loop.runForever() } catch { texts.append("\(error)") }
        loop.stop()
        #expect(
            texts == [
                "This event loop is already running", "This event loop is already running",
                "Cannot close a running event loop", "Event loop is closed", "Event loop is closed",
            ])
        #expect(loop.isClosed)
        #expect(loop.callSoon {}.isCancelled)
        #expect(!loop.callSoonThreadsafe {})
    }

    @Test func anotherLoopOnTheSameThread() throws {
        let loop = try Self.loop()
        let other = try Self.loop()
        defer {
            loop.closeLoop()
            other.closeLoop()
        }
        var text = ""
        loop.callSoon {
            do { try other.runForever() } catch { text = "\(error)" }
            loop.stop()
        }
        try loop.runForever()
        #expect(text == "Cannot run the event loop while another loop is running")
    }

    @Test func asyncWorkOutsideTheLoopIsRefused() async throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        let remote = loop.remote
        let bound = LoopBound(loop, to: remote)
        // Bind the loop to this thread, then ask from another one.
        _ = try loop.runUntilComplete { 1 }
        final class Answer: Sendable { let text = Mutex("") }
        let answer = Answer()
        OtherSystemThread.runAndWait {
            answer.text.withLock { $0 = remote.isOnLoopThread ? "on the loop's thread" : "elsewhere" }
        }
        #expect(answer.text.withLock { $0 } == "elsewhere")
        #expect(bound.value === loop)
    }

    @Test func closingEndsWhatIsAwaited() throws {
        let loop = try Self.loop()
        var outcome = ""
        loop.callSoon { loop.stop() }
        #expect(throws: TransportError.self) {
            try loop.runUntilComplete {
                do { try await loop.sleep(for: .seconds(60)) } catch { outcome = "\(error)" }
            }
        }
        #expect(outcome == "")
        loop.closeLoop()
        #expect(outcome == "Event loop is closed")
    }

    @Test func cancellingATaskCancelsItsWait() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        let bound = LoopBound(loop, to: loop.remote)
        try loop.runUntilComplete {
            let task = Task(executorPreference: loop.taskExecutor) { () -> String in
                do { try await bound.value.sleep(for: .seconds(60)) } catch { return "\(error)" }
                return "slept"
            }
            try await loop.sleep(for: .milliseconds(1))
            task.cancel()
            #expect(await task.value == "cancelled")
            let connecting = Task(executorPreference: loop.taskExecutor) { () -> String in
                do {
                    // An address that RFC 5737 keeps for documentation: nobody answers there.
                    _ = try await bound.value.createConnection({ RecordingProtocol() }, host: "192.0.2.1", port: 9)
                    return "connected"
                } catch TransportError.cancelled { return "cancelled" } catch { return "unreachable" }
            }
            try await loop.sleep(for: .milliseconds(1))
            connecting.cancel()
            #expect(await ["cancelled", "unreachable"].contains(connecting.value))
        }
    }

    @Test func time() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        let start = loop.time()
        try loop.runUntilComplete { try await loop.sleep(for: .milliseconds(5)) }
        #expect(loop.time() - start >= 0.005)
        #expect(loop.time() - start < 60)
    }

    // MARK: Executor (rule 30)

    @Test func workInThePool() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        let remote = loop.remote
        try loop.runUntilComplete {
            let isElsewhere = try await loop.runInExecutor { !remote.isOnLoopThread }
            #expect(isElsewhere)
            #expect(remote.isOnLoopThread)
            await #expect(throws: ReactionError.self) { try await loop.runInExecutor { throw ReactionError(.data) } }
            try await loop.shutdownDefaultExecutor()
            do {
                _ = try await loop.runInExecutor { 1 }
                Issue.record("the pool took work after its shutdown")
            } catch { #expect("\(error)" == "Executor shutdown has been called") }
            try await loop.shutdownDefaultExecutor()
        }
    }

    @Test func moreWorkThanThreads() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        let bound = LoopBound(loop, to: loop.remote)
        let sum = try loop.runUntilComplete {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...100 {
                    group.addTask(executorPreference: loop.taskExecutor) {
                        try await bound.value.runInExecutor { number }
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        #expect(sum == 5050)
    }

    // MARK: Exception handler (rules 14, 16)

    @Test func exceptionHandlers() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        var heard: [String] = []
        loop.setExceptionHandler { heard.append($0.message) }
        loop.callSoon { throw ReactionError(.data) }
        loop.callSoon { heard.append("next") }
        loop.callSoon { loop.stop() }
        try loop.runForever()
        loop.callExceptionHandler(LoopException(message: "direct"))
        #expect(heard == ["Exception in callback", "next", "direct"])
        loop.setExceptionHandler(nil)
        #expect(loop.exceptionHandler == nil)
    }

    // MARK: Serving (rules 51 to 59, 62)

    @Test func oneSocketForEachAddress() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        try loop.runUntilComplete {
            let make = { RecordingProtocol() }
            for host in [nil, ""] as [String?] {
                let server = try await loop.createServer(make, host: host, port: 0)
                #expect(server.addresses.contains { if case .v4(0, _) = $0 { true } else { false } })
                #expect(server.addresses.allSatisfy { $0.port != 0 })
                server.close()
                #expect(server.addresses.isEmpty)
            }
            let two = try await loop.createServer(make, hosts: ["127.0.0.1", "127.0.0.2", "127.0.0.1"], port: 0)
            #expect(two.addresses.map(\.host) == ["127.0.0.1", "127.0.0.2"])
            #expect(Set(two.addresses.map(\.port)).count == 2)
            #expect(two.isServing)
            do {
                _ = try await loop.createServer(
                    make, hosts: ["127.0.0.3", "127.0.0.1"], port: two.addresses[0].port ?? 0)
                Issue.record("a second server was bound")
            } catch {
                #expect((error as? TransportError)?.errno == 98)
                #expect("\(error)".contains("error while attempting to bind on address 127.0.0.1:"))
            }
            await #expect(throws: TransportError.self) {
                _ = try await loop.createServer(make, host: "no.such.name.invalid", port: 0)
            }
        }
    }

    @Test func serveForever() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        try loop.runUntilComplete {
            var options = ServerOptions()
            options.startServing = false
            let server = try await loop.createServer(
                { RecordingProtocol() }, host: "127.0.0.1", port: 0, options: options)
            #expect(!server.isServing)
            let second = Texts()
            loop.callSoon {
                #expect(server.isServing)
                let bound = LoopBound((server, second), to: loop.remote)
                Task(executorPreference: loop.taskExecutor) {
                    do { try await bound.value.0.serveForever() } catch { bound.value.1.all.append("\(error)") }
                }
            }
            loop.callLater(.milliseconds(5)) { server.close() }
            do {
                try await server.serveForever()
                Issue.record("serveForever returned")
            } catch { #expect("\(error)" == "cancelled") }
            #expect(second.all == ["server is already being awaited on serve_forever()"])
            do {
                try await server.serveForever()
                Issue.record("a closed server served")
            } catch { #expect("\(error)" == "server is closed") }
            try await server.waitClosed()
        }
    }

    @Test func unixSockets() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        let path = "/tmp/anyloop-compat-\(UInt32.random(in: 0 ... .max)).sock"
        try loop.runUntilComplete {
            let accepted = RecordingProtocol()
            let server = try await loop.createUnixServer({ accepted }, path: path)
            let (transport, _) = try await loop.createUnixConnection({ RecordingProtocol() }, path: path)
            transport.write([1, 2, 3])
            while accepted.byteCount < 3 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(server.addresses == [.unix(path: path)])
            #expect(transport.peerName == .unix(path: path))
            transport.close()
            server.close()
            try await server.waitClosed()
        }
    }

    @Test func datagramEndpoints() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        try loop.runUntilComplete {
            let (far, receiver) = try await loop.createDatagramEndpoint(
                { RecordingDatagramProtocol() }, localAddress: .host("127.0.0.1", port: 0))
            let (near, sender) = try await loop.createDatagramEndpoint(
                { RecordingDatagramProtocol() }, localAddress: .host("localhost", port: 0),
                remoteAddress: .address(far.socketName ?? .loopback(port: 0)))
            near.send([7].span, to: nil)
            while receiver.datagrams.isEmpty { try await loop.sleep(for: .milliseconds(1)) }
            #expect(receiver.datagrams == [[7]])
            #expect(receiver.sources == [near.socketName])
            near.close()
            while !sender.isLost { try await loop.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func resolving() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        try loop.runUntilComplete {
            let literal = try await loop.getaddrinfo(host: "127.0.0.1", port: 5)
            #expect(literal == [.loopback(port: 5)])
            let named = try await loop.getaddrinfo(host: "localhost", port: 5)
            #expect(named.allSatisfy { $0.port == 5 })
            await #expect(throws: TransportError.self) {
                try await loop.getaddrinfo(host: "no.such.name.invalid", port: 5)
            }
        }
    }

    @Test func refusedConnectionsAreOneError() throws {
        let loop = try Self.loop()
        defer { loop.closeLoop() }
        try loop.runUntilComplete {
            let server = try await loop.createServer({ RecordingProtocol() }, host: "127.0.0.1", port: 0)
            let port = server.addresses[0].port
            server.close()
            do {
                _ = try await loop.createConnection({ RecordingProtocol() }, host: "127.0.0.1", port: port)
                Issue.record("connected to a closed server")
            } catch { #expect((error as? TransportError)?.errno == 111) }
        }
    }
}

/// What a task of the loop writes down.
private final class Texts {
    var all: [String] = []
}
