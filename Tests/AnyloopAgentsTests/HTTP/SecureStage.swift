import AnyloopAgents
import AnyloopCore
import AnyloopTLS
import AnyloopTesting
import HTTPTypes
import Testing

/// A certificate made for a test, and contexts with it.
struct TestIdentity {
    let identity: TLSIdentity

    init(_ names: String...) throws {
        identity = try TLSIdentity.selfSigned(names: names)
    }

    var trust: TLSTrust { .pem(identity.certificateChain) }

    /// A server's context, by default with HTTP/1.1 inside.
    func server(
        protocols: [String] = ["http/1.1"], clients: TLSServerOptions.ClientCertificates = .none
    ) throws -> TLSServerContext {
        var options = TLSServerOptions(identity: identity)
        options.settings.applicationProtocols = protocols
        options.clientCertificates = clients
        return try TLSServerContext(options)
    }

    /// The context of a client that trusts this certificate, and may have one of its own.
    func client(protocols: [String] = ["http/1.1"], own: TLSIdentity? = nil) throws -> TLSClientContext {
        var options = TLSClientOptions()
        options.settings.applicationProtocols = protocols
        options.trust = trust
        options.identity = own
        return try TLSClientContext(options)
    }
}

/// A client and an HTTPS server for `a` and `localhost` on one memory loop; the host `b` is the same machine.
final class SecureStage {
    let loop = MemoryLoop()
    let certificate: TestIdentity
    let source: TLSServerContextSource
    let server: HTTPServer
    let client: HTTPClient
    /// Handshakes that failed, as the server tells them.
    private(set) var failures: [TransportError] = []
    /// What the client was told of its connection's TLS with each response.
    private(set) var seen: [TLSInfo] = []

    init(
        clients: TLSServerOptions.ClientCertificates = .none, own: TLSIdentity? = nil,
        options change: (inout HTTPClientOptions) throws -> Void,
        handler: @escaping HTTPService.Handler = sayHello
    ) throws {
        certificate = try TestIdentity("a", "localhost", "*.example.org")
        source = TLSServerContextSource(try certificate.server(clients: clients))
        var serverOptions = HTTPServerOptions()
        serverOptions.sendsDate = false
        server = HTTPServer(loop: loop, options: serverOptions, handler: handler)
        var options = HTTPClientOptions()
        options.decodesContent = false
        options.tls = try certificate.client(own: own)
        try change(&options)
        client = HTTPClient(loop: loop, options: options)
        for host in ["a", "b", "www.example.org"] { loop.hosts[host] = [.loopback(port: 0)] }
        try server.listen(on: [.loopback(port: 443)], tls: source)
        server.service.onHandshakeFailure = { [unowned self] _, error in failures.append(error) }
    }

    convenience init(
        clients: TLSServerOptions.ClientCertificates = .none, own: TLSIdentity? = nil,
        handler: @escaping HTTPService.Handler = sayHello
    ) throws {
        try self.init(clients: clients, own: own, options: { _ in }, handler: handler)
    }

    deinit { loop.closeLoop() }

    /// Asks, by default for `https://a/`; what came of it.
    func fetch(
        _ path: String = "/", scheme: String = "https", authority: String = "a", method: HTTPRequest.Method = .get,
        _ fields: HTTPFields = [:], body: HTTPClientBody = .none
    ) -> Box<String> {
        let result = Box("pending")
        let task = HTTPClientTask(
            HTTPRequest(method: method, scheme: scheme, authority: authority, path: path, headerFields: fields),
            body: body)
        var text = ""
        task.onResponse = { [unowned self, unowned task] in
            text = "\($0.status.code) "
            if let info = task.tls { seen.append(info) }
        }
        task.onBody = { text += AnyloopAgentsTests.text($0) }
        task.onEnd = { _ in result.value = text }
        task.onError = { result.value = "error \($0)" }
        client.start(task)
        loop.runUntilIdle()
        return result
    }
}
