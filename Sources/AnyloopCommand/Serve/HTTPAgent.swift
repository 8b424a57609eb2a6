import AnyloopAgents
import AnyloopCore
import AnyloopHarness
import AnyloopWire
import HTTPTypes
import Logging

/// An HTTP server as `anyloop serve` runs it.
final class HTTPAgent: ServedAgent {
    /// What a request gets.
    enum Answers {
        /// The files beneath a folder.
        case files(String)
        /// These bytes of text, from a callback.
        case text([UInt8])
        /// The same, from a task for each request.
        case textFromTask([UInt8])
    }

    /// What `hello` says: a line, or so many bytes.
    static func greeting(size: Int?) -> [UInt8] {
        size.map { [UInt8](repeating: UInt8(ascii: "x"), count: $0) } ?? Array("hello, world\n".utf8)
    }

    private let server: HTTPServer
    let places: [String]
    let address: SocketAddress?

    init(
        loop: any Loop, settings: ServeSettings, sharing shared: SocketAddress?, answers: Answers, logger: Logger
    ) throws {
        var options = HTTPServerOptions()
        options.idleTimeout = settings.keepAliveTimeout
        options.headerTimeout = settings.headerTimeout
        options.bodyTimeout = settings.bodyTimeout
        options.writeTimeout = settings.writeTimeout
        options.requestLimit = settings.requestLimit
        if let limit = settings.bodyLimit { options.limits.bodySize = limit }
        options.logger = logger
        switch answers {
        case .files(let root):
            let files = try StaticFiles(root: root)
            server = HTTPServer(loop: loop, options: options) { files.handle($0) }
        case .text(let body):
            server = HTTPServer(loop: loop, options: options) { $0.respond(Self.textHead, body: body) }
        case .textFromTask(let body):
            server = HTTPServer(loop: loop, options: options) { _, _, response in
                try await response.respond(Self.textHead, body: body)
            }
        }
        try server.listen(on: try settings.addresses(sharing: shared), options: settings.serverOptions)
        address = server.addresses.first
        places = server.addresses.map { address in
            if case .unix(let path) = address { "http+unix:\(path)" } else { "http://\(address)" }
        }
    }

    func close(grace: Duration, completion: @escaping () -> Void) {
        server.close(grace: grace, completion: completion)
    }

    private static let textHead = HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"])
}

/// An echo server over TCP and UDP, or over a Unix socket, as `anyloop serve` runs it.
final class EchoAgent: ServedAgent {
    private let server: EchoServer
    let places: [String]
    let address: SocketAddress?

    init(loop: any Loop, settings: ServeSettings, sharing shared: SocketAddress?) throws {
        server = EchoServer(loop: loop)
        try server.listen(on: try settings.addresses(sharing: shared), options: settings.serverOptions)
        address = server.addresses.first
        var places = server.addresses.map { address in
            if case .unix = address { "\(address)" } else { "tcp://\(address)" }
        }
        for bound in server.addresses where bound.port != nil {
            var options = DatagramOptions()
            options.reusePort = settings.workers > 1
            try server.bindDatagram(bound, options: options)
            places.append("udp://\(bound)")
        }
        self.places = places
    }

    func close(grace: Duration, completion: @escaping () -> Void) {
        server.close(grace: grace, completion: completion)
    }
}

extension ServeSettings {
    /// Where to listen: what the first worker bound, the Unix socket, or host and port.
    ///
    /// - Throws: `SettingError` for a host that is no address, or a Unix socket for several workers.
    func addresses(sharing shared: SocketAddress?) throws(SettingError) -> [SocketAddress] {
        if !unixPath.isEmpty {
            guard workers == 1 else {
                throw SettingError("--unix-path: a Unix socket cannot be shared by workers; use --workers 1")
            }
            return [.unix(path: unixPath)]
        }
        if let shared { return [shared] }
        if host == "localhost" { return [.loopback(port: port)] }
        guard let address = SocketAddress(literal: host, port: port) else {
            throw SettingError("--host or HOST: expected an IP address or localhost, found '\(host)'")
        }
        return [address]
    }

    /// How the listening sockets are made.
    var serverOptions: ServerOptions {
        var options = ServerOptions()
        options.backlog = backlog
        options.reusePort = workers > 1
        options.connectionLimit = connectionLimit
        return options
    }
}
