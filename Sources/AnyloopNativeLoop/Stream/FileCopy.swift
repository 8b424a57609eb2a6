import AnyloopCore
import CAnyloopSystem

/// A file on its way over any transport: read on a thread, written as the watermarks allow
/// (asyncio: `_sendfile_fallback` with its `_SendfileFallbackProtocol`).
///
/// Stands in for the transport's protocol meanwhile, so that pausing reaches this and not the application.
final class FileCopy: StreamProtocol, Cancellable {
    /// Bytes that are read at once, and so held in memory.
    static let pieceSize = 262_144

    private let loop: NativeLoop
    private let transport: any StreamTransport
    private let source: SendFileSource
    private let offset: Int64
    private let count: Int?
    private let completion: (Result<Int, TransportError>) -> Void
    private let original: (any StreamProtocol)?
    private let resumesReading: Bool
    private var sent = 0
    /// What was read while the transport was full.
    private var held: [UInt8] = []
    private var isOver = false
    private var isAtEnd = false
    /// What the transport said about writing since `start`, if anything; the application is told afterwards.
    private var flow: Flow?

    private struct Flow {
        let wasPausedBefore: Bool
        var isPaused: Bool
    }

    init(
        loop: NativeLoop, transport: any StreamTransport, source: SendFileSource, offset: Int64, count: Int?,
        _ completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        self.loop = loop
        self.transport = transport
        self.source = source
        self.offset = offset
        self.count = count
        self.completion = completion
        original = transport.streamProtocol
        resumesReading = transport.isReading
    }

    /// Begins, and gives itself for cancelling.
    func started() -> FileCopy {
        transport.pauseReading()
        transport.streamProtocol = self
        readNext()
        return self
    }

    // MARK: Reading and writing

    private func readNext() {
        let wanted = min(count.map { $0 - sent } ?? Self.pieceSize, Self.pieceSize)
        guard wanted > 0 else { return finishDrained() }
        let source = source
        let position = offset + Int64(sent)
        let remote = loop.nativeRemote
        let bound = LoopBound(self, to: remote)
        do throws(TransportError) {
            try loop.runOnThread {
                let result = source.read(wanted, at: position)
                remote.callSoonThreadsafe { bound.value.wasRead(result) }
            }
        } catch { finish(.failure(error)) }
    }

    private func wasRead(_ result: Result<[UInt8], TransportError>) {
        guard !isOver else { return }
        let bytes: [UInt8]
        switch result {
        case .failure(let error): return finish(.failure(error))
        case .success(let read): bytes = read
        }
        guard !bytes.isEmpty else { return finishDrained() }
        guard !transport.isClosing else { return finish(.failure(.closedByPeer)) }
        held = bytes
        if !isFull { writeHeld() }
    }

    /// Above the mark `resumeWriting` is certain to come.
    private var isFull: Bool { transport.writeBufferSize > transport.writeBufferLimits.high }

    private func writeHeld() {
        let bytes = held
        held = []
        sent += bytes.count
        transport.write(bytes)
        if !isOver { readNext() }
    }

    /// All is written: over once the transport takes more again, so that the application is not left in a pause.
    private func finishDrained() {
        if flow?.isPaused == true { isAtEnd = true } else { finish(.success(sent)) }
    }

    private func finish(_ result: Result<Int, TransportError>) {
        guard !isOver else { return }
        isOver = true
        if sent > 0 { source.seek(to: offset + Int64(sent)) }
        if transport.streamProtocol === self {
            transport.streamProtocol = original
            if resumesReading { transport.resumeReading() }
            tellFlow()
        }
        completion(result)
    }

    /// Brings the application up to date: a `resumeWriting` that it waits for, or a `pauseWriting` that it missed.
    private func tellFlow() {
        guard let flow, flow.isPaused != flow.wasPausedBefore, !transport.isClosing else { return }
        transport.tell(flow.isPaused ? .pause : .resume)
    }

    /// Reads no more; what was written is on its way.
    func cancel() { finish(.failure(.cancelled)) }

    // MARK: In the protocol's place

    func dataReceived(_ data: Span<UInt8>) throws {
        throw UsageError.state("Invalid state: reading should be paused")
    }

    func eofReceived() throws -> Bool { throw UsageError.state("Invalid state: reading should be paused") }

    func pauseWriting() { noteFlow(isPaused: true) }

    func resumeWriting() {
        noteFlow(isPaused: false)
        if isAtEnd { return finish(.success(sent)) }
        if !held.isEmpty { writeHeld() }
    }

    private func noteFlow(isPaused: Bool) {
        if flow == nil { flow = Flow(wasPausedBefore: !isPaused, isPaused: isPaused) }
        flow?.isPaused = isPaused
    }

    func connectionLost(_ error: TransportError?) throws {
        finish(.failure(error ?? .closedByPeer))
        try original?.connectionLost(error)
    }
}

extension TransportError {
    /// The connection ended before the file was through (asyncio: `ConnectionError`).
    fileprivate static var closedByPeer: TransportError { .usage("Connection closed by peer") }
}

extension SendFileSource {
    /// At most `count` bytes from `offset`; may block.
    func read(_ count: Int, at offset: Int64) -> Result<[UInt8], TransportError> {
        switch self {
        case .descriptor(let descriptor):
            var bytes = [UInt8](repeating: 0, count: count)
            let got = unsafe bytes.withUnsafeMutableBytes {
                unsafe anyloop_read_at(descriptor, $0.baseAddress, $0.count, offset)
            }
            guard got >= 0 else { return .failure(.system(Int32(-got), "read")) }
            bytes.removeLast(count - Int(got))
            return .success(bytes)
        case .file(let file):
            do throws(TransportError) {
                return .success(try file.read(count, at: offset))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Leaves the file's position at `offset`.
    func seek(to offset: Int64) {
        switch self {
        case .descriptor(let descriptor): _ = anyloop_seek(descriptor, offset)
        case .file(let file): file.seek(to: offset)
        }
    }
}
