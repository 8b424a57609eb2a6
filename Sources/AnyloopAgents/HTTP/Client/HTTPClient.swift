import AnyloopCore
import HTTPTypes

/// An HTTP/1.1 client with a pool of connections. Confined to its loop's thread.
///
/// Requests of an idempotent method are sent once more if a pooled connection turns out to be dead before a byte
/// of the response came (RFC 9112 §9.3.1); nothing else is ever repeated.
public final class HTTPClient {
    /// The loop it runs on.
    public let loop: any Loop
    /// The options in force.
    public let options: HTTPClientOptions
    let pool: HTTPConnectionPool

    /// A client on `loop` without connections yet.
    public init(loop: any Loop, options: HTTPClientOptions = HTTPClientOptions()) {
        self.loop = loop
        self.options = options
        pool = HTTPConnectionPool(loop: loop, options: options)
    }

    deinit {
        pool.close()
    }

    /// Connections that are open or being made.
    public var connectionCount: Int { pool.connectionCount }

    /// Connections that were ever begun, so that reuse can be counted.
    public var connectionsMade: Int { pool.connectionsMade }

    /// Connections that no request uses.
    public var idleConnectionCount: Int { pool.idleCount }

    /// Starts `task`; its callbacks come later, never inside this call.
    public func start(_ task: HTTPClientTask) {
        task.begin(self)
    }

    /// Sends `request` and collects the response, its body up to `limit` bytes.
    ///
    /// `request` needs `scheme` (`http` or `https`) and `authority`. `via` connects elsewhere, for example to a Unix socket.
    @discardableResult
    public func fetch(
        _ request: HTTPRequest, body: HTTPClientBody = .none, via: Endpoint? = nil, limit: Int = 16 << 20,
        completion: @escaping (Result<HTTPClientResponse, HTTPClientError>) -> Void
    ) -> HTTPClientTask {
        let task = HTTPClientTask(request, body: body, via: via)
        var head = HTTPResponse(status: .ok)
        var bytes: [UInt8] = []
        task.onResponse = { head = $0 }
        task.onBody = { piece in
            guard bytes.count + piece.count <= limit else { throw HTTPClientError.bodyTooLarge(limit: limit) }
            bytes.append(copying: piece)
        }
        task.onEnd = { [unowned task] trailers in
            completion(
                .success(
                    HTTPClientResponse(
                        head: head, body: bytes, trailers: trailers, request: task.currentRequest,
                        redirectCount: task.redirectCount)))
        }
        task.onError = { completion(.failure($0)) }
        start(task)
        return task
    }

    /// Closes idle connections now, and the others once their response is complete.
    public func close() {
        pool.close()
    }
}

/// A whole response.
public struct HTTPClientResponse: Sendable {
    /// Status and fields; of a decoded body without `Content-Encoding` and `Content-Length`.
    public var head: HTTPResponse
    /// The body, its content coding undone.
    public var body: [UInt8]
    /// The trailer fields, if there were any.
    public var trailers: HTTPFields?
    /// The request that was answered: after redirects not the one that was made.
    public var request: HTTPRequest
    /// Redirects that were followed.
    public var redirectCount: Int
}
