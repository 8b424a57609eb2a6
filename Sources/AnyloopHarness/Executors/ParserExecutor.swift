/// Drives a parser in memory: each piece in a fresh buffer of exactly its size, poisoned and freed after the call.
final class ParserExecutor {
    private let session: any ParserSession
    private let stream: SideStream
    private var recorder = TraceRecorder()

    init(_ subject: any ParserSubject, fixture: Fixture, side: Fixture.Side) {
        session = subject.makeSession(for: fixture)
        stream = fixture.stream(for: side)
    }

    /// Whether a replay of the fixture's own bytes at `cut` comes to `reference`.
    func replay(_ cut: Cut, matches reference: Trace) -> Bool {
        session.restart()
        recorder.reset()
        let bytes = stream.bytes
        var start = 0
        for boundary in cut.boundaries where boundary > start && boundary < bytes.count {
            deliver(bytes.span.extracting(start..<boundary), into: &recorder)
            start = boundary
        }
        if start < bytes.count {
            deliver(bytes.span.extracting(start...), into: &recorder)
        }
        if stream.endsWithFin { session.end(into: &recorder) }
        if stream.endsWithReset { session.reset(into: &recorder) }
        return recorder.matches(reference)
    }

    /// How a stream ends.
    enum Ending { case open, fin, reset }

    /// The trace of one replay, with the bodies' bytes; `ending` nil ends the stream as the cut or the fixture does.
    func trace(_ cut: Cut, ending: Ending? = nil) -> Trace {
        session.restart()
        var recorder = TraceRecorder(keepingBodies: true)
        let bytes = cut.delivered(stream)
        for piece in cut.pieces(count: bytes.count) {
            deliver(bytes.span.extracting(piece), into: &recorder)
        }
        switch ending ?? self.ending(of: cut) {
        case .open: break
        case .fin: session.end(into: &recorder)
        case .reset: session.reset(into: &recorder)
        }
        return recorder.trace()
    }

    private func ending(of cut: Cut) -> Ending {
        switch cut.ending {
        case .recorded: stream.endsWithReset ? .reset : stream.endsWithFin || cut.mutation != nil ? .fin : .open
        case .eof: .fin
        case .reset: .reset
        }
    }

    private func deliver(_ bytes: Span<UInt8>, into recorder: inout TraceRecorder) {
        PoisonedChunk.lend(bytes) { session.feed($0, into: &recorder) }
    }
}

/// Lends heap buffers of exactly the bytes they were made of, poisoned and freed after the call.
///
/// Whoever reads past the end or after the call meets bytes that were never sent, or AddressSanitizer.
enum PoisonedChunk {
    /// What the buffer is filled with once it was lent.
    static let poison: UInt8 = 0xDB

    /// Lends a copy of `bytes` to `body`.
    @inline(__always)
    static func lend(_ bytes: Span<UInt8>, to body: (Span<UInt8>) -> Void) {
        let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        unsafe bytes.withUnsafeBytes { unsafe storage.copyMemory(from: $0) }
        unsafe body(Span(_unsafeBytes: UnsafeRawBufferPointer(storage)))
        if let base = storage.baseAddress {
            unsafe base.initializeMemory(as: UInt8.self, repeating: poison, count: storage.count)
        }
        unsafe storage.deallocate()
    }
}
