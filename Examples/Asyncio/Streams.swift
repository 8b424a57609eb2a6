import Anyloop

// begin: stream-echo-client
func tcpEchoClient(_ message: String, port: UInt16 = 8888, on loop: any TaskLoop) async throws {
    let (reader, writer) = try await loop.openConnection(host: "127.0.0.1", port: port)

    print("Send: \(message)")
    writer.write(Array(message.utf8))
    try await writer.drain()

    let data = try await reader.read(100)
    print("Received: \(text(data))")

    print("Close the connection")
    writer.close()
    try await writer.waitClosed()
}
// end: stream-echo-client

// begin: stream-echo-server
func handleEcho(_ reader: StreamReader, _ writer: StreamWriter) async throws {
    let data = try await reader.read(100)
    let message = text(data)
    print("Received \(message) from \(writer.peerName?.description ?? "somewhere")")

    print("Send: \(message)")
    writer.write(data)
    try await writer.drain()

    print("Close the connection")
    writer.close()
    try await writer.waitClosed()
}

func tcpEchoServer(on loop: any TaskLoop, port: UInt16 = 8888) async throws {
    let server = try await loop.startServer(host: "127.0.0.1", port: port, handleEcho)
    print("Serving on \(server.addresses)")
    try await server.serveForever()
}
// end: stream-echo-server

// begin: http-headers
func printHTTPHeaders(_ url: HTTPURL, on loop: any TaskLoop) async throws {
    let (reader, writer) =
        if url.scheme == "https" {
            try await loop.openConnection(host: url.host, port: url.port, tls: TLSClientContext())
        } else {
            try await loop.openConnection(host: url.host, port: url.port)
        }
    let query = "HEAD \(url.path) HTTP/1.0\r\nHost: \(url.host)\r\n\r\n"

    writer.write(Array(query.utf8))
    for try await line in reader.lines {
        let header = text(line).filter { !$0.isNewline }
        if !header.isEmpty { print("HTTP header> \(header)") }
    }

    // Ignore the body, close the socket
    writer.close()
    try await writer.waitClosed()
}
// end: http-headers

// begin: wait-for-data
func waitForData(on loop: any TaskLoop) async throws {
    // Create a pair of connected sockets.
    let (near, far) = try socketPair()

    // Register the open socket to wait for data.
    let (reader, writer) = try await loop.openConnection(socket: near)

    // Simulate the reception of data from the network
    loop.callSoon { try send(far, "abc") }

    // Wait for data
    let data = try await reader.read(100)

    // Got data, we are done: close the socket
    print("Received: \(text(data))")
    writer.close()
    try await writer.waitClosed()

    // Close the second socket
    closeSocket(far)
}
// end: wait-for-data
