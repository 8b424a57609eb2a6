import Hummingbird
import HummingbirdOnAnyloop
import NIOPosix
import Testing

@Suite struct RunnerTests {
    @Test("A server runs once") func once() async throws {
        let server = HummingbirdServer(router: Router(), eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        server.shutDown()
        try await server.run()
        await #expect(throws: HummingbirdServerError.alreadyRun) { try await server.run() }
    }
}
