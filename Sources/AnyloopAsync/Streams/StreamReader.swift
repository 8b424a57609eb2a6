import AnyloopCore

/// Reads a byte stream by awaiting (asyncio: `StreamReader`). Confined to its loop's thread.
///
/// `openConnection` and `startServer` make them. Above twice `limit` bytes in the buffer the transport is paused, at
/// `limit` or below it goes on; a read that needs more than that resumes it. One task reads at a time.
public final class StreamReader {
    /// asyncio's default: 64 KiB.
    public static let standardLimit = 65536

    /// The longest line, in bytes without its separator; half of what is buffered before the transport is paused.
    public let limit: Int

    private let loop: any TaskLoop
    private var buffer = StreamBuffer()
    private var isEnded = false
    private var waiter: Waiter<Void>?
    private var transport: (any StreamTransport)?
    private var isPaused = false

    /// What ended the stream, if that was an error (asyncio: `exception`).
    public private(set) var exception: (any Error)?

    /// A reader to be fed by hand, or by a `StreamReaderProtocol`.
    ///
    /// - Throws: `TransportError.usage` for a limit of zero or less.
    public init(loop: any TaskLoop, limit: Int = StreamReader.standardLimit) throws(TransportError) {
        guard limit > 0 else { throw .usage(.argument("Limit cannot be <= 0")) }
        self.loop = loop
        self.limit = limit
    }

    // MARK: Feeding

    /// Whether the stream has ended and everything was read (asyncio: `at_eof`).
    public var atEOF: Bool { isEnded && buffer.isEmpty }

    /// Appends bytes that came (asyncio: `feed_data`); dropped after the end.
    public func feedData(_ bytes: Span<UInt8>) {
        guard !isEnded, bytes.count > 0 else { return }
        buffer.append(bytes)
        wake()
        guard let transport, !isPaused, buffer.count > 2 * limit else { return }
        transport.pauseReading()
        isPaused = true
    }

    /// Says that no more comes (asyncio: `feed_eof`).
    public func feedEOF() {
        isEnded = true
        wake()
    }

    /// Ends the stream with an error, which this and every later read throws (asyncio: `set_exception`).
    public func setException(_ error: any Error) {
        exception = error
        wake()
    }

    /// Whom to pause when the buffer is full (asyncio: `set_transport`); the first one counts.
    public func setTransport(_ transport: any StreamTransport) {
        if self.transport == nil { self.transport = transport }
    }

    /// Pauses another transport from now on, which stands above the one before.
    func replaceTransport(_ transport: any StreamTransport) {
        self.transport = transport
        guard isPaused else { return }
        transport.pauseReading()
    }

    /// Bytes that came and were not read.
    var bufferedCount: Int { buffer.count }

    private func wake() {
        let waiter = waiter
        self.waiter = nil
        waiter?.finish(.success(()))
    }

    private func resumeIfDrained() {
        if isPaused, buffer.count <= limit { resume() }
    }

    private func resume() {
        isPaused = false
        transport?.resumeReading()
    }

    private nonisolated(nonsending) func waitForData(_ caller: String) async throws {
        guard waiter == nil else {
            throw TransportError.usage(
                "\(caller)() called while another coroutine is already waiting for incoming data")
        }
        try loop.checkThread()
        // A reader that needs more than the buffer's limit would wait for ever.
        if isPaused { resume() }
        let waiter = Waiter<Void>()
        self.waiter = waiter
        defer { if self.waiter === waiter { self.waiter = nil } }
        try await loop.suspend(waiter)
        try waiter.result?.get()
        if let exception { throw exception }
    }

    // MARK: Reading

    /// At least one byte and at most `count`; empty at the end of the stream (asyncio: `read`).
    ///
    /// Less than zero reads all there is until the end; zero gives nothing at once.
    ///
    /// - Throws: `exception`; `TransportError.usage` while another task reads; `.cancelled` with the task.
    public nonisolated(nonsending) func read(_ count: Int = -1) async throws -> [UInt8] {
        if let exception { throw exception }
        if count == 0 { return [] }
        if count < 0 {
            var all: [UInt8] = []
            while true {
                let block = try await read(limit)
                if block.isEmpty { return all }
                all += block
            }
        }
        if buffer.isEmpty, !isEnded { try await waitForData("read") }
        let bytes = buffer.take(count)
        resumeIfDrained()
        return bytes
    }

    /// Exactly `count` bytes (asyncio: `readexactly`).
    ///
    /// - Throws: `IncompleteReadError` with what came if the stream ends before; `TransportError.usage` for a
    ///   negative count or while another task reads; `exception`; `.cancelled` with the task.
    public nonisolated(nonsending) func readExactly(_ count: Int) async throws -> [UInt8] {
        guard count >= 0 else {
            throw TransportError.usage(.argument("readexactly size can not be less than zero"))
        }
        if let exception { throw exception }
        if count == 0 { return [] }
        while buffer.count < count {
            if isEnded { throw IncompleteReadError(partial: buffer.takeAll(), expected: count) }
            try await waitForData("readexactly")
        }
        let bytes = buffer.take(count)
        resumeIfDrained()
        return bytes
    }

    /// The next line with its newline; what is left at the end of the stream, empty once nothing is (asyncio:
    /// `readline`).
    ///
    /// - Throws: `TransportError.usage` for a line longer than `limit`, which is dropped: the line, or all that is
    ///   buffered of it; otherwise as `readUntil`.
    public nonisolated(nonsending) func readLine() async throws -> [UInt8] {
        let newline = [UInt8(ascii: "\n")]
        do {
            return try await readUntil(newline)
        } catch let error as IncompleteReadError {
            return error.partial
        } catch let error as LimitOverrunError {
            if buffer.has(newline, at: error.consumed) {
                _ = buffer.take(error.consumed + newline.count)
            } else {
                _ = buffer.takeAll()
            }
            resumeIfDrained()
            throw TransportError.usage(.argument(error.message))
        }
    }

    /// What stands before `separator`, and the separator itself (asyncio: `readuntil`).
    ///
    /// - Throws: `IncompleteReadError` with what came if the stream ends before; `LimitOverrunError` if there are
    ///   more than `limit` bytes before it, which stay in the buffer; `TransportError.usage` for an empty separator
    ///   or while another task reads; `exception`; `.cancelled` with the task.
    public nonisolated(nonsending) func readUntil(
        _ separator: [UInt8] = [UInt8(ascii: "\n")]
    ) async throws -> [UInt8] {
        try await readUntil(anyOf: [separator])
    }

    /// What stands before the separator that ends first, and that separator (asyncio: `readuntil` of a tuple).
    ///
    /// - Throws: as `readUntil`.
    public nonisolated(nonsending) func readUntil(anyOf separators: [[UInt8]]) async throws -> [UInt8] {
        guard let longest = separators.lazy.map(\.count).max(), let shortest = separators.lazy.map(\.count).min()
        else { throw TransportError.usage(.argument("Separator should contain at least one element")) }
        guard shortest > 0 else {
            throw TransportError.usage(.argument("Separator should be at least one-byte string"))
        }
        if let exception { throw exception }
        // Before it no separator begins.
        var offset = 0
        while true {
            if buffer.count - offset >= shortest {
                if let match = firstMatch(of: separators, from: offset) {
                    guard match.start <= limit else {
                        throw LimitOverrunError(
                            message: "Separator is found, but chunk is longer than limit", consumed: match.start)
                    }
                    let bytes = buffer.take(match.end)
                    resumeIfDrained()
                    return bytes
                }
                offset = max(0, buffer.count + 1 - longest)
                guard offset <= limit else {
                    throw LimitOverrunError(
                        message: "Separator is not found, and chunk exceed the limit", consumed: offset)
                }
            }
            if isEnded { throw IncompleteReadError(partial: buffer.takeAll(), expected: nil) }
            try await waitForData("readuntil")
        }
    }

    /// The separator that ends first; of those that end together, the shortest.
    private func firstMatch(of separators: [[UInt8]], from offset: Int) -> (start: Int, end: Int)? {
        var best: (start: Int, end: Int)?
        for separator in separators {
            guard let start = buffer.firstIndex(of: separator, from: offset) else { continue }
            let end = start + separator.count
            guard let former = best else {
                best = (start, end)
                continue
            }
            if end < former.end || end == former.end && start > former.start { best = (start, end) }
        }
        return best
    }
}
