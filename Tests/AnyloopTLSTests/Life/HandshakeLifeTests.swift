import AnyloopCore
import AnyloopNativeLoop
import CAnyloopTLS
import Testing

@testable import AnyloopTLS
@testable import AnyloopTesting

/// From the transport's connection to `connectionMade`, or to the end of the attempt.
@Suite struct HandshakeLifeTests {
    @Test(arguments: LifeSetup.all) func madeComesAfterTheHandshake(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        scene.carries = false
        try scene.settle()
        #expect(scene.recorder.trace.all.isEmpty && scene.handshake == nil)
        #expect(scene.connection.isClosing, "it can be written to before the handshake")
        scene.carries = true
        try scene.open()
        #expect(scene.recorder.trace.all == [.made])
        #expect(try scene.handshake?.get() === scene.recorder.transport)
        #expect(scene.connection.timer == nil, "the handshake's timer still runs")
    }

    @Test(arguments: LifeSetup.memory) func timesOutAtTheLimit(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        scene.carries = false
        try scene.loop.runOnce(timeout: .zero)
        let start = scene.loop.now
        try scene.moveClock(to: start + (.seconds(60) - .nanoseconds(1)))
        try scene.loop.runOnce(timeout: .zero)
        #expect(scene.handshake == nil)
        try scene.moveClock(to: start + .seconds(60))
        try scene.wait("the failure") { scene.handshake != nil && scene.raw.end != nil }
        #expect(scene.failure?.timeout == .seconds(60))
        #expect(scene.recorder.trace.all.isEmpty)
    }

    @Test(arguments: LifeSetup.all) func timesOut(_ setup: LifeSetup) throws {
        var options = TLSConnectionOptions()
        options.handshakeTimeout = .milliseconds(60)
        let start = ContinuousClock.now
        let scene = try TLSScene(setup, options: options)
        scene.carries = false
        try scene.wait("the failure") { scene.handshake != nil && scene.raw.end != nil }
        #expect(setup.below == .memory || ContinuousClock.now >= start + .milliseconds(60))
        #expect(scene.failure?.timeout == .milliseconds(60))
        #expect(scene.recorder.trace.all.isEmpty)
    }

    @Test(arguments: LifeSetup.all) func theEndIsTruncation(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        scene.carries = false
        scene.raw.send(Array(scene.far.takeOutput().prefix(20)))
        scene.raw.finish()
        try scene.wait("the failure") { scene.handshake != nil && scene.raw.end != nil }
        #expect(scene.tlsFailure == .truncated)
        try scene.wait("the end") { scene.connection.phase == .over }
        #expect(scene.recorder.trace.all.isEmpty)
    }

    @Test(arguments: LifeSetup.all) func aResetIsOne(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        scene.carries = false
        try scene.settle(2)
        scene.raw.reset()
        try scene.wait("the failure") { scene.handshake != nil }
        #expect(scene.failure?.errno == 104)
        #expect(scene.recorder.trace.all.isEmpty)
    }

    @Test(arguments: LifeSetup.all) func abortAndCloseEndIt(_ setup: LifeSetup) throws {
        for isAbort in [true, false] {
            let scene = try TLSScene(setup)
            scene.carries = false
            try scene.settle(2)
            if isAbort { scene.connection.abort() } else { scene.connection.close() }
            try scene.wait("the failure") { scene.handshake != nil && scene.raw.end != nil }
            #expect(scene.failure?.isCancelled == true)
            #expect(scene.recorder.trace.all.isEmpty)
            try scene.wait("the end") { scene.connection.phase == .over }
        }
    }

    /// The first data may come in the segment that ends the handshake.
    @Test(arguments: LifeSetup.all) func earlyPlaintextComesAfterMade(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.wait("the far side's handshake") {
            if scene.far.isOpen { return true }
            let output = scene.far.takeOutput()
            if !output.isEmpty, !scene.far.isOpen { scene.raw.send(output) }
            scene.carries = false
            return false
        }
        scene.say([1, 2, 3])
        scene.sayEnd()
        scene.carries = true
        try scene.waitForLost()
        #expect(scene.recorder.trace.all == [.made, .data([1, 2, 3]), .eof, .lost(nil)])
    }

    /// An alert is read by the peer, not lost in a reset; then the connection ends by itself.
    @Test(arguments: LifeSetup.all) func anAlertReachesThePeer(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        scene.carries = false
        _ = scene.far.takeOutput()
        // A record of an unknown type, then more than one receive brings.
        scene.raw.send([99, 3, 3, 0, 1, 0] + [UInt8](repeating: 0, count: 100_000))
        try scene.wait("the failure") { scene.handshake != nil }
        #expect(scene.tlsFailure != nil && scene.tlsFailure != .internal)
        try scene.wait("the alert") { scene.far.error != nil || scene.raw.end != nil }
        // It may be in the clear where the peer expects ciphertext already.
        #expect(scene.far.error != nil, "the peer saw no alert")
        scene.raw.finish()
        try scene.wait("the end") { scene.connection.phase == .over }
        #expect(scene.recorder.trace.all.isEmpty)
    }

    /// A peer that goes on all the same is cut off: by the clock, and by the number of bytes.
    @Test(arguments: LifeSetup.memory) func lingeringIsBounded(_ setup: LifeSetup) throws {
        for byteCount in [10, TLSConnectionOptions.lingerByteLimit, TLSConnectionOptions.lingerByteLimit + 1] {
            let scene = try TLSScene(setup)
            scene.carries = false
            try scene.loop.runOnce(timeout: .zero)
            scene.raw.send([99, 3, 3, 0, 1, 0])
            try scene.loop.runOnce(timeout: .zero)
            let start = scene.loop.now
            #expect(scene.connection.phase == .lingering)
            scene.raw.send([UInt8](repeating: 1, count: byteCount))
            for _ in 0..<4 { try scene.loop.runOnce(timeout: .zero) }
            let isCut = byteCount > TLSConnectionOptions.lingerByteLimit
            #expect((scene.connection.phase == .over) == isCut, "after \(byteCount) bytes")
            if isCut { continue }
            try scene.moveClock(to: start + (TLSConnectionOptions.lingerTimeout - .nanoseconds(1)))
            try scene.loop.runOnce(timeout: .zero)
            #expect(scene.connection.phase == .lingering)
            try scene.moveClock(to: start + TLSConnectionOptions.lingerTimeout)
            for _ in 0..<4 { try scene.loop.runOnce(timeout: .zero) }
            #expect(scene.connection.phase == .over)
        }
    }

    /// Handshake and data come a byte at a time.
    @Test(arguments: LifeSetup.memory) func byteByByte(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        scene.carries = false
        func carry(until isDone: () -> Bool) throws {
            for _ in 0..<2000 where !isDone() {
                for byte in scene.far.takeOutput() { scene.raw.send([byte]) }
                for _ in 0..<20 { try scene.step() }
            }
            try #require(isDone())
        }
        try carry { scene.recorder.count(.made) == 1 && scene.far.isOpen }
        let sent = pattern(20_000)
        scene.say(sent)
        scene.sayEnd()
        try carry { scene.recorder.isLost }
        #expect(scene.recorder.trace.bytes == sent)
        #expect(scene.recorder.trace.all.suffix(2) == [.eof, .lost(nil)])
    }

    /// Every cut of what the peer says in a handshake, and of two records and `close_notify` after it.
    @Test(arguments: LifeSetup.memory) func everyCut(_ setup: LifeSetup) throws {
        var cut = 1
        var total = 2
        while cut < total {
            let scene = try TLSScene(setup)
            scene.carries = false
            var count = 0
            func carry(_ bytes: [UInt8]) {
                let place = cut - count
                count += bytes.count
                guard place > 0, place < bytes.count else { return scene.raw.send(bytes) }
                scene.raw.send(Array(bytes[..<place]))
                scene.raw.send(Array(bytes[place...]))
            }
            for _ in 0..<40 where !(scene.far.isOpen && scene.recorder.isOpen) {
                let output = scene.far.takeOutput()
                if !output.isEmpty { carry(output) }
                try scene.step()
            }
            scene.say([1, 2, 3])
            scene.say([4])
            scene.sayEnd()
            carry(scene.far.takeOutput())
            for _ in 0..<40 where !scene.recorder.isLost {
                try scene.step()
                if scene.far.isClosed { scene.raw.finish() }
            }
            #expect(scene.recorder.trace.all == [.made, .data([1, 2, 3, 4]), .eof, .lost(nil)], "cut at \(cut)")
            total = count
            cut += 1
        }
        #expect(total > 400)
    }
}
