import AnyloopCore
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Testing

@testable import AnyloopNativeLoop

/// What the datagram battery does not look at: Unix sockets, the queue and its limit, budgets.
@Suite struct DatagramTests {
    private func path() -> String { "/tmp/anyloop-dgram-\(UInt64.random(in: 0 ... .max)).sock" }

    /// Two bound Unix datagram sockets; the far one is read by hand, so the near one's queue can fill.
    private struct Scene {
        let loop: NativeLoop
        let near: any DatagramTransport
        let sender = RecordingDatagramProtocol()
        let far: any DatagramTransport
        let receiver = RecordingDatagramProtocol()
        let paths: [String]

        init(_ change: (inout NativeLoopOptions) -> Void = { _ in }, paths: [String]) throws {
            loop = try makeLoop(.epoll, change)
            self.paths = paths
            let (sender, receiver) = (sender, receiver)
            far = try loop.createDatagramEndpoint(
                local: .unix(path: paths[0]), remote: nil, options: DatagramOptions()
            ) { receiver }
            near = try loop.createDatagramEndpoint(
                local: .unix(path: paths[1]), remote: .unix(path: paths[0]), options: DatagramOptions()
            ) { sender }
        }

        func close() {
            loop.closeLoop()
            for path in paths { RawSocket.unlink(path) }
        }

        /// Sends until one waits, without a turn of the loop.
        func fill() -> Int {
            var sent = 0
            while near.writeBufferSize == 0 {
                near.send([UInt8](repeating: 1, count: 100).span, to: nil)
                sent += 1
            }
            return sent
        }
    }

    @Test func unixDatagramsCarryTheirSource() throws {
        let scene = try Scene(paths: [path(), path()])
        defer { scene.close() }
        scene.near.send([1, 2].span, to: nil)
        while scene.receiver.datagrams.isEmpty { try scene.loop.runOnce(timeout: nil) }
        #expect(scene.receiver.datagrams == [[1, 2]])
        #expect(scene.receiver.sources == [.unix(path: scene.paths[1])])
    }

    @Test func whatDoesNotFitWaitsAndComesInOrder() throws {
        let scene = try Scene(paths: [path(), path()])
        defer { scene.close() }
        let sent = scene.fill()
        for value in 0..<20 { scene.near.send([UInt8(value)].span, to: nil) }
        let nothing: [UInt8] = []
        scene.near.send(nothing.span, to: nil)
        #expect(scene.near.writeBufferSize > 100)
        while scene.receiver.datagrams.count < sent + 21 { try scene.loop.runOnce(timeout: nil) }
        #expect(scene.receiver.datagrams.suffix(21) == (0..<20).map { [UInt8($0)] } + [[]])
        #expect(scene.near.writeBufferSize == 0)
    }

    @Test func theQueueTakesItsLimitAndNotOneMore() throws {
        let scene = try Scene({ $0.datagramQueueLimit = 3 }, paths: [path(), path()])
        defer { scene.close() }
        let sent = scene.fill()
        for value in 1...2 { scene.near.send([UInt8(value)].span, to: nil) }
        #expect(scene.near.droppedWriteCount == 0)
        #expect(scene.sender.errors.isEmpty)
        scene.near.send([3].span, to: nil)
        #expect(scene.near.droppedWriteCount == 1)
        #expect(scene.sender.errors.map(\.errno) == [Errno.noBuffers])
        while scene.receiver.datagrams.count < sent + 2 { try scene.loop.runOnce(timeout: nil) }
        try scene.loop.runOnce(timeout: .zero)
        #expect(scene.receiver.datagrams.count == sent + 2)
    }

    @Test func closingFlushesAndAbortingDoesNot() throws {
        for aborts in [false, true] {
            let scene = try Scene(paths: [path(), path()])
            defer { scene.close() }
            let sent = scene.fill()
            if aborts { scene.near.abort() } else { scene.near.close() }
            scene.near.send([9].span, to: nil)
            #expect(scene.near.droppedWriteCount == 1)
            while !scene.sender.isLost { try scene.loop.runOnce(timeout: nil) }
            for _ in 0..<100 { try scene.loop.runOnce(timeout: .zero) }
            #expect(scene.receiver.datagrams.count == (aborts ? sent - 1 : sent))
        }
    }

    @Test(arguments: [1, 4])
    func aTurnReceivesNoMoreThanItsBudget(_ budget: Int) throws {
        let scene = try Scene({ $0.datagramBudget = budget }, paths: [path(), path()])
        defer { scene.close() }
        for value in 0..<6 { scene.near.send([UInt8(value)].span, to: nil) }
        try scene.loop.runOnce(timeout: .zero)
        #expect(scene.receiver.datagrams.count == budget)
    }

    @Test func addressesMustAgreeAndBeThere() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let mixed = #expect(throws: TransportError.self) {
            try loop.createDatagramEndpoint(
                local: .unix(path: path()), remote: .loopback(port: 9), options: DatagramOptions()
            ) { RecordingDatagramProtocol() }
        }
        #expect(mixed?.description.hasPrefix("can not get address information") == true)
        #expect(throws: TransportError.self) {
            try loop.createDatagramEndpoint(local: nil, remote: nil, options: DatagramOptions()) {
                RecordingDatagramProtocol()
            }
        }
    }
}
