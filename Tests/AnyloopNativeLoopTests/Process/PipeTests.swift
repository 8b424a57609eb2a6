import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Testing

/// Pipes on a loop (rule 115), in the steps of asyncio on both loops.
@Suite struct PipeTests {
    @Test("rule 115: a read pipe brings data, the end, and is lost", arguments: LoopKind.allCases, PollerKind.allCases)
    func readPipe(_ kind: LoopKind, _ poller: PollerKind) throws {
        let loop = try kind.make(.standard, poller)
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: true)
        let seen = RecordingProtocol()
        var order: [String] = []
        seen.reactions[.made] = { _, _ in order.append("made") }
        seen.reactions[.eof] = { _, _ in order.append("eof") }
        seen.reactions[.lost] = { _, _ in order.append("lost") }
        seen.keepsOpenAfterEOF = true  // does not count
        pipe.send("before")
        let transport = try loop.connectReadPipe(descriptor: pipe.near) { seen }
        #expect(seen.count(.made) == 0, "connectionMade inside the call")
        loop.callSoon { order.append("next") }
        try loop.wait("the data") { seen.byteCount == 6 }
        pipe.send("more")
        try loop.wait("more data") { seen.byteCount == 10 }
        #expect(transport.isReading)
        pipe.closeFar()
        try loop.wait("the end") { seen.isLost }
        #expect(order == ["made", "next", "eof", "lost"])
        #expect(seen.lostError == nil)
        #expect(anyloop_descriptor_kind(pipe.near) < 0, "the descriptor is closed")
        #expect(seen.grammar.violation == nil)
        #expect(transport.streamProtocol == nil && transport.isClosing)
    }

    @Test("rule 115: a read pipe takes 256 KiB at a time", arguments: LoopKind.allCases)
    func readPipeChunks(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let (near, far) = try RawSocket.unixPair()
        defer { RawSocket.close(far) }
        _ = anyloop_set_option(far, Int32(ANYLOOP_OPTION_SEND_BUFFER), 1 << 20)
        let seen = RecordingProtocol()
        try loop.connectReadPipe(descriptor: near) { seen }
        var sent = 0
        let piece = [UInt8](repeating: 7, count: 65536)
        while sent < 262_144 + 65536 {
            let count = RawSocket.send(far, piece)
            if count < 0 { break }
            sent += count
        }
        try loop.wait("the data") { seen.byteCount == sent }
        #expect(seen.chunkSizes.allSatisfy { $0 <= 262_144 })
    }

    @Test("rules 68, 115: a paused read pipe brings nothing, not even the end", arguments: LoopKind.allCases)
    func pausing(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: true)
        let seen = RecordingProtocol(.made) { _, transport in transport.pauseReading() }
        let transport = try loop.connectReadPipe(descriptor: pipe.near) { seen }
        pipe.send("held")
        pipe.closeFar()
        try loop.settle()
        #expect(seen.byteCount == 0 && !seen.isLost && !transport.isReading)
        transport.resumeReading()
        transport.resumeReading()
        try loop.wait("the end") { seen.isLost }
        #expect(seen.byteCount == 4 && seen.count(.eof) == 1)
    }

    @Test("rule 115: what dataReceived throws ends no pipe", arguments: LoopKind.allCases)
    func throwingInData(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        var reports: [LoopException] = []
        loop.exceptionHandler = { reports.append($0) }
        let pipe = try TestPipe(readingNear: true)
        let seen = RecordingProtocol(.data) { made, _ in throw ReactionError(.data) }
        try loop.connectReadPipe(descriptor: pipe.near) { seen }
        pipe.send("x")
        try loop.wait("the report") { reports.count == 1 }
        pipe.send("y")
        try loop.wait("another report") { reports.count == 2 }
        #expect(reports[0].message.hasPrefix("Exception in callback") && reports[0].error is ReactionError)
        #expect(!seen.isLost && seen.byteCount == 2)
        pipe.closeFar()
        try loop.wait("the end") { seen.isLost }
        #expect(seen.lostError == nil)
    }

    @Test("rule 115: closing a read pipe loses it in the next turn", arguments: LoopKind.allCases)
    func closingReadPipe(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: true)
        let seen = RecordingProtocol()
        let transport = try loop.connectReadPipe(descriptor: pipe.near) { seen }
        try loop.wait("connectionMade") { seen.isOpen }
        transport.close()
        transport.close()
        #expect(transport.isClosing && !seen.isLost)
        try loop.runOnce(timeout: .zero)
        #expect(seen.isLost && seen.count(.lost) == 1 && seen.count(.eof) == 0)
    }

    @Test("rule 115: writing to an end that is read is reported and dropped", arguments: LoopKind.allCases)
    func wrongHalf(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        var reports: [LoopException] = []
        loop.exceptionHandler = { reports.append($0) }
        let pipe = try TestPipe(readingNear: true)
        let transport = try loop.connectReadPipe(descriptor: pipe.near) { RecordingProtocol() }
        transport.write([1])
        #expect(reports.count == 1 && transport.droppedWriteCount == 1 && !transport.canWriteEOF)
        #expect(transport.direction == .reading && transport.writeBufferSize == 0)
    }

    @Test("rule 115: a write pipe writes, and close comes after what is queued", arguments: LoopKind.allCases)
    func writePipe(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: false)
        let seen = RecordingProtocol()
        let transport = try loop.connectWritePipe(descriptor: pipe.near) { seen }
        try loop.wait("connectionMade") { seen.isOpen }
        #expect(transport.canWriteEOF && !transport.isReading)
        transport.write(Array("now".utf8))
        #expect(pipe.receive() == Array("now".utf8))
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 >> 3) }
        transport.write(bytes.span)
        transport.write(contentsOf: [[1, 2], [], [3]])
        #expect(transport.writeBufferSize > 0 && seen.count(.pause) == 1)
        transport.writeEOF()
        transport.close()
        #expect(transport.isClosing && !seen.isLost)
        transport.write([9])
        #expect(transport.droppedWriteCount == 1)
        var received: [UInt8] = []
        try loop.wait("the end") {
            guard let more = pipe.receive() else { return true }
            received += more
            return false
        }
        #expect(received == bytes + [1, 2, 3])
        #expect(seen.isLost && seen.lostError == nil && seen.count(.resume) == 1)
        #expect(seen.grammar.violation == nil)
    }

    @Test("rules 87, 89, 115: the watermarks of a write pipe, at the mark and one past", arguments: LoopKind.allCases)
    func watermarks(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: false)
        let seen = RecordingProtocol()
        let transport = try loop.connectWritePipe(descriptor: pipe.near) { seen }
        try loop.wait("connectionMade") { seen.isOpen }
        // The pipe is full to its last byte; what is written now waits.
        while true {
            transport.write([UInt8](repeating: 0, count: 4096))
            if transport.writeBufferSize > 0 { break }
        }
        let held = transport.writeBufferSize
        transport.setWriteBufferLimits(try WriteBufferLimits(high: held + 100, low: 10))
        transport.write([UInt8](repeating: 0, count: 100))
        #expect(seen.count(.pause) == 0, "at the mark")
        transport.write([0])
        #expect(seen.count(.pause) == 1, "one past")
        transport.write([0])
        #expect(seen.count(.pause) == 1, "told once")
        try loop.wait("resumeWriting") {
            _ = pipe.receive()
            return seen.count(.resume) == 1
        }
        #expect(transport.writeBufferSize == 0)
    }

    @Test(
        "rule 115: a write pipe notices that nobody reads any more", arguments: LoopKind.allCases, PollerKind.allCases)
    func readerGoes(_ kind: LoopKind, _ poller: PollerKind) throws {
        let loop = try kind.make(.standard, poller)
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: false)
        let seen = RecordingProtocol()
        let transport = try loop.connectWritePipe(descriptor: pipe.near) { seen }
        try loop.wait("connectionMade") { seen.isOpen }
        transport.write([1])
        pipe.closeFar()
        try loop.wait("the loss") { seen.isLost }
        #expect(seen.lostError == nil)
    }

    @Test("rule 115: a reader that goes while bytes wait is EPIPE", arguments: LoopKind.allCases)
    func readerGoesWithBytes(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: false)
        let seen = RecordingProtocol()
        let transport = try loop.connectWritePipe(descriptor: pipe.near) { seen }
        try loop.wait("connectionMade") { seen.isOpen }
        transport.write([UInt8](repeating: 0, count: 1 << 20))
        pipe.closeFar()
        try loop.wait("the loss") { seen.isLost }
        #expect(seen.lostError?.errno == 32)
        #expect(transport.writeBufferSize == 0)
    }

    @Test("rules 84, 115: a write that fails is EPIPE in the next turn", arguments: LoopKind.allCases)
    func writeFails(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: false)
        let seen = RecordingProtocol()
        let transport = try loop.connectWritePipe(descriptor: pipe.near) { seen }
        try loop.wait("connectionMade") { seen.isOpen }
        pipe.closeFar()
        transport.write([1])
        #expect(!seen.isLost && transport.isClosing)
        transport.write([1])
        #expect(transport.droppedWriteCount == 1)
        try loop.runOnce(timeout: .zero)
        #expect(seen.isLost && seen.lostError?.errno == 32)
    }

    @Test("rules 95, 115: aborting a write pipe drops what waits", arguments: LoopKind.allCases)
    func aborting(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let pipe = try TestPipe(readingNear: false)
        let seen = RecordingProtocol()
        let transport = try loop.connectWritePipe(descriptor: pipe.near) { seen }
        try loop.wait("connectionMade") { seen.isOpen }
        transport.write([UInt8](repeating: 0, count: 1 << 20))
        transport.close()
        transport.abort()
        #expect(transport.writeBufferSize == 0 && !seen.isLost)
        try loop.runOnce(timeout: .zero)
        #expect(seen.isLost && seen.lostError == nil)
    }

    @Test("rule 115: only pipes, sockets and character devices are taken", arguments: LoopKind.allCases)
    func refused(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let file = try TemporaryFile.make([1])
        defer { RawSocket.close(file) }
        var factories = 0
        let factory = {
            factories += 1
            return RecordingProtocol()
        }
        let reading = #expect(throws: TransportError.self) {
            try loop.connectReadPipe(descriptor: file, protocolFactory: factory)
        }
        #expect(reading?.description == "Pipe transport is for pipes/sockets only.")
        let writing = #expect(throws: TransportError.self) {
            try loop.connectWritePipe(descriptor: file, protocolFactory: factory)
        }
        #expect(writing?.description == "Pipe transport is only for pipes, sockets and character devices")
        if case .usage(let usage)? = writing {
            #expect(usage.kind == .argument)
        } else {
            Issue.record("not a usage error")
        }
        #expect(factories == 2, "as in asyncio the factory runs first")
        #expect(anyloop_descriptor_kind(file) >= 0, "the descriptor stays the caller's")
        let closed = #expect(throws: TransportError.self) {
            try loop.connectReadPipe(descriptor: 500, protocolFactory: factory)
        }
        #expect(closed?.errno == 9)
        let null = anyloop_open_null()
        try loop.connectWritePipe(descriptor: null, protocolFactory: factory).write([1, 2, 3])
    }

    @Test("rules 12, 115: closing the loop loses its pipes", arguments: LoopKind.allCases)
    func closingTheLoop(_ kind: LoopKind) throws {
        let loop = try kind.make()
        let (first, second) = (try TestPipe(readingNear: true), try TestPipe(readingNear: false))
        let (reader, writer, unmade) = (RecordingProtocol(), RecordingProtocol(), RecordingProtocol())
        try loop.connectReadPipe(descriptor: first.near) { reader }
        try loop.connectWritePipe(descriptor: second.near) { writer }
        try loop.wait("connectionMade") { reader.isOpen && writer.isOpen }
        let third = try TestPipe(readingNear: true)
        try loop.connectReadPipe(descriptor: third.near) { unmade }
        loop.closeLoop()
        for made in [reader, writer] {
            guard case .loopClosed? = made.lostError else {
                Issue.record("lost with \(String(describing: made.lostError))")
                continue
            }
        }
        #expect(unmade.count(.lost) == 0)
        for pipe in [first, second, third] { #expect(anyloop_descriptor_kind(pipe.near) < 0) }
        #expect(throws: TransportError.self) { try loop.connectReadPipe(descriptor: 0) { unmade } }
    }
}
