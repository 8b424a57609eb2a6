import Anyloop
@testable import AnyloopExamples
import Foundation
import Testing

/// The examples of asyncio's documentation, on each of our loops. Serialized: they print to one console.
@Suite(.serialized) struct AsyncioExampleTests {
    @Test(arguments: LoopKind.allCases) func helloWorldIsPrinted(kind: LoopKind) throws {
        _ = Console.take()
        try helloWorld(on: kind.make())
        #expect(Console.take() == ["Hello World"])
    }

    @Test(arguments: LoopKind.allCases) func datesArePrintedFiveTimes(kind: LoopKind) throws {
        _ = Console.take()
        let start = ContinuousClock.now
        try displayDates(on: kind.make(), every: .milliseconds(20))
        #expect(Console.take().count == 5)
        #expect(ContinuousClock.now - start >= .milliseconds(80))
    }

    @Test(arguments: LoopKind.allCases) func descriptorIsWatched(kind: LoopKind) throws {
        _ = Console.take()
        try watchDescriptor(on: kind.make())
        #expect(Console.take() == ["Received: abc"])
    }

    @Test(arguments: LoopKind.allCases, [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")])
    func signalEndsTheLoop(kind: LoopKind, signal: (number: Int32, name: String)) throws {
        _ = Console.take()
        let loop = try kind.make()
        loop.callLater(.milliseconds(10)) { kill(getpid(), signal.number) }
        try waitForSignals(on: loop)
        #expect(Console.take().last == "got signal \(signal.name): exit")
    }

    @Test(arguments: LoopKind.allCases) func echoOverProtocols(kind: LoopKind) throws {
        _ = Console.take()
        let server = Background(kind) { try echoServer(on: $0, port: 0) }
        let loop = try kind.make()
        defer { loop.closeLoop() }
        try echoClient(on: loop, port: server.find(port(after: "Serving on")))
        try server.stop()
        let lines = Console.take()
        // The two sides print from threads of their own.
        #expect(lines.filter { $0 == "Data received: Hello World!" }.count == 2)
        #expect(lines.contains("Data sent: Hello World!"))
        #expect(lines.last == "The server closed the connection")
        #expect(lines.contains("Close the client socket"))
    }

    @Test(arguments: LoopKind.allCases) func socketIsWatchedWithAProtocol(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        try watchSocketWithProtocol(on: loop)
        #expect(Console.take() == ["Received: abc"])
    }

    @Test(arguments: LoopKind.allCases) func echoOverDatagrams(kind: LoopKind) throws {
        _ = Console.take()
        let server = Background(kind) { try udpEchoServer(on: $0, port: 0) }
        let loop = try kind.make()
        defer { loop.closeLoop() }
        try udpEchoClient(on: loop, port: server.find(port(after: "Bound to")))
        try server.stop()
        let lines = Console.take()
        #expect(lines.contains("Received: Hello World!"))
        #expect(lines.last == "Connection closed")
    }

    @Test(arguments: LoopKind.allCases) func echoOverStreams(kind: LoopKind) throws {
        _ = Console.take()
        let server = Background(kind) { loop in try loop.runUntilComplete { try await tcpEchoServer(on: loop, port: 0) }
        }
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let port = try server.find(port(after: "Serving on"))
        try loop.runUntilComplete { try await tcpEchoClient("Hello World!", port: port, on: loop) }
        try server.stop()
        let lines = Console.take()
        #expect(lines.contains("Received: Hello World!"))
        #expect(lines.contains { $0.hasPrefix("Received Hello World! from 127.0.0.1:") })
        #expect(lines.filter { $0 == "Close the connection" }.count == 2)
    }

    @Test(arguments: LoopKind.allCases) func headersArePrinted(kind: LoopKind) throws {
        _ = Console.take()
        let port = Shared<UInt16>()
        let server = Background(kind) { loop in
            let server = try helloServer(on: loop, port: 0)
            port.set(server.addresses.first?.port ?? 0)
            try withExtendedLifetime(server) { try loop.run() }
        }
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let url = try #require(HTTPURL("http://127.0.0.1:\(port.wait())/"))
        try loop.runUntilComplete { try await printHTTPHeaders(url, on: loop) }
        try server.stop()
        let lines = Console.take()
        #expect(lines.first == "HTTP header> HTTP/1.1 200 OK")
        #expect(lines.contains { $0.lowercased() == "http header> content-type: text/plain" })
    }

    @Test(arguments: LoopKind.allCases) func socketIsWatchedWithStreams(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        try loop.runUntilComplete { try await waitForData(on: loop) }
        #expect(Console.take() == ["Received: abc"])
    }

    @Test func helloIsRun() throws {
        _ = Console.take()
        try helloWithRun()
        #expect(Console.take() == ["Hello ...", "... World!"])
    }

    @Test(arguments: LoopKind.allCases) func tasksAndTimeouts(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        try loop.runUntilComplete { try await sayHelloWorld(on: loop, after: .milliseconds(20)) }
        #expect(Console.take() == ["started", "hello", "world", "finished"])
        try loop.runUntilComplete { try await factorials(on: loop) }
        let lines = Console.take()
        #expect(lines.last == "[2, 6, 24]")
        #expect(lines.first == "Task A: Compute factorial(2), currently i=2...")
        #expect(lines.count == 10)
        try loop.runUntilComplete { try await waitForEternity(on: loop, atMost: .milliseconds(20)) }
        #expect(Console.take() == ["timeout!"])
        try loop.runUntilComplete(loop.createTask { try await handleTimeout(on: loop, after: .milliseconds(20)) })
        #expect(
            Console.take() == [
                "The long operation timed out, but we've handled it.", "This statement will run regardless.",
            ])
    }

    @Test(arguments: LoopKind.allCases) func threadsAndQueues(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        try loop.runUntilComplete { try await runInThreads(on: loop) }
        #expect(Console.take() == ["default thread pool: 332833500"])
        try loop.runUntilComplete { try await distributeWork(on: loop, unit: .milliseconds(2)) }
        let lines = Console.take()
        #expect(lines.last == "====")
        #expect(lines.count == 21)
        #expect(Set(lines.dropLast().map { $0.prefix(8) }) == ["worker-0", "worker-1", "worker-2"])
    }

    @Test(arguments: LoopKind.allCases) func dateIsPrinted(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        try printDate(on: loop)
        let line = try #require(Console.take().first)
        #expect(line.wholeMatch(of: /Current date: \d{4}-\d\d-\d\d/) != nil, "\(line)")
    }

    @Test(arguments: LoopKind.allCases) func dateIsReadFromAStream(kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let date = try loop.runUntilComplete { try await getDate(on: loop) }
        #expect(date.wholeMatch(of: /\d{4}-\d\d-\d\d/) != nil, "\(date)")
    }

    @Test(arguments: LoopKind.allCases) func shellIsCommunicatedWith(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let command = "printf out; printf err >&2; exit 3"
        try loop.runUntilComplete { try await runInShell(command, on: loop) }
        #expect(Console.take() == ["[\(command) exited with 3]", "[stdout] out", "[stderr] err"])
    }
}
