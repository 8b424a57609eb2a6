/// The server that a scenario runs against.
public struct ScenarioTarget: Sendable {
    /// Which HTTP a client speaks to it; for curl only.
    public enum HTTPChoice: Sendable {
        /// HTTP/1.1, or what the step says.
        case http1
        /// HTTP/2 where the server chooses it in the handshake (ALPN, RFC 7301), else HTTP/1.1.
        case http2
        /// HTTP/2 from the first byte, without asking (RFC 9113 §3.3).
        case http2PriorKnowledge
    }

    /// The host, as a URL has it.
    public var host: String
    /// The port; unused with a Unix socket.
    public var port: UInt16
    /// The Unix socket to connect to instead.
    public var unixPath: String?
    /// What a client needs where the server speaks TLS; nil: it does not.
    public var certificates: ScenarioCertificates?
    /// Which HTTP curl speaks to it.
    public var http = HTTPChoice.http1

    /// A server at `host` and `port`, or behind `unixPath`.
    public init(
        host: String = "127.0.0.1", port: UInt16, unixPath: String? = nil, certificates: ScenarioCertificates? = nil
    ) {
        self.host = host
        self.port = port
        self.unixPath = unixPath
        self.certificates = certificates
    }

    /// `https` over TLS, else `http`.
    public var scheme: String { certificates == nil ? "http" : "https" }

    /// The URL of `path` on this server; `host` stands for another name of it, `isPlain` leaves TLS out.
    public func url(_ path: String, host name: String? = nil, isPlain: Bool = false) -> String {
        let scheme = isPlain ? "http" : scheme
        return unixPath == nil ? "\(scheme)://\(name ?? host):\(port)\(path)" : "\(scheme)://localhost\(path)"
    }
}
