import AnyloopCore
import HTTPTypes

/// The way to a server: connections of the same route can stand in for each other.
struct HTTPRoute: Hashable {
    /// Where the socket leads: to the server, or to a proxy.
    let endpoint: Endpoint
    /// Whether the endpoint is the proxy.
    let isProxy: Bool
    /// The host and port that a tunnel through the proxy leads to; nil: no tunnel.
    let tunnel: String?
    /// The name in the server's certificate; nil: plain HTTP.
    let serverName: String?

    /// The way that a request of `method` for `url` takes; `via` replaces the host, and any other proxy.
    init(to url: HTTPURL, method: HTTPRequest.Method, via: Endpoint?, options: HTTPClientOptions) {
        isProxy = options.proxy != nil && (via == nil || via == options.proxy)
        endpoint = via ?? options.proxy ?? .host(url.host, port: url.port)
        let isSecure = url.scheme == "https"
        // A request for a tunnel of the application's own goes to the proxy as it is.
        let isTunnelled = isProxy && method != .connect && (isSecure || options.proxyOptions.tunnelsEverything)
        tunnel = isTunnelled ? "\(Endpoint.host(url.host, port: url.port))" : nil
        // A name's final dot is for the resolver; certificates have none (RFC 6066 §3).
        serverName = isSecure ? url.host.last == "." ? String(url.host.dropLast()) : url.host : nil
    }
}
