// begin: server
import Anyloop

// end: server

/// README's server; `isReady` is called before it runs.
func runHelloServer(port: UInt16 = 8080, _ isReady: @escaping (any Loop, HTTPServer) -> Void) throws {
    // begin: server
    let loop = try NativeLoop()
    let server = HTTPServer(loop: loop) { exchange in
        exchange.respond(HTTPResponse(status: .ok), body: Array("hello, world\n".utf8))
    }
    try server.listen(on: [.loopback(port: port)])
    // end: server
    isReady(loop, server)
    // begin: server
    try loop.run()
    // end: server
    loop.closeLoop()
}
