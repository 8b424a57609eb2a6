import Anyloop

/// README's HTTPS server.
func secureServer(
    on loop: any Loop, certificate: String = "cert.pem", key: String = "key.pem", port: UInt16 = 8443
) throws -> HTTPServer {
    // begin: secure-server
    let identity = try TLSIdentity(certificateChainFile: certificate, privateKeyFile: key)
    let context = try TLSServerContext(TLSServerOptions(identity: identity))
    let server = HTTPServer(loop: loop) { exchange in
        let version = exchange.tls?.version ?? "no TLS"
        exchange.respond(HTTPResponse(status: .ok), body: Array("hello over \(version)\n".utf8))
    }
    try server.listen(on: [.loopback(port: port)], tls: context)
    // end: secure-server
    return server
}

/// README's client that trusts one certificate.
func secureClient(on loop: any Loop, certificate: String = "cert.pem") throws -> HTTPClient {
    // begin: secure-client
    var tls = TLSClientOptions()  // left as it is, it trusts what the system trusts
    tls.trust = try TLSTrust.file(certificate)
    var options = HTTPClientOptions()
    options.tls = try TLSClientContext(tls)
    let client = HTTPClient(loop: loop, options: options)
    // end: secure-client
    return client
}
