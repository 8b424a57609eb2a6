import AnyloopCore
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Testing

@testable import AnyloopNativeLoop

/// What the stream battery does not look at: queues, budgets, the socket itself.
@Suite struct StreamTests {
    /// An adopted end, its protocol and the raw far end.
    private struct Scene {
        let loop: NativeLoop
        let near: NativeStreamTransport
        let recorder: RecordingProtocol
        let far: Int32

        init(_ poller: PollerKind = .epoll, tcp: Bool = true) throws {
            loop = try makeLoop(poller)
            let pair = try tcp ? RawSocket.tcpPair() : RawSocket.unixPair()
            far = pair.1
            let recorder = RecordingProtocol()
            self.recorder = recorder
            near = try #require(
                try loop.adoptConnection(descriptor: pair.0) { recorder } as? NativeStreamTransport)
        }

        func close() {
            loop.closeLoop()
            RawSocket.close(far)
        }

        /// Writes until bytes are queued.
        func fill() -> Int {
            var total = 0
            let block = [UInt8](repeating: 1, count: 65536)
            while near.writeBufferSize == 0 {
                near.write(block)
                total += block.count
            }
            return total
        }

        func drain(_ count: Int) throws -> [UInt8] {
            var received: [UInt8] = []
            while received.count < count {
                try loop.runOnce(timeout: .milliseconds(1))
                while let bytes = RawSocket.receive(far), !bytes.isEmpty { received += bytes }
            }
            return received
        }
    }

    @Test func tcpHasNoDelay() throws {
        let scene = try Scene()
        defer { scene.close() }
        #expect(anyloop_get_option(scene.near.descriptor, Int32(ANYLOOP_OPTION_NO_DELAY)) == 1)
        let server = try scene.loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
            RecordingProtocol(.made) { _, transport in
                let accepted = transport as? NativeStreamTransport
                #expect(anyloop_get_option(accepted?.descriptor ?? -1, Int32(ANYLOOP_OPTION_NO_DELAY)) == 1)
                scene.loop.stop()
            }
        }
        let client = try RawSocket.connect(to: RawSocket.loopback(try #require(server.addresses.first?.port)))
        try scene.loop.run()
        RawSocket.close(client)
    }

    @Test(arguments: [1, 63, 64, 65, 200])
    func gatheredWritesKeepTheirOrder(_ count: Int) throws {
        let scene = try Scene()
        defer { scene.close() }
        let pieces = (0..<count).map { index in [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: index % 7) }
        scene.near.write(contentsOf: pieces)
        let all = Array(pieces.joined())
        #expect(try scene.drain(all.count) == all)
        // And behind a queue.
        let filled = scene.fill()
        scene.near.write(contentsOf: pieces)
        #expect(try scene.drain(filled + all.count).suffix(all.count) == all[...])
    }

    @Test func smallWritesAreJoinedWhileTheyWait() throws {
        let queue = WriteQueue()
        for value in 0..<1000 { queue.append(copying: [UInt8(truncatingIfNeeded: value), 0].span, from: 0) }
        #expect(queue.byteCount == 2000)
        let (near, far) = try RawSocket.unixPair()
        defer { RawSocket.close(near, far) }
        guard case .drained = queue.flush(to: near) else {
            Issue.record("2,000 bytes do not fit a socket")
            return
        }
        #expect(queue.byteCount == 0)
        #expect(RawSocket.receive(far)?.count == 2000)
    }

    @Test func mixedWritesBehindAQueueKeepTheirOrder() throws {
        let scene = try Scene()
        defer { scene.close() }
        let filled = scene.fill()
        var expected: [UInt8] = []
        for value in 0..<300 {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: value), count: value * 37 % 1000 + 1)
            expected += bytes
            switch value % 3 {
            case 0: scene.near.write(bytes)
            case 1: scene.near.write(bytes.span)
            default: scene.near.write(contentsOf: [bytes])
            }
        }
        #expect(try scene.drain(filled + expected.count).suffix(expected.count) == expected[...])
        #expect(scene.near.writeBufferSize == 0)
        #expect(scene.near.queue == nil, "an idle connection keeps no queue")
    }

    @Test(arguments: PollerKind.allCases)
    func oneReceiveForEachReadableEvent(_ poller: PollerKind) throws {
        let scene = try Scene(poller, tcp: false)
        defer { scene.close() }
        _ = anyloop_set_option(scene.far, Int32(ANYLOOP_OPTION_SEND_BUFFER), 4 << 20)
        var sent = 0
        while sent < 600_000 {
            let count = RawSocket.send(scene.far, [UInt8](repeating: 1, count: 8192))
            guard count > 0 else { break }
            sent += count
        }
        try scene.loop.runOnce(timeout: .zero)
        #expect(scene.recorder.byteCount <= 262_144)
        #expect(scene.recorder.byteCount > 0)
        while scene.recorder.byteCount < sent { try scene.loop.runOnce(timeout: .zero) }
    }

    @Test func whatHasNoOffsetsIsSentByReading() throws {
        let scene = try Scene()
        let (source, feeder) = try RawSocket.unixPair()
        defer {
            scene.close()
            RawSocket.close(source)
        }
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var fed = 0
        while fed < bytes.count {
            let count = RawSocket.send(feeder, Array(bytes[fed..<min(fed + 4096, bytes.count)]))
            guard count > 0 else { break }
            fed += count
        }
        RawSocket.close(feeder)
        var result: Result<Int, TransportError>?
        scene.near.sendFile(descriptor: source, offset: 0, count: 1 << 20) { result = $0 }
        let received = try scene.drain(fed)
        while result == nil { try scene.loop.runOnce(timeout: .zero) }
        #expect(received == Array(bytes[..<fed]))
        #expect(try result?.get() == fed, "the source ended early")
    }

    @Test func aFileThatCannotBeReadFailsItsTransferOnly() throws {
        let scene = try Scene()
        defer { scene.close() }
        var result: Result<Int, TransportError>?
        scene.near.sendFile(descriptor: 9999, offset: 0, count: 10) { result = $0 }
        while result == nil { try scene.loop.runOnce(timeout: .zero) }
        guard case .failure(let error) = result else {
            Issue.record("a descriptor that is not open was sent")
            return
        }
        #expect(error.errno == 9)
        scene.near.write([1])
        #expect(try scene.drain(1) == [1])
    }

    @Test func writingToAPeerThatIsGoneEndsTheConnectionAndNotTheProcess() throws {
        let scene = try Scene(tcp: false)
        defer { scene.loop.closeLoop() }
        scene.near.pauseReading()
        RawSocket.close(scene.far)
        scene.near.write([1])
        scene.near.write([2])
        #expect(scene.near.droppedWriteCount == 1)
        while !scene.recorder.isLost { try scene.loop.runOnce(timeout: nil) }
        #expect(scene.recorder.trace.all.last == .lost("errno 32"))
    }
}
