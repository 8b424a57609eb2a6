import AnyloopCore

/// An HTTP/1.1 server: listens, and gives each request to a handler. Confined to its loop's thread.
public final class HTTPServer {
    /// The loop it runs on.
    public let loop: any Loop
    /// What its connections share; its `makeProtocol` serves connections from elsewhere, too.
    public let service: HTTPService
    private var servers: [any Server] = []

    /// A server on `loop` that listens nowhere yet.
    public convenience init(
        loop: any Loop, options: HTTPServerOptions = HTTPServerOptions(), handler: @escaping HTTPService.Handler
    ) {
        self.init(loop: loop, service: HTTPService(options: options, handler: handler))
    }

    /// A server on `loop` for a service.
    public init(loop: any Loop, service: HTTPService) {
        self.loop = loop
        self.service = service
    }

    /// Listens on all of `addresses`, TCP or Unix, or, on an error, on none. May be called again.
    public func listen(
        on addresses: [SocketAddress], options: ServerOptions = ServerOptions()
    ) throws(TransportError) {
        let service = service
        servers.append(try loop.createServer(on: addresses, options: options) { service.makeProtocol() })
    }

    /// Listens on the Unix socket `path`.
    public func listen(unixPath path: String, options: ServerOptions = ServerOptions()) throws(TransportError) {
        try listen(on: [.unix(path: path)], options: options)
    }

    /// The bound addresses, with the real ports; empty once closed.
    public var addresses: [SocketAddress] { servers.flatMap(\.addresses) }

    /// Stops accepting, lets what is in flight finish for up to `grace`, then aborts what is left.
    ///
    /// Idle connections close now, the others with their next response, which says `Connection: close`.
    /// `completion` runs on the loop once the last connection is gone.
    public func close(grace: Duration = .seconds(30), completion: @escaping () -> Void = {}) {
        for server in servers { server.close() }
        servers.removeAll()
        let service = service
        service.shutDown()
        let timer = loop.callLater(grace) { service.abortAll() }
        service.whenEmpty(on: loop) {
            timer.cancel()
            completion()
        }
    }
}
