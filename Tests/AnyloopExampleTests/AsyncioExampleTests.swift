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
}
