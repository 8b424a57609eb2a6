import AnyloopAgents
import AnyloopCore
import AnyloopNativeLoop
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

    @Test func datagramsGoBackToTheirSenders() throws {
        let loop = try NativeLoop()
        let server = EchoServer(loop: loop)
        try server.bindDatagram(.loopback(port: 0))
        let address = try #require(server.datagramAddresses.first)
        let senders = try (0..<2).map { index in
            let sender = Datagrams("\(index)")
            _ = try loop.createDatagramEndpoint(local: nil, remote: address, options: DatagramOptions()) { sender }
            return sender
        }
        for _ in 0..<1000 where senders.contains(where: { $0.seen.isEmpty }) {
            try loop.runOnce(timeout: .milliseconds(100))
        }
        #expect(senders.map(\.seen) == [["0"], ["1"]])
        loop.closeLoop()
    }

    @Test func datagramsAreDroppedWhileTheBufferIsFull() {
        let echo = EchoDatagramProtocol()
        echo.pauseWriting()
        let bytes: [UInt8] = [1]
        echo.datagramReceived(bytes.span, from: .loopback(port: 1))
        #expect(echo.droppedCount == 1)
    }
}

/// Sends one datagram and keeps what comes.
private final class Datagrams: DatagramProtocol {
    private let text: String
    private(set) var seen: [String] = []

    init(_ text: String) { self.text = text }

    func connectionMade(_ transport: any DatagramTransport) {
        let bytes = Array(text.utf8)
        transport.send(bytes.span, to: nil)
    }

    func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) {
        seen.append(String(decoding: (0..<data.count).map { data[$0] }, as: UTF8.self))
    }
}
