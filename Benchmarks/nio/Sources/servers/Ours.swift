import Anyloop
import NIOBridge

/// Our HTTP server on a loop of this thread.
func serveOurs(on loop: any Loop, _ settings: Settings) throws {
    let body = settings.body
    let head = HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"])
    var options = HTTPServerOptions()
    options.idleTimeout = .seconds(600)
    let server = HTTPServer(loop: loop, options: options) { $0.respond(head, body: body) }
    let addresses = [SocketAddress.loopback(port: UInt16(clamping: settings.port))]
    if let identity = settings.identity {
        let identity = try TLSIdentity(
            certificateChainFile: identity.certificate, privateKeyFile: identity.key)
        let tls = TLSServerContextSource(try TLSServerContext(TLSServerOptions(identity: identity)))
        try server.listen(on: addresses, options: ServerOptions(), tls: tls)
    } else {
        try server.listen(on: addresses)
    }
    try loop.run()
}
