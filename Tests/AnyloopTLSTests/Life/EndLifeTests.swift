import AnyloopCore
import Testing

@testable import AnyloopTLS
@testable import AnyloopTesting

/// How a TLS connection ends, in which phase and by whom.
@Suite struct EndLifeTests {
    @Test(arguments: LifeSetup.memory) func shutdownTimesOutAtTheLimit(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        scene.carries = false
        scene.connection.close()
        let start = scene.loop.now
        try scene.moveClock(to: start + (.seconds(30) - .nanoseconds(1)))
        try scene.loop.runOnce(timeout: .zero)
        #expect(!scene.recorder.isLost)
        try scene.moveClock(to: start + .seconds(30))
        try scene.waitForLost()
        #expect(scene.recorder.lostError?.timeout == .seconds(30))
        #expect(scene.recorder.trace.all.count == 2)
    }

    @Test(arguments: LifeSetup.all) func shutdownTimesOut(_ setup: LifeSetup) throws {
        var options = TLSConnectionOptions()
        options.shutdownTimeout = .milliseconds(50)
        let scene = try TLSScene(setup, options: options)
        try scene.open()
        scene.carries = false
        let start = scene.loop.now
        scene.connection.close()
        try scene.waitForLost()
        #expect(scene.loop.now >= start + .milliseconds(50))
        #expect(scene.recorder.lostError?.timeout == .milliseconds(50))
    }

    /// The time-out counts the flush, too: a peer that does not read holds nobody up for longer.
    @Test(arguments: LifeSetup.all) func flushTimesOut(_ setup: LifeSetup) throws {
        var options = TLSConnectionOptions()
        options.shutdownTimeout = .milliseconds(50)
        let scene = try TLSScene(setup, options: options)
        try scene.open()
        scene.raw.stopReading()
        for _ in 0..<8 { scene.connection.write(pattern(1 << 20)) }
        scene.connection.close()
        try scene.waitForLost()
        #expect(scene.recorder.lostError?.timeout == .milliseconds(50))
        #expect(scene.connection.writeBufferSize == 0)
    }

    @Test(arguments: LifeSetup.all) func closeNeedNotWait(_ setup: LifeSetup) throws {
        var options = TLSConnectionOptions()
        options.awaitsCloseNotify = false
        let scene = try TLSScene(setup, options: options)
        try scene.open()
        scene.carries = false
        scene.connection.close()
        try scene.waitForLost()
        #expect(scene.recorder.trace.all == [.made, .lost(nil)])
        try scene.wait("close_notify at the peer") { scene.far.isClosed }
    }

    @Test(arguments: LifeSetup.all) func closeFlushesThreeMegabytes(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        let bytes = pattern(3 << 20)
        scene.connection.write(bytes)
        scene.connection.close()
        try scene.wait("close_notify") { scene.far.isClosed }
        #expect(scene.far.received == bytes)
        scene.sayEnd()
        try scene.waitForLost()
        #expect(scene.recorder.lostError == nil)
    }

    /// A stream cut short is an error or an end, as was asked for; `TLSInfo` tells it in either case.
    @Test(arguments: LifeSetup.all, [TLSConnectionOptions.Truncation.error, .endOfStream])
    func truncation(_ setup: LifeSetup, _ truncation: TLSConnectionOptions.Truncation) throws {
        var options = TLSConnectionOptions()
        options.truncation = truncation
        let scene = try TLSScene(setup, options: options)
        try scene.open()
        scene.say([1, 2, 3])
        try scene.wait("data") { scene.recorder.byteCount == 3 }
        scene.carries = false
        scene.raw.finish()
        try scene.waitForLost()
        #expect(scene.connection.tls?.ending == .truncated)
        switch truncation {
        case .error:
            #expect(scene.lostKind == .truncated)
            #expect(scene.recorder.count(.eof) == 0)
        case .endOfStream:
            #expect(scene.recorder.lostError == nil)
            #expect(scene.recorder.count(.eof) == 1)
        }
    }

    /// The same while a part of a record is missing, and while reading is paused.
    @Test(arguments: LifeSetup.all) func truncationInsideARecord(_ setup: LifeSetup) throws {
        for isPaused in [false, true] {
            let scene = try TLSScene(setup)
            try scene.open()
            try scene.settle()
            scene.carries = false
            if isPaused { scene.connection.pauseReading() }
            scene.say([1, 2, 3])
            scene.say([4, 5, 6])
            scene.raw.send(Array(scene.far.takeOutput().dropLast()))
            scene.raw.finish()
            if isPaused {
                try scene.settle()
                #expect(scene.recorder.trace.all == [.made])
                scene.connection.resumeReading()
            }
            try scene.waitForLost()
            #expect(scene.lostKind == .truncated)
            #expect(scene.recorder.trace.bytes == [1, 2, 3])
        }
    }

    @Test(arguments: LifeSetup.all) func aResetIsNoTruncation(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle()
        scene.raw.reset()
        try scene.waitForLost()
        #expect(scene.recorder.lostError?.errno == 104)
        #expect(scene.recorder.count(.eof) == 0)
    }

    /// What comes behind `close_notify` has no meaning any more (RFC 8446 §6.1).
    @Test(arguments: LifeSetup.all) func bytesAfterCloseNotifyAreIgnored(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle()
        scene.carries = false
        scene.say([1])
        scene.sayEnd()
        scene.raw.send(scene.far.takeOutput() + [23, 3, 3, 0, 5, 1, 2, 3, 4, 5] + pattern(1000))
        try scene.waitForLost()
        #expect(scene.recorder.trace.all == [.made, .data([1]), .eof, .lost(nil)])
    }

    /// The peer goes on sending after our close, and then ends: none of it is delivered.
    @Test(arguments: LifeSetup.all) func dataAfterOurCloseIsDropped(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle()
        scene.carries = false
        scene.connection.close()
        scene.say(pattern(40_000))
        scene.sayEnd()
        scene.carries = true
        try scene.waitForLost()
        #expect(scene.recorder.byteCount == 0)
        #expect(scene.recorder.lostError == nil)
    }

    /// After an alert the connection is lost with its name, and the peer's data before it was delivered.
    @Test(arguments: LifeSetup.all) func plainBytesInTheMiddleEndIt(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle()
        scene.carries = false
        scene.say([1, 2])
        scene.raw.send(scene.far.takeOutput() + Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        try scene.waitForLost()
        #expect(scene.recorder.trace.bytes == [1, 2])
        #expect(scene.lostKind != nil && scene.lostKind != .internal)
        try scene.wait("the alert") { scene.far.error != nil }
        if case .alert = scene.far.error?.kind {} else { Issue.record("the peer saw \(scene.far.error as Any)") }
    }

    @Test(arguments: LifeSetup.all) func writesAfterTheCloseAreCounted(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        scene.connection.close()
        for count in 1...8 {
            scene.connection.write([1])
            #expect(scene.connection.droppedWriteCount == count)
        }
        try scene.wait("close_notify") { scene.far.isClosed }
        scene.sayEnd()
        try scene.waitForLost()
        scene.connection.write(contentsOf: [[1], [2]])
        #expect(scene.connection.droppedWriteCount == 9)
        #expect(scene.far.received.isEmpty)
    }

    /// Nothing is kept for long: after the end the engine's memory is OpenSSL's again, what it said is not lost.
    @Test(arguments: LifeSetup.all) func infoOutlivesTheConnection(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        let before = try #require(scene.recorder.transport?.tls)
        scene.connection.abort()
        try scene.waitForLost()
        let after = try #require(scene.recorder.transport?.tls)
        #expect(after == before)
        #expect(after.version == (setup.tls.version == .v1_3 ? "TLSv1.3" : "TLSv1.2"))
        #expect(after.peerCertificates.count == (setup.tls.side == .client ? 1 : 0))
        #expect(after.serverName == "localhost")
        #expect(scene.connection.queue.isEmpty && scene.connection.held.isEmpty && scene.connection.timer == nil)
        #expect(scene.connection.streamProtocol == nil && scene.connection.onHandshake == nil)
    }
}
