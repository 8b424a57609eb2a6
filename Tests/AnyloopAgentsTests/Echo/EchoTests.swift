import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import Testing

@Suite struct EchoTests {
    @Test func sendsBackAndClosesAfterTheEnd() {
        let loop = MemoryLoop()
        let (transport, peer) = MemoryStream.pair(on: loop, EchoProtocol())
        peer.send("hello")
        peer.finish()
        loop.runUntilIdle()
        #expect(String(decoding: peer.received, as: UTF8.self) == "hello")
        #expect(transport.isClosing)
    }

    @Test func readsNoFasterThanThePeerTakes() {
        let loop = MemoryLoop()
        let (transport, peer) = MemoryStream.pair(on: loop, EchoProtocol())
        peer.stopReading()
        for _ in 0..<10 { peer.send([UInt8](repeating: 7, count: 40_000)) }
        loop.runUntilIdle()
        #expect(transport.writeBufferSize == 80_000, "one read past the high watermark")
        #expect(!transport.isReading)
        peer.resumeReading()
        loop.runUntilIdle()
        #expect(peer.received.count == 400_000)
    }

    @Test func theServerCountsAndAbortsAfterTheGraceTime() throws {
        let loop = MemoryLoop()
        let server = EchoServer(loop: loop)
        try server.listen(on: [.loopback(port: 7)])
        let client = RecordingProtocol()
        let made = Box(false)
        loop.createConnection(
            to: .address(.loopback(port: 7)), options: ConnectOptions(), protocolFactory: { client },
            completion: { if case .success = $0 { made.value = true } })
        loop.runUntilIdle()
        #expect(made.value)
        #expect(server.connectionCount == 1)
        let closed = Box(false)
        server.close(grace: .seconds(1)) { closed.value = true }
        loop.advance(by: .milliseconds(999))
        #expect(!closed.value)
        loop.advance(by: .milliseconds(1))
        #expect(closed.value)
    }
}
