import Anyloop

// begin: tls-echo-server
func echoOverTLS(on loop: any TaskLoop, identity: TLSIdentity, port: UInt16 = 8443) async throws -> AsyncServer {
    let context = try TLSServerContext(TLSServerOptions(identity: identity))
    // A source: put another context into it to renew the certificate.
    let source = TLSServerContextSource(context)
    return try await loop.startServer(host: "127.0.0.1", port: port, tls: source) { reader, writer in
        for try await line in reader.lines {
            writer.write(line)
            try await writer.drain()
        }
        writer.close()
    }
}
// end: tls-echo-server

// begin: tls-echo-client
func askOverTLS(_ message: String, trusting trust: TLSTrust = .system, port: UInt16 = 8443, on loop: any TaskLoop)
    async throws
{
    var options = TLSClientOptions()
    options.trust = trust
    let context = try TLSClientContext(options)
    // The certificate has to be made for "localhost".
    let (reader, writer) = try await loop.openConnection(host: "localhost", port: port, tls: context)
    if let info = writer.transport.tls { print("\(info.version), \(info.cipher)") }

    writer.write(Array("\(message)\n".utf8))
    print("Received: \(text(try await reader.readLine()))")

    // Says close_notify, and waits for the peer's.
    writer.close()
    try await writer.waitClosed()
}
// end: tls-echo-client

// begin: start-tls
func serveStartTLS(on loop: any TaskLoop, identity: TLSIdentity, port: UInt16 = 8025) async throws -> AsyncServer {
    let context = try TLSServerContext(TLSServerOptions(identity: identity))
    return try await loop.startServer(host: "127.0.0.1", port: port) { reader, writer in
        guard text(try await reader.readLine()) == "STARTTLS\r\n" else { return writer.close() }
        writer.write(Array("220 ready\r\n".utf8))
        try await writer.startTLS(context)
        writer.write(Array("250 you said ".utf8) + (try await reader.readLine()))
        writer.close()
    }
}

func upgradeToTLS(trusting trust: TLSTrust = .system, port: UInt16 = 8025, on loop: any TaskLoop) async throws {
    var options = TLSClientOptions()
    options.trust = trust
    let (reader, writer) = try await loop.openConnection(host: "localhost", port: port)
    writer.write(Array("STARTTLS\r\n".utf8))
    print("In the clear: \(text(try await reader.readLine()))")

    try await writer.startTLS(TLSClientContext(options), serverName: "localhost")
    writer.write(Array("a secret\r\n".utf8))
    print("Over TLS: \(text(try await reader.readLine()))")
    writer.close()
    try await writer.waitClosed()
}
// end: start-tls
