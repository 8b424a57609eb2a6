/// How an `HTTPClient` treats its proxy.
public struct HTTPProxyOptions: Sendable {
    /// Who we are to the proxy; sent with each request to it, never through it.
    public var login: HTTPBasicLogin?
    /// Whether `http` requests go through a tunnel, too, instead of in absolute form.
    public var tunnelsEverything = false
    /// From the request for a tunnel to the end of the proxy's answer.
    public var tunnelTimeout = Duration.seconds(30)

    /// The defaults.
    public init() {}
}
