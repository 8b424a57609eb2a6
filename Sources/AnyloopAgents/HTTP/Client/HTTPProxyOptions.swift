import AnyloopTLS

/// How an `HTTPClient` treats its proxy.
public struct HTTPProxyOptions: Sendable {
    /// Who we are to the proxy; sent with each request to it, never through it.
    public var login: HTTPBasicLogin?
    /// Whether `http` requests go through a tunnel, too, instead of in absolute form.
    public var tunnelsEverything = false
    /// From the request for a tunnel to the end of the proxy's answer.
    public var tunnelTimeout = Duration.seconds(30)

    /// Whether the proxy itself is reached over TLS; tunnels for `https` are then TLS inside of TLS.
    public var isSecure = false
    /// The name in the certificate of such a proxy; nil: the host of its endpoint.
    public var serverName: String?
    /// Trust and settings for such a proxy; nil: those of `HTTPClientOptions.tls`.
    public var tls: TLSClientContext?

    /// The defaults.
    public init() {}
}
