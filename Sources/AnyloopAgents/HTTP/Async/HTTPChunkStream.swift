import AnyloopCore
import HTTPTypes

/// Chunks of a body on their way from a loop to a task, with backpressure: at most one waits.
///
/// `@unchecked Sendable`: the state is touched on the loop's thread only; whatever comes from elsewhere goes
/// there first. Once the loop is closed, the stream has ended and is touched no more.
final class HTTPChunkStream: @unchecked Sendable {
    private let remote: any LoopRemote
    private var chunk: [UInt8]?
    private var end: Result<HTTPFields?, any Error>?
    private var reader: CheckedContinuation<[UInt8]?, any Error>?
    private var isStarted = false

    /// Starts the source, when the first chunk is asked for.
    var onStart: (() -> Void)?
    /// Tells the source to wait, and to go on.
    var onPause: ((Bool) -> Void)?

    init(remote: any LoopRemote) {
        self.remote = remote
    }

    // MARK: On the loop

    /// The trailers, once the end has come.
    var trailers: HTTPFields? {
        if case .success(let fields)? = end { fields } else { nil }
    }

    func push(_ bytes: Span<UInt8>) {
        let copy = [UInt8](copying: bytes)
        if let reader {
            self.reader = nil
            reader.resume(returning: copy)
        } else if var waiting = chunk {
            // What the source had in hand when it was told to wait.
            chunk = nil
            waiting += copy
            chunk = waiting
        } else {
            chunk = copy
            onPause?(true)
        }
    }

    func finish(_ result: Result<HTTPFields?, any Error>) {
        guard end == nil else { return }
        end = result
        onStart = nil
        onPause = nil
        guard let reader else { return }
        self.reader = nil
        answer(reader)
    }

    private func answer(_ reader: CheckedContinuation<[UInt8]?, any Error>) {
        switch end {
        case .failure(let error)?: reader.resume(throwing: error)
        case .success?: reader.resume(returning: nil)
        case nil: self.reader = reader
        }
    }

    private func read(_ continuation: CheckedContinuation<[UInt8]?, any Error>) {
        guard reader == nil else {
            return continuation.resume(throwing: HTTPServerError.misuse("a body is read by one task at a time"))
        }
        if let waiting = chunk {
            chunk = nil
            continuation.resume(returning: waiting)
            onPause?(false)
            return
        }
        answer(continuation)
        guard !isStarted else { return }
        isStarted = true
        let start = onStart
        onStart = nil
        start?()
    }

    private func cancelRead() {
        guard let reader else { return }
        self.reader = nil
        reader.resume(throwing: CancellationError())
    }

    // MARK: From anywhere

    /// The next chunk; nil at the end.
    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if !remote.perform({ self.read(continuation) }) {
                    continuation.resume(throwing: TransportError.loopClosed)
                }
            }
        } onCancel: {
            remote.perform { self.cancelRead() }
        }
    }

    /// The trailers, asked for from anywhere; nil before the end.
    func readTrailers() async -> HTTPFields? {
        await withCheckedContinuation { continuation in
            if !remote.perform({ continuation.resume(returning: self.trailers) }) {
                continuation.resume(returning: nil)
            }
        }
    }
}

/// A message's body as a task reads it: chunks as they come, never more than one ahead of the reader.
///
/// To be read once, by one task at a time. Iterating throws if the body breaks off.
public struct HTTPBodyChunks: AsyncSequence, Sendable {
    /// Nil for a message without a body.
    let stream: HTTPChunkStream?
    /// What keeps the source going; gone with the last copy.
    var lease: HTTPClientLease?

    /// Reads chunks.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: HTTPChunkStream?
        let lease: HTTPClientLease?

        /// The next chunk, never empty; nil at the end.
        public func next() async throws -> [UInt8]? {
            try await stream?.next()
        }
    }

    /// An iterator.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: stream, lease: lease) }

    /// The whole body, up to `limit` bytes.
    ///
    /// - Throws: `HTTPBodyTooLarge` for more.
    public func collect(limit: Int) async throws -> [UInt8] {
        var body: [UInt8] = []
        for try await chunk in self {
            guard body.count + chunk.count <= limit else { throw HTTPBodyTooLarge(limit: limit) }
            body = body.isEmpty ? chunk : body + chunk
        }
        return body
    }

    /// The trailer fields, once the end was read; nil if there are none.
    public var trailers: HTTPFields? {
        get async { await stream?.readTrailers() }
    }
}

/// A body of more bytes than `HTTPBodyChunks.collect` was told to take; a server's handler that throws it answers 413.
public struct HTTPBodyTooLarge: Error, CustomStringConvertible {
    /// The limit, in bytes.
    public let limit: Int

    /// One sentence.
    public var description: String { "the body is greater than \(limit) bytes" }
}
