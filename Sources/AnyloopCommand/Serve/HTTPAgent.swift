import AnyloopAgents
import AnyloopCore
import AnyloopHarness
import AnyloopTLS
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

    init(_ place: ServedPlace, answers: Answers) throws {
        let (loop, settings) = (place.loop, place.settings)
        var options = HTTPServerOptions()
        options.idleTimeout = settings.keepAliveTimeout
        options.headerTimeout = settings.headerTimeout
        options.bodyTimeout = settings.bodyTimeout
        options.writeTimeout = settings.writeTimeout
        options.requestLimit = settings.requestLimit
        if let limit = settings.bodyLimit { options.limits.bodySize = limit }
        options.logger = place.logger
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
        let addresses = try place.addresses
        if let tls = place.tls {
            try server.listen(on: addresses, options: settings.serverOptions, tls: tls)
        } else {
            try server.listen(on: addresses, options: settings.serverOptions)
        }
        address = server.addresses.first
        let scheme = place.tls == nil ? "http" : "https"
        places = server.addresses.map { address in
            if case .unix(let path) = address { "\(scheme)+unix:\(path)" } else { "\(scheme)://\(address)" }
        }
    }

    func close(grace: Duration, completion: @escaping () -> Void) {
        server.close(grace: grace, completion: completion)
    }

    private static let textHead = HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"])
}

/// An echo server over TCP and UDP, over a Unix socket, or over TLS, as `anyloop serve` runs it.
final class EchoAgent: ServedAgent {
    private let server: EchoServer
    let places: [String]
    let address: SocketAddress?

    init(_ place: ServedPlace) throws {
        let settings = place.settings
        server = EchoServer(loop: place.loop)
        if let tls = place.tls {
            try server.listen(on: try place.addresses, options: settings.serverOptions, tls: tls)
        } else {
            try server.listen(on: try place.addresses, options: settings.serverOptions)
        }
        address = server.addresses.first
        let scheme = place.tls == nil ? "tcp" : "tls"
        var places = server.addresses.map { address in
            if case .unix = address { "\(address)" } else { "\(scheme)://\(address)" }
        }
        // Datagrams are in the clear: none beside TLS.
        for bound in server.addresses where bound.port != nil && place.tls == nil {
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

/// Where and how one worker serves.
struct ServedPlace {
    let loop: any Loop
    let settings: ServeSettings
    /// What the first worker bound; nil for that one.
    let shared: SocketAddress?
    /// What connections are served with; nil: in the clear.
    let tls: TLSServerContextSource?
    let logger: Logger

    /// The addresses to listen on; throws as `ServeSettings.addresses` does.
    var addresses: [SocketAddress] {
        get throws(SettingError) { try settings.addresses(sharing: shared) }
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
