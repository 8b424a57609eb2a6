import AnyloopCore
import AnyloopTesting
import Testing

@Suite struct MemoryLoopTests {
    @Test func callbacksQueuedByACallbackWaitForTheNextTurn() throws {
        let loop = MemoryLoop()
        var order: [Int] = []
        loop.callSoon {
            order.append(1)
            loop.callSoon { order.append(3) }
        }
        loop.callSoon { order.append(2) }
        try loop.runOnce(timeout: .zero)
        #expect(order == [1, 2])
        loop.runUntilIdle()
        #expect(order == [1, 2, 3])
    }

    @Test func equalDeadlinesRunInTheOrderOfScheduling() {
        let loop = MemoryLoop()
        var order: [Int] = []
        for index in 0..<20 { loop.callLater(.seconds(index % 2)) { order.append(index) } }
        loop.advance(by: .milliseconds(999))
        #expect(order == Array(stride(from: 0, to: 20, by: 2)))
        loop.advance(by: .milliseconds(1))
        #expect(order == Array(stride(from: 0, to: 20, by: 2)) + Array(stride(from: 1, to: 20, by: 2)))
    }

    @Test func aCancelledTimerNeverRuns() {
        let loop = MemoryLoop()
        var ran: [Int] = []
        let timers = (0..<50).map { index in loop.callLater(.seconds(index)) { ran.append(index) } }
        for index in stride(from: 0, to: 50, by: 3) { timers[index].cancel() }
        loop.advance(by: .seconds(60))
        #expect(ran == (0..<50).filter { $0 % 3 != 0 })
    }

    @Test func eachSendArrivesAsOneChunkAndThenTheEnd() {
        let loop = MemoryLoop()
        let recorder = RecordingProtocol()
        let (_, peer) = MemoryStream.pair(on: loop, recorder)
        peer.send("ab")
        peer.send("c")
        peer.finish()
        loop.runUntilIdle()
        #expect(recorder.trace.all == [.made, .data(Array("abc".utf8)), .eof, .lost(nil)])
        #expect(recorder.chunkSizes == [2, 1])
        #expect(recorder.grammar.violation == nil)
        #expect(peer.end == .finish)
    }

    @Test func aResetBreaksWritesAndReads() {
        let loop = MemoryLoop()
        let recorder = RecordingProtocol()
        let (_, peer) = MemoryStream.pair(on: loop, recorder)
        peer.send("ab")
        peer.reset()
        loop.runUntilIdle()
        #expect(recorder.trace.all == [.made, .data(Array("ab".utf8)), .lost("errno 104")])
    }

    @Test func aClosedWindowBlocksWritesAtItsLastByte() {
        let loop = MemoryLoop()
        let recorder = RecordingProtocol(.made) { _, transport in transport.write(Array("hello world".utf8)) }
        let (transport, peer) = MemoryStream.pair(on: loop, recorder)
        peer.stopReading(window: 5)
        loop.runUntilIdle()
        #expect(peer.received == Array("hello".utf8))
        #expect(transport.writeBufferSize == 6)
        peer.grant(1)
        loop.runUntilIdle()
        #expect(peer.received == Array("hello ".utf8))
        transport.close()
        peer.resumeReading()
        loop.runUntilIdle()
        #expect(peer.received == Array("hello world".utf8))
        #expect(peer.end == .finish)
        #expect(recorder.isLost)
    }

    @Test func protocolsOfOneLoopTalkToEachOther() throws {
        let loop = MemoryLoop()
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
            let echo = RecordingProtocol()
            echo.onData = { transport, bytes in transport.write(bytes) }
            return echo
        }
        let client = RecordingProtocol(.made) { _, transport in
            transport.write(Array("hello".utf8))
            transport.writeEOF()
        }
        var result: Result<any StreamTransport, TransportError>?
        loop.createConnection(
            to: .host("localhost", port: server.addresses[0].port ?? 0), options: ConnectOptions(),
            protocolFactory: { client }, completion: { result = $0 })
        loop.runUntilIdle()
        #expect(try result?.get().peerName == server.addresses[0])
        #expect(client.trace.all == [.made, .data(Array("hello".utf8)), .eof, .lost(nil)])
        #expect(server.connectionCount == 0)
    }

    @Test func connectingToNobodyIsRefusedAndToAHoleTimesOut() throws {
        let loop = MemoryLoop()
        var errors: [TransportError] = []
        func connect(_ endpoint: Endpoint, _ options: ConnectOptions = ConnectOptions()) {
            loop.createConnection(to: endpoint, options: options, protocolFactory: { RecordingProtocol() }) {
                if case .failure(let error) = $0 { errors.append(error) }
            }
            loop.runUntilIdle()
        }
        connect(.address(.loopback(port: 9)))
        connect(.host("nowhere", port: 9))
        #expect(errors.map(TraceEvent.cause) == ["errno 111", "resolution"])
        loop.unanswered = [.loopback(port: 7)]
        var options = ConnectOptions()
        options.timeout = .seconds(5)
        connect(.address(.loopback(port: 7)), options)
        #expect(errors.count == 2)
        loop.advance(by: .seconds(5))
        #expect(errors.count == 3)
    }

    @Test func datagramsGoToWhoeverIsBoundThere() throws {
        let loop = MemoryLoop()
        let first = RecordingDatagramProtocol()
        let second = RecordingDatagramProtocol()
        let one = try loop.createDatagramEndpoint(local: nil, remote: nil, options: DatagramOptions()) { first }
        let two = try loop.createDatagramEndpoint(
            local: nil, remote: one.socketName, options: DatagramOptions()
        ) { second }
        loop.runUntilIdle()
        two.send(Array("ping".utf8).span, to: nil)
        two.send([UInt8]().span, to: nil)
        loop.runUntilIdle()
        #expect(first.datagrams == [Array("ping".utf8), []])
        #expect(first.sources == [two.socketName, two.socketName])
        one.close()
        loop.runUntilIdle()
        two.send([1].span, to: nil)
        loop.runUntilIdle()
        #expect(second.trace == [.made, .error("errno 111")])
    }

    @Test func aResetLoopIsAsNew() {
        let loop = MemoryLoop()
        for _ in 0..<3 {
            let recorder = RecordingProtocol()
            let (_, peer) = MemoryStream.pair(on: loop, recorder)
            loop.callLater(.seconds(1)) { Issue.record("a timer outlived its loop") }
            peer.send("ab")
            loop.runUntilIdle()
            loop.reset()
            loop.advance(by: .seconds(2))
            #expect(recorder.trace.all == [.made, .data(Array("ab".utf8))])
            #expect(recorder.transport?.isClosing == true)
            loop.reset()
        }
    }
}
