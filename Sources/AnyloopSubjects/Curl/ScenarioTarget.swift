/// The server that a scenario runs against.
public struct ScenarioTarget: Sendable {
    /// The host, as a URL has it.
    public var host: String
    /// The port; unused with a Unix socket.
    public var port: UInt16
    /// The Unix socket to connect to instead.
    public var unixPath: String?

    /// A server at `host` and `port`, or behind `unixPath`.
    public init(host: String = "127.0.0.1", port: UInt16, unixPath: String? = nil) {
        self.host = host
        self.port = port
        self.unixPath = unixPath
    }

    /// The URL of `path` on this server.
    public func url(_ path: String) -> String {
        unixPath == nil ? "http://\(host):\(port)\(path)" : "http://localhost\(path)"
    }
}
