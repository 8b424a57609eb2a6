import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import Testing

/// Readers, writers and their rules (33 to 36).
@Suite struct DescriptorTests {
    @Test(arguments: PollerKind.allCases)
    func aReaderRunsAgainWhileThereIsSomething(_ poller: PollerKind) throws {
        let loop = try makeLoop(poller)
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(near, far)
        }
        var calls = 0
        try loop.addReader(near) { calls += 1 }
        try loop.runOnce(timeout: .zero)
        #expect(calls == 0)
        _ = RawSocket.send(far, [1])
        for _ in 0..<3 { try loop.runOnce(timeout: .zero) }
        #expect(calls == 3)
        #expect(try loop.removeReader(near))
        #expect(try !loop.removeReader(near))
        try loop.runOnce(timeout: .zero)
        #expect(calls == 3)
    }

    @Test func aSecondReaderReplacesAndReadableComesBeforeWritable() throws {
        let loop = try makeLoop(.epoll)
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(near, far)
        }
        var order: [String] = []
        try loop.addWriter(near) { order.append("writer") }
        let first = try loop.addReader(near) { order.append("first") }
        try loop.addReader(near) { order.append("second") }
        #expect(first.isCancelled)
        _ = RawSocket.send(far, [1])
        try loop.runOnce(timeout: .zero)
        #expect(order == ["second", "writer"])
        #expect(try loop.removeWriter(near))
        #expect(try !loop.removeWriter(near))
        try loop.runOnce(timeout: .zero)
        #expect(order == ["second", "writer", "second"])
    }

    @Test func aReaderMayRemoveItsWriter() throws {
        let loop = try makeLoop(.epoll)
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(near, far)
        }
        var order: [String] = []
        try loop.addWriter(near) { order.append("writer") }
        try loop.addReader(near) {
            order.append("reader")
            try loop.removeWriter(near)
        }
        _ = RawSocket.send(far, [1])
        try loop.runOnce(timeout: .zero)
        #expect(order == ["reader"])
    }

    @Test func aTransportsDescriptorIsRefused() throws {
        let loop = try makeLoop(.epoll)
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(far)
        }
        try loop.adoptConnection(descriptor: near) { RecordingProtocol() }
        let error = #expect(throws: TransportError.self) { try loop.addReader(near) {} }
        #expect(error?.description.hasPrefix("File descriptor \(near) is used by transport") == true)
        #expect(throws: TransportError.self) { try loop.adoptConnection(descriptor: near) { RecordingProtocol() } }
    }

    @Test func whatCannotBeWatchedOrAdoptedIsAnError() throws {
        let loop = try makeLoop(.epoll)
        let file = try TemporaryFile.make([1])
        defer {
            loop.closeLoop()
            RawSocket.close(file)
        }
        #expect(throws: TransportError.self) { try loop.addReader(-1) {} }
        // epoll watches no plain files.
        #expect(throws: TransportError.self) { try loop.addReader(file) {} }
        #expect(throws: TransportError.self) { try loop.adoptConnection(descriptor: file) { RecordingProtocol() } }
        #expect(try !loop.removeReader(file))
    }
}
