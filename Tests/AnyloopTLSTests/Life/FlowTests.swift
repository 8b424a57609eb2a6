import AnyloopCore
import AnyloopTestHosts
import Testing

@testable import AnyloopTLS
@testable import AnyloopTesting

/// Backpressure through the layer, both ways.
@Suite struct FlowTests {
    /// A paused protocol gets nothing, and what is held for it is bounded.
    @Test(arguments: LifeSetup.all) func pausedReadingIsBounded(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle()
        scene.connection.pauseReading()
        let bytes = pattern(8 << 20)
        for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
            scene.say(Array(bytes[start..<start + (1 << 16)]))
            try scene.step()
            #expect(scene.connection.held.count <= TLSConnection.heldHighLimit + 262_144)
        }
        #expect(scene.recorder.byteCount == 0)
        scene.connection.resumeReading()
        #expect(scene.recorder.byteCount == 0, "resumeReading delivered inside the call")
        try scene.wait("the data") { scene.recorder.byteCount == bytes.count }
        #expect(scene.recorder.trace.bytes == bytes)
        #expect(scene.recorder.grammar.violation == nil)
    }

    /// Pausing and resuming at random, also inside dataReceived, loses nothing and changes no order.
    @Test(arguments: LifeSetup.all) func randomPauses(_ setup: LifeSetup) throws {
        var random = SplitMix(seed: 11)
        let recorder = RecordingProtocol()
        var isPaused = false
        recorder.reactions[.data] = { _, transport in
            #expect(!isPaused, "data while paused")
            switch random.next() % 4 {
            case 0:
                isPaused = true
                transport.pauseReading()
            case 1:
                transport.pauseReading()
                transport.resumeReading()
            default: break
            }
        }
        let scene = try TLSScene(setup, recorder: recorder)
        try scene.open()
        let bytes = pattern(1 << 20)
        var offset = 0
        try scene.wait("the data") {
            if offset < bytes.count {
                let end = min(bytes.count, offset + 1 + Int(random.next() % 40_000))
                scene.say(Array(bytes[offset..<end]))
                offset = end
            }
            if isPaused, random.next() % 3 == 0 {
                isPaused = false
                scene.connection.resumeReading()
            }
            return recorder.byteCount == bytes.count
        }
        #expect(recorder.trace.bytes == bytes)
        #expect(recorder.grammar.violation == nil)
    }

    /// For every pair of marks: pauses and resumes are paired, nothing is lost, no wakeup is missed.
    @Test(arguments: LifeSetup.all) func watermarks(_ setup: LifeSetup) throws {
        let marks = [
            (0, 0), (1, 0), (1, 1), (100, 100), (16384, 16384), (65536, 16384), (70_000, 0), (200_000, 199_999),
            (524_288, 131_072), (1 << 20, 1 << 20),
        ]
        for (high, low) in marks {
            var random = SplitMix(seed: UInt64(high + low))
            var isPaused = false
            let recorder = RecordingProtocol()
            recorder.reactions[.pause] = { _, transport in
                isPaused = true
                #expect(
                    transport.writeBufferSize > high, "paused at \(transport.writeBufferSize), marks \(high) \(low)")
            }
            recorder.reactions[.resume] = { _, transport in
                isPaused = false
                #expect(
                    transport.writeBufferSize <= low, "resumed at \(transport.writeBufferSize), marks \(high) \(low)")
            }
            let scene = try TLSScene(setup, recorder: recorder)
            try scene.open()
            scene.connection.setWriteBufferLimits(try WriteBufferLimits(high: high, low: low))
            let bytes = pattern(3 << 20)
            var offset = 0
            var isReading = true
            try scene.wait("the bytes with marks \(high) and \(low), paused \(isPaused)") {
                switch random.next() % 8 {
                case 0 where isReading:
                    isReading = false
                    scene.raw.stopReading()
                case 1, 2, 3:
                    isReading = true
                    scene.raw.resumeReading()
                default: break
                }
                while offset < bytes.count, !isPaused, random.next() % 4 > 0 {
                    let end = min(bytes.count, offset + 1 + Int(random.next() % 100_000))
                    scene.connection.write(Array(bytes[offset..<end]))
                    offset = end
                }
                return scene.far.received.count == bytes.count
            }
            #expect(scene.far.received == bytes)
            scene.raw.resumeReading()
            try scene.wait("the last resume") { !isPaused && scene.connection.writeBufferSize == 0 }
            #expect(recorder.count(.pause) == recorder.count(.resume))
            #expect(recorder.grammar.violation == nil)
        }
    }

    /// Ciphertext and plaintext count, and no more than what a writer gave plus the records' own bytes.
    @Test(arguments: LifeSetup.memory) func bufferSizeCountsBoth(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle()
        scene.raw.stopReading()
        scene.connection.write(pattern(10_000))
        let first = scene.connection.writeBufferSize
        #expect(first > 10_000 && first < 10_100)
        scene.connection.write(pattern(1 << 20))
        #expect(scene.connection.writeBufferSize > 10_000 + 1 << 20)
        #expect(scene.connection.queue.byteCount > 1 << 19, "the ciphertext below is unbounded")
        #expect(scene.recorder.count(.pause) == 1)
        scene.raw.resumeReading()
        try scene.wait("the resume") { scene.recorder.count(.resume) == 1 && scene.connection.writeBufferSize == 0 }
    }

    /// A file that cannot be read is told with the system's error, and the connection goes on.
    @Test(arguments: LifeSetup.all) func unreadableFiles(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        var results: [Result<Int, TransportError>] = []
        scene.connection.write([1])
        scene.connection.sendFile(descriptor: -1, offset: 0, count: 10) { results.append($0) }
        scene.connection.write([2])
        try scene.wait("the failure and the bytes") { results.count == 1 && scene.far.received == [1, 2] }
        guard case .failure(let error)? = results.first else {
            Issue.record("a file that is not open was sent")
            return
        }
        #expect(error.errno == 9)
        #expect(scene.recorder.isOpen)
    }

    /// A protocol with a buffer of its own gets every byte there, in whatever pieces (rules 104 to 106).
    @Test(arguments: LifeSetup.all, [1, 7, 16384, 100_000]) func buffered(_ setup: LifeSetup, _ size: Int) throws {
        let buffered = BufferedRecorder(size: size)
        let scene = try TLSScene(setup, above: buffered)
        try scene.wait("the handshake") { scene.handshake != nil && scene.far.isOpen }
        let bytes = pattern(size == 1 ? 3000 : 300_000)
        scene.say(bytes)
        scene.sayEnd()
        try scene.wait("the end") { buffered.isLost }
        #expect(buffered.received == bytes)
        #expect(buffered.sawEnd)
        #expect(buffered.lostError == nil)
        #expect(buffered.plainCount == 0, "bytes came by dataReceived, with a copy")
        #expect(buffered.largest <= size)
    }

    @Test(arguments: LifeSetup.all, [BufferedRecorder.Fault.noRoom, .noCall, .throwsInLend, .throwsInUpdate])
    func bufferedFaults(_ setup: LifeSetup, _ fault: BufferedRecorder.Fault) throws {
        let buffered = BufferedRecorder(size: 100)
        buffered.fault = fault
        let scene = try TLSScene(setup, above: buffered)
        try scene.wait("the handshake") { scene.handshake != nil && scene.far.isOpen }
        scene.say([1, 2, 3])
        try scene.wait("the end") { buffered.isLost }
        guard case .callback? = buffered.lostError else {
            Issue.record("lost with \(buffered.lostError as Any)")
            return
        }
        #expect(scene.exceptions.count == 1)
    }
}

/// A protocol that lends its own buffer.
final class BufferedRecorder: BufferedStreamProtocol {
    enum Fault: CaseIterable {
        case noRoom
        case noCall
        case throwsInLend
        case throwsInUpdate
    }

    private var buffer: [UInt8]
    var fault: Fault?
    private(set) var received: [UInt8] = []
    private(set) var largest = 0
    private(set) var plainCount = 0
    private(set) var sawEnd = false
    private(set) var isLost = false
    private(set) var lostError: TransportError?

    init(size: Int) { buffer = [UInt8](repeating: 0, count: size) }

    func lendBuffer(sizeHint: Int, to receive: (inout MutableSpan<UInt8>) -> Void) throws {
        switch fault {
        case .noCall: return
        case .throwsInLend: throw ReactionError(.data)
        case .noRoom:
            var empty: [UInt8] = []
            var span = empty.mutableSpan
            return receive(&span)
        default: break
        }
        var lent = buffer
        buffer = []
        defer { buffer = lent }
        var span = lent.mutableSpan
        receive(&span)
    }

    func bufferUpdated(_ count: Int) throws {
        if fault == .throwsInUpdate { throw ReactionError(.data) }
        received += buffer[..<count]
        largest = max(largest, count)
    }

    func dataReceived(_ data: Span<UInt8>) { plainCount += data.count }

    func eofReceived() -> Bool {
        sawEnd = true
        return false
    }

    func connectionLost(_ error: TransportError?) {
        isLost = true
        lostError = error
    }
}
