import AnyloopCore
import AnyloopTLS
import AnyloopWire

/// How an `HTTPClient` connects, pools, follows and decodes; every limit's value is the greatest accepted.
public struct HTTPClientOptions: Sendable {
    /// How each connection treats its requests: parser limits, and the time-outs of head, body and idling.
    public var connection = HTTPConnectionOptions()
    /// How connections are made; gives up after 30 seconds.
    public var connect: ConnectOptions
    /// Trust and settings for `https`; nil: the system's trusted roots, certificate and name checked, TLS 1.2 at
    /// least, `http/1.1` as application protocol.
    ///
    /// Clients that share a context resume each other's sessions.
    public var tls: TLSClientContext?
    /// How TLS connections begin and end; the handshake may take 30 seconds. A stream that ends without
    /// `close_notify` is an error, for its last response may be cut short (RFC 9112 §9.8).
    public var tlsOptions: TLSConnectionOptions
    /// A proxy through which all requests go: `http` in absolute form (RFC 9112 §3.2.2), `https` through a tunnel
    /// that `CONNECT` asks for (RFC 9110 §9.3.6).
    public var proxy: Endpoint?
    /// How the proxy is treated.
    public var proxyOptions = HTTPProxyOptions()

    /// Connections to one host at once.
    public var connectionsPerHost = 8
    /// Requests to one host that may wait for a connection, first come, first served.
    public var waitingLimit = 1024
    /// Redirects that are followed for one request; 0 gives 3xx responses to the application.
    public var redirectLimit = 10
    /// Whether a redirect from `https` to `http` is followed. Not by default: what was asked for in secret would go
    /// on in the clear, for anyone to read and to change. (Browsers' `fetch` and Java's client refuse it as well;
    /// curl, left to itself, follows.)
    public var followsRedirectsToPlainHTTP = false
    /// Bytes of a redirect's own body that are drained to keep the connection.
    public var redirectBodyLimit = 65536
    /// From the start of a request to its end, redirects and all; nil: no limit.
    public var totalTimeout: Duration?

    /// Whether gzip and deflate are asked for and undone. Not for requests that name `Accept-Encoding` or `Range`.
    public var decodesContent = true
    /// Bytes of a decoded body; a greater one fails, so that a small response cannot fill the memory.
    public var decodedBodyLimit = 256 << 20

    /// The defaults.
    public init() {
        connect = ConnectOptions()
        connect.timeout = .seconds(30)
        tlsOptions = TLSConnectionOptions()
        tlsOptions.handshakeTimeout = .seconds(30)
    }
}
