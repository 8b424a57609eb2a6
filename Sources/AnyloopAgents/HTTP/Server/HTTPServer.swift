import AnyloopCore
import AnyloopTLS

/// An HTTP/1.1 server: listens, and gives each request to a handler. Confined to its loop's thread.
public final class HTTPServer {
    /// The loop it runs on.
    public let loop: any Loop
    /// What its connections share; its `makeProtocol` serves connections from elsewhere, too.
    public let service: HTTPService
    private var servers: [any Server] = []

    /// What it speaks, by the names of ALPN (RFC 7301 §6); for `TLSSettings.applicationProtocols`.
    ///
    /// Without any in its context it does not refuse clients that would speak HTTP/2 alone, but cannot serve them.
    public static let applicationProtocols = ["http/1.1", "http/1.0"]

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

    /// Listens for HTTPS on all of `addresses` or, on an error, on none. May be called again.
    ///
    /// Each new connection takes the source's current context, so a certificate is renewed by setting that. A plain
    /// HTTP request gets a plain 400 that says what to do; failed handshakes are logged at `info`. A close says
    /// `close_notify`, and drops what still comes until the peer has said it, too.
    ///
    /// - Parameter tlsOptions: nil: a handshake may take `headerTimeout`, a close `lingerTimeout`.
    /// - Throws: `TransportError.usage` for a context that offers a protocol which is not in `applicationProtocols`.
    public func listen(
        on addresses: [SocketAddress], options: ServerOptions = ServerOptions(), tls source: TLSServerContextSource,
        tlsOptions: TLSConnectionOptions? = nil
    ) throws(TransportError) {
        let offered = source.current.options.settings.applicationProtocols
        if let other = offered.first(where: { !Self.applicationProtocols.contains($0) }) {
            throw .usage("an HTTPServer does not speak '\(other)': offer 'http/1.1' and 'http/1.0', or nothing")
        }
        let service = service
        let server = try loop.createServer(
            on: addresses, options: options, tls: source, tlsOptions: tlsOptions ?? service.tlsOptions,
            handshakeFailed: { service.handshakeFailed($0?.peerName, $1) },
            protocolFactory: { service.makeProtocol() })
        servers.append(server)
    }

    /// Listens for HTTPS with one context for all connections.
    public func listen(
        on addresses: [SocketAddress], options: ServerOptions = ServerOptions(), tls context: TLSServerContext,
        tlsOptions: TLSConnectionOptions? = nil
    ) throws(TransportError) {
        try listen(on: addresses, options: options, tls: TLSServerContextSource(context), tlsOptions: tlsOptions)
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
