import AnyloopCore
import HTTPTypes

/// The way to a server: connections of the same route can stand in for each other.
struct HTTPRoute: Hashable {
    /// Where the socket leads: to the server, or to a proxy.
    let endpoint: Endpoint
    /// Whether the endpoint is the proxy.
    let isProxy: Bool
    /// The name in the proxy's certificate; nil: the proxy is reached in the clear.
    let proxyName: String?
    /// The host and port that a tunnel through the proxy leads to; nil: no tunnel.
    let tunnel: String?
    /// The name in the server's certificate; nil: plain HTTP.
    let serverName: String?

    /// The way that a request of `method` for `url` takes; `via` replaces the host, and any other proxy.
    init(to url: HTTPURL, method: HTTPRequest.Method, via: Endpoint?, options: HTTPClientOptions) {
        isProxy = options.proxy != nil && (via == nil || via == options.proxy)
        endpoint = via ?? options.proxy ?? .host(url.host, port: url.port)
        let proxyOptions = options.proxyOptions
        proxyName = isProxy && proxyOptions.isSecure ? proxyOptions.serverName ?? endpoint.hostName : nil
        let isSecure = url.scheme == "https"
        // A request for a tunnel of the application's own goes to the proxy as it is.
        let isTunnelled = isProxy && method != .connect && (isSecure || options.proxyOptions.tunnelsEverything)
        tunnel = isTunnelled ? "\(Endpoint.host(url.host, port: url.port))" : nil
        serverName = isSecure ? url.host : nil
    }
}

extension Endpoint {
    /// The host, as a certificate names it; a Unix socket is on this one.
    fileprivate var hostName: String {
        switch self {
        case .address(.unix): "localhost"
        case .address(let address): address.host
        case .host(let host, _): host
        }
    }
}
