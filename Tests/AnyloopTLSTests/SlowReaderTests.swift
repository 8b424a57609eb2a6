import AnyloopCore
import AnyloopTLS
import AnyloopTesting
import Testing

/// Takes one piece, then nothing more until it is told to.
private final class SlowReader: StreamProtocol {
    var transport: (any StreamTransport)?
    var count = 0
    var pieces = 0
    var isLost = false
    var lostError: TransportError?

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        count += data.count
        pieces += 1
        transport?.pauseReading()
    }

    func connectionLost(_ error: TransportError?) {
        isLost = true
        lostError = error
    }
}

@Suite struct SlowReaderTests {
    private static let total = 4 << 20

    /// A server that has said all it has to and closes, and a client that reads nothing yet.
    private func closing() throws -> (loop: MemoryLoop, server: RecordingProtocol, client: SlowReader) {
        let (serverContext, clientContext) = try HandshakeTests.contexts()
        let loop = MemoryLoop()
        let served = RecordingProtocol()
        let client = SlowReader()
        let server = try loop.createServer(on: [.loopback(port: 443)], tls: TLSServerContextSource(serverContext)) {
            served
        }
        loop.createConnection(to: .address(.loopback(port: 443)), tls: clientContext, serverName: "localhost") {
            client
        } completion: { _ in
        }
        loop.runUntilIdle()
        server.close()
        client.transport?.pauseReading()
        let transport = try #require(served.transport)
        transport.write([UInt8](repeating: 1, count: Self.total))
        transport.close()
        loop.runUntilIdle()
        return (loop, served, client)
    }

    @Test func getsAllOfWhatWasWrittenBeforeTheClose() throws {
        let (loop, _, client) = try closing()
        // What one receive brought is held in pieces of 32 KiB, so that the server sees less often that they are taken.
        let step = TLSConnectionOptions().shutdownTimeout / 16
        while !client.isLost, client.pieces < 10_000 {
            loop.advance(by: step)
            client.transport?.resumeReading()
            loop.runUntilIdle()
        }
        // It took longer than a close may take in which nothing moves.
        #expect(client.pieces > 16)
        #expect(client.count == Self.total)
        #expect(client.isLost && client.lostError == nil)
    }

    @Test func isGivenUpOnceItTakesNothing() throws {
        let (loop, served, _) = try closing()
        let limit = TLSConnectionOptions().shutdownTimeout
        // What the way to the peer still had room for was taken; from then on nothing is.
        loop.advance(by: limit * 2 - .milliseconds(1))
        loop.runUntilIdle()
        #expect(!served.isLost)
        loop.advance(by: .milliseconds(1))
        loop.runUntilIdle()
        guard case .timedOut(_, let after)? = served.lostError else {
            Issue.record("lost by \(String(describing: served.lostError))")
            return
        }
        #expect(after == limit)
    }
}
