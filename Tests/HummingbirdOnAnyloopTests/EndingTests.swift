import AnyloopSubjects
import Hummingbird
import HummingbirdOnAnyloop
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@Suite("How Hummingbird's servers end")
struct EndingTests {
    private struct OnPurpose: Error {}

    /// A router whose `/hold` says `held` once `gate` is open, having opened `entered`.
    private static func router(entered: Gate, gate: Gate, cancelled: Notes<Bool>? = nil) -> Router<BasicRequestContext>
    {
        let router = Router()
        router.get("hold") { _, _ -> String in
            entered.open()
            do {
                try await gate.passed()
            } catch {
                cancelled?.add(true)
                throw error
            }
            return "held\n"
        }
        return router
    }

    @Test("A server runs once", arguments: Loops.allCases)
    func once(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Router(), options: loopback(), eventLoopGroup: group, logger: silence)
            try await server.withRunning { _ in }
            await #expect(throws: HummingbirdServerError.alreadyRun) { try await server.run() }
        }
    }

    @Test("A server that is shut down before it runs does not listen", arguments: Loops.allCases)
    func shutDownBefore(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Router(), options: loopback(), eventLoopGroup: group, logger: silence)
            server.shutDown()
            await #expect(throws: HummingbirdServerError.shutDownBeforeListening) {
                try await server.withRunning { _ in }
            }
        }
    }

    @Test("What the body throws comes out, after the server has ended", arguments: Loops.allCases)
    func bodyThrows(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Router(), options: loopback(), eventLoopGroup: group, logger: silence)
            await #expect(throws: OnPurpose.self) { try await server.withRunning { _ in throw OnPurpose() } }
            #expect(server.connectionCount == 0)
        }
    }

    @Test("A request under way is answered after the shutdown began; nobody else is let in", arguments: Loops.allCases)
    func graceful(on loops: Loops) async throws {
        try await loops.with { group in
            let (entered, gate) = (Gate(), Gate())
            let server = HummingbirdServer(
                router: Self.router(entered: entered, gate: gate), options: loopback(), eventLoopGroup: group,
                logger: silence)
            try await server.withRunning { address in
                async let held = curl(address, [(ScenarioStep("/hold"), [.status(200), .body("held\n")])])
                try await entered.passed()
                server.shutDown()
                var late: [String] = []
                repeat {
                    // The listener closes on its loop a moment later.
                    late = await curl(address, [(ScenarioStep("/nowhere"), [.outcome(.refused)])])
                } while !late.isEmpty
                gate.open()
                #expect(await held == [])
            }
        }
    }

    @Test("After the grace connections are closed and handlers cancelled", arguments: Loops.allCases)
    func grace(on loops: Loops) async throws {
        try await loops.with { group in
            let (entered, gate, cancelled) = (Gate(), Gate(), Notes<Bool>())
            let server = HummingbirdServer(
                router: Self.router(entered: entered, gate: gate, cancelled: cancelled),
                options: loopback { $0.shutdownGrace = .milliseconds(100) }, eventLoopGroup: group, logger: silence)
            async let held = server.withRunning { address in
                async let amiss = curl(
                    address, [(ScenarioStep("/hold"), [.outcomeAmong([.emptyReply, .receiveFailed])])])
                try await entered.passed()
                server.shutDown()
                return await amiss
            }
            let amiss = try await held
            #expect(amiss == [])
            #expect(cancelled.all == [true])
            #expect(server.connectionCount == 0)
        }
    }

    @Test("An idle connection does not hold a shutdown up", arguments: Loops.allCases)
    func idle(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Router(), options: loopback { $0.shutdownGrace = nil }, eventLoopGroup: group, logger: silence)
            let client = try await server.withRunning { address in
                let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(to: address).get()
                // The client is connected before it has been accepted.
                while server.connectionCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
                return client
            }
            try await client.closeFuture.get()
            #expect(server.connectionCount == 0)
        }
    }

    @Test("Cancelling the task closes connections, cancels handlers, and run returns", arguments: Loops.allCases)
    func cancelled(on loops: Loops) async throws {
        try await loops.with { group in
            let (entered, gate, cancelled) = (Gate(), Gate(), Notes<Bool>())
            let addresses = AsyncStream<SocketAddress>.makeStream()
            let server = HummingbirdServer(
                router: Self.router(entered: entered, gate: gate, cancelled: cancelled), options: loopback(),
                eventLoopGroup: group, logger: silence,
                onServerRunning: { if let address = $0.localAddress { addresses.continuation.yield(address) } })
            let running = Task { try await server.run() }
            var iterator = addresses.stream.makeAsyncIterator()
            let address = try #require(await iterator.next())
            async let amiss = curl(address, [(ScenarioStep("/hold"), [.outcomeAmong([.emptyReply, .receiveFailed])])])
            try await entered.passed()
            running.cancel()
            try await running.value
            #expect(await amiss == [])
            #expect(cancelled.all == [true])
            #expect(server.connectionCount == 0)
        }
    }

    @Test("In a group of services it shuts down with the group", arguments: Loops.allCases)
    func serviceGroup(on loops: Loops) async throws {
        try await loops.with { group in
            let (entered, gate) = (Gate(), Gate())
            let addresses = AsyncStream<SocketAddress>.makeStream()
            let server = HummingbirdServer(
                router: Self.router(entered: entered, gate: gate), options: loopback(), eventLoopGroup: group,
                logger: silence,
                onServerRunning: { if let address = $0.localAddress { addresses.continuation.yield(address) } })
            let services = ServiceGroup(configuration: .init(services: [server], logger: silence))
            async let running: Void = services.run()
            var iterator = addresses.stream.makeAsyncIterator()
            let address = try #require(await iterator.next())
            async let held = curl(address, [(ScenarioStep("/hold"), [.status(200), .body("held\n")])])
            try await entered.passed()
            await services.triggerGracefulShutdown()
            gate.open()
            #expect(await held == [])
            try await running
        }
    }
}
