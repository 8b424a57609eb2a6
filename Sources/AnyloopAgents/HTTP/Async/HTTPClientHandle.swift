import AnyloopCore
import HTTPTypes

/// An `HTTPClient` as tasks use it, on any thread.
public struct HTTPClientHandle: Sendable {
    private let client: LoopBound<HTTPClient>
    private let remote: any LoopRemote

    init(_ client: HTTPClient) {
        remote = client.loop.remote
        self.client = LoopBound(client, to: remote)
    }

    /// Sends `request` and collects the response, its body up to `limit` bytes; see `HTTPClient.fetch`.
    ///
    /// Cancelling the task cancels the request.
    public func fetch(
        _ request: HTTPRequest, body: HTTPClientBody = .none, via: Endpoint? = nil, limit: Int = 16 << 20
    ) async throws -> HTTPClientResponse {
        let response = try await send(request, body: body, via: via)
        do {
            let bytes = try await response.body.collect(limit: limit)
            return HTTPClientResponse(
                head: response.head, body: bytes, trailers: await response.body.trailers, request: response.request,
                redirectCount: response.redirectCount)
        } catch is HTTPBodyTooLarge {
            response.cancel()
            throw HTTPClientError.bodyTooLarge(limit: limit)
        }
    }

    /// Sends `request` and returns as soon as the response's head is here; its body follows chunk by chunk.
    ///
    /// Letting go of the response and its body gives up on the rest.
    public func send(
        _ request: HTTPRequest, body: HTTPClientBody = .none, via: Endpoint? = nil
    ) async throws -> HTTPStreamedResponse {
        if case .stream = body { throw HTTPClientError.badRequest("a body is streamed with send(_:uploading:)") }
        return try await start(request, body: body, via: via, upload: nil)
    }

    /// Sends `request` with the chunks of `upload` as its body, as fast as the server takes them.
    ///
    /// - Parameter length: the body's length; nil sends chunks.
    public func send<Upload: AsyncSequence & Sendable>(
        _ request: HTTPRequest, uploading upload: Upload, length: Int64? = nil, via: Endpoint? = nil
    ) async throws -> HTTPStreamedResponse where Upload.Element == [UInt8] {
        try await start(request, body: .stream(length: length), via: via) { bridge in
            for try await chunk in upload where try await !bridge.write(chunk) { return }
            try await bridge.finishBody()
        }
    }

    private func start(
        _ request: HTTPRequest, body: HTTPClientBody, via: Endpoint?,
        upload: (@Sendable (HTTPClientBridge) async throws -> Void)?
    ) async throws -> HTTPStreamedResponse {
        let bridge = HTTPClientBridge(remote: remote)
        let client = client
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOpen = remote.perform {
                    let task = HTTPClientTask(request, body: body, via: via)
                    if bridge.begin(task, continuation, upload) { client.value.start(task) }
                }
                if !isOpen { continuation.resume(throwing: TransportError.loopClosed) }
            }
        } onCancel: {
            bridge.cancel()
        }
    }
}

extension HTTPClient {
    /// This client for tasks.
    public var handle: HTTPClientHandle { HTTPClientHandle(self) }
}

/// A response whose body is on its way.
public struct HTTPStreamedResponse: Sendable {
    /// Status and fields; of a decoded body without `Content-Encoding` and `Content-Length`.
    public let head: HTTPResponse
    /// The body, its content coding undone.
    public let body: HTTPBodyChunks
    /// The request that was answered: after redirects not the one that was made.
    public let request: HTTPRequest
    /// Redirects that were followed.
    public let redirectCount: Int

    /// Gives up on the rest of the body.
    public func cancel() {
        body.lease?.cancel()
    }
}

/// A hold on a response's body: without one nobody will read the rest, and the connection is freed for others.
final class HTTPClientLease: Sendable {
    private let bridge: HTTPClientBridge

    init(_ bridge: HTTPClientBridge) {
        self.bridge = bridge
    }

    func cancel() {
        bridge.cancel()
    }

    deinit {
        bridge.cancel()
    }
}

/// A client's task as Swift tasks reach it.
///
/// `@unchecked Sendable`: all state is touched on the loop's thread only; whatever comes from elsewhere goes there
/// first. Once the loop is closed, the task is over and nothing is touched any more.
final class HTTPClientBridge: @unchecked Sendable {
    private let remote: any LoopRemote
    private let body: HTTPChunkStream
    private var task: HTTPClientTask?
    private var upload: Task<Void, Never>?
    private var continuation: CheckedContinuation<HTTPStreamedResponse, any Error>?
    private var writer: CheckedContinuation<Bool, any Error>?
    private var isCancelled = false

    init(remote: any LoopRemote) {
        self.remote = remote
        body = HTTPChunkStream(remote: remote)
    }

    // MARK: On the loop

    /// Ties `task` to this; false if it was cancelled before it began.
    func begin(
        _ task: HTTPClientTask, _ continuation: CheckedContinuation<HTTPStreamedResponse, any Error>,
        _ uploading: (@Sendable (HTTPClientBridge) async throws -> Void)?
    ) -> Bool {
        guard !isCancelled else {
            continuation.resume(throwing: HTTPClientError.cancelled)
            return false
        }
        self.task = task
        self.continuation = continuation
        body.onPause = { [unowned task] in $0 ? task.pauseBody() : task.resumeBody() }
        task.onResponse = { [self] head in
            let response = HTTPStreamedResponse(
                head: head, body: HTTPBodyChunks(stream: body, lease: HTTPClientLease(self)),
                request: task.currentRequest, redirectCount: task.redirectCount)
            self.continuation?.resume(returning: response)
            self.continuation = nil
        }
        task.onBody = { [body] in body.push($0) }
        task.onEnd = { [self] in over(.success($0)) }
        task.onError = { [self] in over(.failure($0)) }
        task.onWritable = { [self] in resumeWriter() }
        if let uploading {
            task.onBodyWanted = { [self] in
                upload = Task {
                    do {
                        try await uploading(self)
                    } catch {
                        self.cancel()
                    }
                }
            }
        }
        return true
    }

    private func over(_ result: Result<HTTPFields?, any Error>) {
        task = nil
        upload?.cancel()
        upload = nil
        writer?.resume(returning: false)
        writer = nil
        body.finish(result)
        guard let continuation else { return }
        self.continuation = nil
        if case .failure(let error) = result { continuation.resume(throwing: error) }
    }

    private func resumeWriter() {
        guard let writer else { return }
        self.writer = nil
        settle(writer)
    }

    private func settle(_ writer: CheckedContinuation<Bool, any Error>) {
        guard let task, !task.isRequestStopped else { return writer.resume(returning: false) }
        if task.isWritable { writer.resume(returning: true) } else { self.writer = writer }
    }

    // MARK: From anywhere

    /// Writes a piece of the body and waits until the server takes more; false if it wants no more.
    func write(_ bytes: [UInt8]) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            let isOpen = remote.perform { [self] in
                do {
                    try task?.write(bytes)
                    settle(continuation)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            if !isOpen { continuation.resume(returning: false) }
        }
    }

    func finishBody() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let isOpen = remote.perform { [self] in
                continuation.resume(with: Result { try task?.finish() })
            }
            if !isOpen { continuation.resume() }
        }
    }

    func cancel() {
        remote.perform { [self] in
            isCancelled = true
            task?.cancel()
        }
    }
}
