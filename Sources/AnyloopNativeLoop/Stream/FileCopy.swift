import AnyloopCore
import CAnyloopSystem

/// A file on its way over any transport: read on a thread, written as the watermarks allow
/// (asyncio: `_sendfile_fallback` with its `_SendfileFallbackProtocol`).
///
/// Stands in for the transport's protocol meanwhile, so that pausing reaches this and not the application.
final class FileCopy: StreamProtocol {
    /// Bytes that are read at once, and so held in memory.
    static let pieceSize = 262_144

    private let loop: NativeLoop
    private let transport: any StreamTransport
    private let file: Int32
    private let offset: Int64
    private let count: Int?
    private let completion: (Result<Int, TransportError>) -> Void
    private let original: (any StreamProtocol)?
    private let resumesReading: Bool
    private var sent = 0
    /// What was read while the transport was full.
    private var held: [UInt8] = []
    private var isOver = false
    /// What the transport said about writing since `start`, if anything; the application is told afterwards.
    private var flow: Flow?

    private struct Flow {
        let wasPausedBefore: Bool
        var isPaused: Bool
    }

    init(
        loop: NativeLoop, transport: any StreamTransport, file: Int32, offset: Int64, count: Int?,
        _ completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        self.loop = loop
        self.transport = transport
        self.file = file
        self.offset = offset
        self.count = count
        self.completion = completion
        original = transport.streamProtocol
        resumesReading = transport.isReading
    }

    func start() {
        transport.pauseReading()
        transport.streamProtocol = self
        readNext()
    }

    // MARK: Reading and writing

    private func readNext() {
        let wanted = min(count.map { $0 - sent } ?? Self.pieceSize, Self.pieceSize)
        guard wanted > 0 else { return finish(.success(sent)) }
        let file = file
        let position = offset + Int64(sent)
        let remote = loop.nativeRemote
        let bound = LoopBound(self, to: remote)
        do throws(TransportError) {
            try loop.runOnThread {
                var bytes = [UInt8](repeating: 0, count: wanted)
                let count = unsafe bytes.withUnsafeMutableBytes {
                    unsafe anyloop_read_at(file, $0.baseAddress, $0.count, position)
                }
                bytes.removeLast(wanted - max(0, Int(count)))
                let piece = bytes
                remote.callSoonThreadsafe { bound.value.wasRead(piece, Int32(min(0, count))) }
            }
        } catch { finish(.failure(error)) }
    }

    private func wasRead(_ bytes: [UInt8], _ code: Int32) {
        guard !isOver else { return }
        guard code == 0 else { return finish(.failure(.system(-code, "read"))) }
        guard !bytes.isEmpty else { return finish(.success(sent)) }
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

    private func finish(_ result: Result<Int, TransportError>) {
        guard !isOver else { return }
        isOver = true
        if sent > 0 { _ = anyloop_seek(file, offset + Int64(sent)) }
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
        do {
            if flow.isPaused { try original?.pauseWriting() } else { try original?.resumeWriting() }
        } catch {
            let name = flow.isPaused ? "pause_writing" : "resume_writing"
            loop.report("protocol.\(name)() failed", error, transport, original)
        }
    }

    // MARK: In the protocol's place

    func dataReceived(_ data: Span<UInt8>) throws {
        throw UsageError.state("Invalid state: reading should be paused")
    }

    func eofReceived() throws -> Bool { throw UsageError.state("Invalid state: reading should be paused") }

    func pauseWriting() { noteFlow(isPaused: true) }

    func resumeWriting() {
        noteFlow(isPaused: false)
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
