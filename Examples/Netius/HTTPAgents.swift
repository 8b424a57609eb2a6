import Anyloop

// begin: hello-server
func helloServer(on loop: any Loop, port: UInt16 = 8080) throws -> HTTPServer {
    let server = HTTPServer(loop: loop) { exchange in
        var response = HTTPResponse(status: .ok)
        response.headerFields[.contentType] = "text/plain"
        exchange.respond(response, body: Array("Hello World".utf8))
    }
    try server.listen(on: [.loopback(port: port)])
    return server
}
// end: hello-server

// begin: file-server
func fileServer(on loop: any Loop, root: String, port: UInt16 = 8080) throws -> HTTPServer {
    let files = try StaticFiles(root: root)
    let server = HTTPServer(loop: loop) { exchange in files.handle(exchange) }
    try server.listen(on: [.loopback(port: port)])
    return server
}
// end: file-server

// begin: http-client-synchronous
func getSynchronously(_ url: String, on loop: any TaskLoop) throws {
    let client = HTTPClient(loop: loop)
    defer { client.close() }
    let get = try request(url)
    let response = try loop.runUntilComplete { [handle = client.handle] in try await handle.fetch(get) }
    print(text(response.body))
}
// end: http-client-synchronous

// begin: http-client-asynchronous
func getInPieces(_ url: String, on loop: any Loop) throws {
    let client = HTTPClient(loop: loop)
    let task = try HTTPClientTask(request(url))
    task.onBody = { data in print(text(data)) }
    task.onEnd = { _ in client.close() }
    task.onError = { error in
        print("\(error)")
        client.close()
    }
    client.start(task)
}
// end: http-client-asynchronous

// begin: reverse-proxy
func reverseProxy(on loop: any Loop, to upstream: Endpoint, port: UInt16 = 8080) throws -> HTTPServer {
    let client = HTTPClient(loop: loop)
    let server = HTTPServer(loop: loop) { exchange in
        // Whole bodies, up to a limit: a proxy that streams pauses and resumes both sides instead.
        exchange.collectBody(limit: 1 << 20) { body, _ in
            client.fetch(exchange.request, body: .bytes(body), via: upstream) { result in
                switch result {
                case .success(let response): exchange.respond(response.head, body: response.body)
                case .failure: exchange.respond(HTTPResponse(status: .badGateway))
                }
            }
        }
    }
    try server.listen(on: [.loopback(port: port)])
    return server
}
// end: reverse-proxy
