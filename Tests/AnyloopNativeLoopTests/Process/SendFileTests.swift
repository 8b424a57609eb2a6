import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Testing

/// Files on their way over a transport: what the shared battery cannot show (rule 93).
@Suite struct SendFileTests {
    private static let size = 2_000_003
    private static let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 >> 4 &+ $0) }

    /// A connection, its far end, and what came there.
    private final class Scene {
        let loop: any LoopKind.TestedLoop
        let seen = RecordingProtocol()
        let transport: any StreamTransport
        private let far: Int32
        var received: [UInt8] = []
        var result: Result<Int, TransportError>?
        var sent: Int? { if case .success(let count)? = result { count } else { nil } }
        var failure: TransportError? { if case .failure(let error)? = result { error } else { nil } }

        init(_ kind: LoopKind, _ wrap: (any StreamTransport) -> any StreamTransport = { $0 }) throws {
            let near: Int32
            (near, far) = try RawSocket.unixPair()
            loop = try kind.make()
            let seen = seen
            transport = wrap(try loop.adoptConnection(descriptor: near) { seen })
            try loop.wait("connectionMade") { seen.isOpen }
        }

        deinit {
            loop.closeLoop()
            RawSocket.close(far)
        }

        func closeFar() { RawSocket.close(far) }

        func drain(_ count: Int) throws {
            try loop.wait("\(count) bytes") {
                while let more = RawSocket.receive(far, upTo: 1 << 20), !more.isEmpty { received += more }
                return received.count >= count && result != nil
            }
        }

        func sendFile(_ file: Int32, _ offset: Int64 = 0, _ count: Int? = nil, fallback: Bool = true) throws {
            try sendFile(.descriptor(file), offset, count, fallback: fallback)
        }

        func sendFile(
            _ source: SendFileSource, _ offset: Int64 = 0, _ count: Int? = nil, fallback: Bool = true
        ) throws {
            try loop.sendFile(transport, source, offset: offset, count: count, allowsFallback: fallback) {
                self.result = $0
            }
            #expect(result == nil, "the completion ran inside the call")
        }
    }

    private func position(_ file: Int32) -> Int64 { anyloop_position(file) }

    @Test("rule 93: a whole file, and where its position is then", arguments: LoopKind.allCases)
    func wholeFile(_ kind: LoopKind) throws {
        let scene = try Scene(kind)
        let file = try TemporaryFile.make(Self.bytes)
        defer { RawSocket.close(file) }
        _ = anyloop_seek(file, 17)  // does not count
        scene.transport.write(Array("first".utf8))
        try scene.sendFile(file)
        #expect(!scene.transport.isReading)
        try scene.drain(5 + Self.size)
        #expect(scene.sent == Self.size && scene.received == Array("first".utf8) + Self.bytes)
        #expect(position(file) == Int64(Self.size))
        #expect(scene.transport.isReading)
        scene.transport.write(Array("last".utf8))
        try scene.drain(9 + Self.size)
    }

    @Test("rule 93: a part of a file, up to its last byte and past it", arguments: LoopKind.allCases)
    func parts(_ kind: LoopKind) throws {
        let file = try TemporaryFile.make(Array(Self.bytes[..<100_000]))
        defer { RawSocket.close(file) }
        for (offset, count, expected) in [(1234, 5678, 5678), (99_990, 10, 10), (99_990, 11, 10), (100_000, 1, 0)] {
            let scene = try Scene(kind)
            _ = anyloop_seek(file, 7)
            try scene.sendFile(file, Int64(offset), count)
            try scene.drain(expected)
            #expect(scene.sent == expected && scene.received == Array(Self.bytes[offset..<offset + expected]))
            #expect(position(file) == (expected > 0 ? Int64(offset + expected) : 7))
        }
    }

    @Test("rule 93: a write meanwhile is reported, dropped, and over with the file", arguments: LoopKind.allCases)
    func writeMeanwhile(_ kind: LoopKind) throws {
        let scene = try Scene(kind)
        var reports: [LoopException] = []
        scene.loop.exceptionHandler = { reports.append($0) }
        let file = try TemporaryFile.make(Self.bytes)
        defer { RawSocket.close(file) }
        try scene.sendFile(file)
        scene.transport.write([1])
        scene.transport.write([1].span)
        scene.transport.write(contentsOf: [[1]])
        #expect(
            reports.map(\.message)
                == ["write", "write", "writelines"].map { "unable to \($0); sendfile is in progress" })
        let second = #expect(throws: TransportError.self) { try scene.sendFile(file) }
        #expect(second?.description == "Empty waiter is already set")
        try scene.drain(Self.size)
        #expect(scene.received == Self.bytes)
        scene.transport.write([2])
        try scene.drain(Self.size + 1)
        #expect(reports.count == 3)
    }

    @Test("rule 93: what asyncio refuses is refused in its words", arguments: LoopKind.allCases)
    func refused(_ kind: LoopKind) throws {
        let scene = try Scene(kind)
        let file = try TemporaryFile.make([1])
        defer { RawSocket.close(file) }
        func text(_ offset: Int64 = 0, _ count: Int? = nil) -> String? {
            #expect(throws: TransportError.self) { try scene.sendFile(file, offset, count) }?.description
        }
        #expect(text(0, 0) == "count must be a positive integer (got 0)")
        #expect(text(0, -1) == "count must be a positive integer (got -1)")
        #expect(text(-1) == "offset must be a non-negative integer (got -1)")
        let pipe = try TestPipe(readingNear: false)
        let end = try scene.loop.connectWritePipe(descriptor: pipe.near) { RecordingProtocol() }
        let unsupported = #expect(throws: TransportError.self) {
            try scene.loop.sendFile(end, .descriptor(file), offset: 0, count: nil, allowsFallback: true) { _ in }
        }
        #expect(unsupported?.description.hasPrefix("sendfile is not supported for transport") == true)
        scene.transport.writeEOF()
        try scene.sendFile(file)
        try scene.loop.wait("the completion") { scene.result != nil }
        #expect(scene.failure?.description == "Cannot call write() after write_eof()")
        scene.transport.close()
        #expect(text() == "Transport is closing")
    }

    @Test("rule 93: a file that the kernel cannot move is read and written", arguments: LoopKind.allCases)
    func unmovable(_ kind: LoopKind) throws {
        // From a pipe sendfile(2) moves nothing.
        let (source, sink) = (try TestPipe(readingNear: true), Array(Self.bytes[..<50_000]))
        try source.send(sink)
        source.closeFar()
        let strict = try Scene(kind)
        try strict.sendFile(source.near, fallback: false)
        try strict.loop.wait("the completion") { strict.result != nil }
        #expect(strict.failure?.description == "os.sendfile call failed")
        let scene = try Scene(kind)
        try scene.sendFile(source.near)
        try scene.drain(50_000)
        #expect(scene.sent == 50_000 && scene.received == sink)
        RawSocket.close(source.near)
    }

    @Test(
        "rule 93: over a transport of another kind the file is copied, as the watermarks allow",
        arguments: LoopKind.allCases)
    func copied(_ kind: LoopKind) throws {
        var wrapped: WrappedTransport?
        let scene = try Scene(kind) {
            wrapped = WrappedTransport($0)
            return wrapped ?? $0
        }
        let file = try TemporaryFile.make(Self.bytes)
        defer { RawSocket.close(file) }
        let strict = #expect(throws: TransportError.self) { try scene.sendFile(file, fallback: false) }
        #expect(strict?.description.hasPrefix("fallback is disabled") == true)
        try scene.sendFile(file, 3)
        #expect(!scene.transport.isReading && scene.transport.streamProtocol !== scene.seen)
        try scene.drain(Self.size - 3)
        #expect(scene.sent == Self.size - 3 && scene.received == Array(Self.bytes[3...]))
        #expect(position(file) == Int64(Self.size))
        #expect(scene.transport.streamProtocol === scene.seen && scene.transport.isReading)
        #expect(scene.seen.count(.pause) == scene.seen.count(.resume))
        // 256 KiB at a time, on top of a buffer that was not above its mark.
        #expect((wrapped?.largest ?? 0) <= 262_144 && (wrapped?.fullest ?? 0) <= 65536 + 262_144)
        scene.result = nil
        scene.received = []
        try scene.sendFile(file, 0, 262_145)
        try scene.drain(262_145)
        #expect(scene.received == Array(Self.bytes[..<262_145]))
    }

    @Test("rule 93: a peer that goes ends the copy and the file", arguments: LoopKind.allCases, [false, true])
    func peerGoes(_ kind: LoopKind, _ isCopied: Bool) throws {
        let scene = try Scene(kind) { isCopied ? WrappedTransport($0) : $0 }
        let file = try TemporaryFile.make(Self.bytes)
        defer { RawSocket.close(file) }
        try scene.sendFile(file)
        try scene.loop.settle()
        scene.transport.abort()
        try scene.loop.wait("the completion") { scene.result != nil && scene.seen.isLost }
        #expect(scene.failure != nil)
    }
}

/// A transport that no loop knows, over one that it does: as TLS would be.
private final class WrappedTransport: StreamTransport {
    private let inner: any StreamTransport
    private(set) var largest = 0
    private(set) var fullest = 0

    init(_ inner: any StreamTransport) {
        self.inner = inner
    }

    var loop: any Loop { inner.loop }
    var isClosing: Bool { inner.isClosing }
    func close() { inner.close() }
    func abort() { inner.abort() }
    var socketName: SocketAddress? { inner.socketName }
    var peerName: SocketAddress? { inner.peerName }
    var writeBufferSize: Int { inner.writeBufferSize }
    var writeBufferLimits: WriteBufferLimits { inner.writeBufferLimits }
    func setWriteBufferLimits(_ limits: WriteBufferLimits) { inner.setWriteBufferLimits(limits) }
    var droppedWriteCount: Int { inner.droppedWriteCount }

    var streamProtocol: (any StreamProtocol)? {
        get { inner.streamProtocol }
        set { inner.streamProtocol = newValue }
    }

    func write(_ bytes: Span<UInt8>) {
        largest = max(largest, bytes.count)
        inner.write(bytes)
        fullest = max(fullest, writeBufferSize)
    }

    func write(_ bytes: [UInt8]) { write(bytes.span) }
    func write(contentsOf pieces: [[UInt8]]) { write(Array(pieces.joined())) }

    func sendFile(
        descriptor: Int32, offset: Int64, count: Int, completion: @escaping (Result<Int, TransportError>) -> Void
    ) { inner.sendFile(descriptor: descriptor, offset: offset, count: count, completion: completion) }

    func writeEOF() { inner.writeEOF() }
    var canWriteEOF: Bool { inner.canWriteEOF }
    func pauseReading() { inner.pauseReading() }
    func resumeReading() { inner.resumeReading() }
    var isReading: Bool { inner.isReading }
    func reset() { inner.reset() }
}
