import AnyloopAgents
import AnyloopCore
import AnyloopHarness
import AnyloopWire
import HTTPTypes

/// The server side of the scenarios: the routes that `ScenarioCatalog` speaks of, on our `HTTPServer`.
///
/// Confined to its loop's thread.
final class ScenarioApplication {
    private let loop: any Loop
    private let files: StaticFiles
    private let gzipped: [UInt8]
    private let deflated: [UInt8]
    private let digest = DigestLogin(user: "ada", password: "lovelace", realm: "anyloop")
    private var stored: [String: [UInt8]] = [:]

    /// An application that serves `files`; throws if the folder is not there.
    init(loop: any Loop, files: ScenarioFiles) throws {
        self.loop = loop
        self.files = try StaticFiles(root: files.root)
        let text = Array(ScenarioFiles.text.utf8)
        gzipped = Compression.compress(text, .gzip) ?? []
        deflated = Compression.compress(text, .zlib) ?? []
    }

    /// Answers one request.
    func handle(_ exchange: HTTPServerExchange) throws {
        let request = exchange.request
        let target = request.path ?? "/"
        let parts = target.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        switch parts.first ?? "" {
        case "hello": hello(exchange, request.method)
        case "target", "http:": text(exchange, Self.target(of: request))
        case "method": text(exchange, request.method.rawValue)
        case "echo": echo(exchange, request.method)
        case "echo-stream": echoStream(exchange)
        case "status": respond(exchange, HTTPResponse.Status(code: Int(parts.last ?? "") ?? 200))
        case "close": text(exchange, "bye\n", fields: [.connection: "close"])
        case "upload": checkUpload(exchange)
        case "slow-upload": checkUpload(exchange, pause: .milliseconds(1))
        case "small-upload":
            exchange.collectBody(limit: 65536) { [unowned self] body, _ in
                text(exchange, "\(body.count)\n")
            }
        case "ignore": text(exchange, "ignored\n")
        case "refuse": respond(exchange, .forbidden)
        case "store": store(exchange, request.method, key: target)
        case "files", "basic-files": files.handle(exchange)
        default: try handleMore(exchange, request, parts)
        }
    }

    private func handleMore(_ exchange: HTTPServerExchange, _ request: HTTPRequest, _ parts: [String]) throws {
        switch parts.first ?? "" {
        case "redirect": redirect(exchange, Int(parts.last ?? "") ?? 302, to: "/method")
        case "chain":
            let left = Int(parts.last ?? "") ?? 1
            redirect(exchange, 302, to: left > 1 ? "/chain/\(left - 1)" : "/method")
        case "loop": redirect(exchange, 302, to: "/loop")
        case "cookie":
            if parts.last == "set" {
                text(exchange, "set\n", fields: [.setCookie: "taste=ginger; Path=/"])
            } else {
                text(exchange, request.headerFields[.cookie] ?? "")
            }
        case "basic": basic(exchange, request)
        case "digest": digest.answer(exchange, request)
        case "gzip": compressed(exchange, request)
        case "deflate": bytes(exchange, deflated, fields: [.contentEncoding: "deflate"])
        case "bytes": generate(exchange, count: Int(parts.last ?? "") ?? 0, announced: true)
        case "stream": generate(exchange, count: Int(parts.last ?? "") ?? 0, announced: false)
        case "chunked": generate(exchange, count: 65536, announced: false)
        case "large-head": text(exchange, "", fields: [Self.large: String(repeating: "v", count: 7000)])
        case "trailers":
            exchange.start(HTTPResponse(status: .ok))
            exchange.write(Array("abc".utf8))
            exchange.finish(trailers: [Self.sum: "294"])
        case "early-hints":
            exchange.sendInformational(
                HTTPResponse(status: .earlyHints, headerFields: [Self.link: "</a.css>; rel=preload"]))
            text(exchange, "hello, world\n")
        default: try handleEnds(exchange, parts.first ?? "")
        }
    }

    /// Routes that end badly, on purpose; and what there is to say of TLS.
    private func handleEnds(_ exchange: HTTPServerExchange, _ route: String) throws {
        struct OnPurpose: Error {}
        switch route {
        case "truncated":
            exchange.start(HTTPResponse(status: .ok, headerFields: [.contentLength: "1000"]))
            exchange.write(PatternBytes.bytes(count: 500))
            loop.callLater(.milliseconds(20)) { exchange.abort() }
        case "truncated-chunks":
            exchange.start(HTTPResponse(status: .ok))
            exchange.write(PatternBytes.bytes(count: 500))
            loop.callLater(.milliseconds(20)) { exchange.abort() }
        case "reset":
            exchange.start(HTTPResponse(status: .ok, headerFields: [.contentLength: "1000"]))
            exchange.write(PatternBytes.bytes(count: 500))
            loop.callLater(.milliseconds(20)) { exchange.reset() }
        case "no-answer": exchange.abort()
        case "throws": throw OnPurpose()
        case "throws-late":
            exchange.start(HTTPResponse(status: .ok, headerFields: [.contentLength: "16777216"]))
            exchange.write(PatternBytes.bytes(count: 1 << 23))
            exchange.onWritable = { throw OnPurpose() }
        case "never": break
        case "tls": text(exchange, Self.handshake(of: exchange))
        default: text(exchange, "not found\n", status: .notFound)
        }
    }

    // MARK: Routes

    private func hello(_ exchange: HTTPServerExchange, _ method: HTTPRequest.Method) {
        guard method == .get || method == .head else {
            return text(exchange, "", status: .methodNotAllowed, fields: [.allow: "GET, HEAD"])
        }
        text(exchange, "hello, world\n")
    }

    private func echo(_ exchange: HTTPServerExchange, _ method: HTTPRequest.Method) {
        exchange.collectBody(limit: 1 << 20) { [unowned self] body, _ in
            bytes(exchange, Array("\(method.rawValue) \(body.count)\n".utf8) + body)
        }
    }

    /// Sends each part back as it comes; stops taking while the peer doesn't take ours.
    private func echoStream(_ exchange: HTTPServerExchange) {
        exchange.start(HTTPResponse(status: .ok))
        exchange.onWritable = { [unowned exchange] in exchange.resumeBody() }
        exchange.readBody { [unowned exchange] chunk in
            exchange.write((0..<chunk.count).map { chunk[$0] })
            if !exchange.isWritable { exchange.pauseBody() }
        } onEnd: { [unowned exchange] _ in
            exchange.finish()
        }
    }

    /// Compares what comes with `PatternBytes`; with `pause`, takes a rest after each part.
    private func checkUpload(_ exchange: HTTPServerExchange, pause: Duration? = nil) {
        var count = 0
        var intact = true
        exchange.readBody { [unowned self, unowned exchange] chunk in
            for index in 0..<chunk.count where chunk[index] != PatternBytes.byte(at: count + index) { intact = false }
            count += chunk.count
            guard let pause else { return }
            exchange.pauseBody()
            loop.callLater(pause) { exchange.resumeBody() }
        } onEnd: { [unowned self] _ in
            text(exchange, "\(count) \(intact ? "intact" : "damaged")\n")
        }
    }

    private func store(_ exchange: HTTPServerExchange, _ method: HTTPRequest.Method, key: String) {
        guard method == .put else {
            guard let content = stored[key] else { return text(exchange, "not found\n", status: .notFound) }
            return bytes(exchange, content)
        }
        exchange.collectBody(limit: 1 << 22) { [unowned self] body, _ in
            let isNew = stored.updateValue(body, forKey: key) == nil
            respond(exchange, isNew ? .created : .noContent)
        }
    }

    private func redirect(_ exchange: HTTPServerExchange, _ code: Int, to location: String) {
        text(exchange, "see \(location)\n", status: HTTPResponse.Status(code: code), fields: [.location: location])
    }

    private func basic(_ exchange: HTTPServerExchange, _ request: HTTPRequest) {
        // "ada:lovelace" in RFC 4648's Base64.
        if request.headerFields[.authorization] == "Basic YWRhOmxvdmVsYWNl" { return text(exchange, "welcome\n") }
        text(exchange, "", status: .unauthorized, fields: [.wwwAuthenticate: "Basic realm=\"anyloop\""])
    }

    private func compressed(_ exchange: HTTPServerExchange, _ request: HTTPRequest) {
        guard request.headerFields[.acceptEncoding]?.contains("gzip") == true else {
            return text(exchange, ScenarioFiles.text)
        }
        bytes(exchange, gzipped, fields: [.contentEncoding: "gzip"])
    }

    /// A body of `PatternBytes` made as the peer takes it.
    private func generate(_ exchange: HTTPServerExchange, count: Int, announced: Bool) {
        exchange.start(
            HTTPResponse(status: .ok, headerFields: announced ? [.contentLength: String(count)] : [:]))
        var offset = 0
        func more() {
            while offset < count, exchange.isWritable {
                let size = min(16384, count - offset)
                exchange.write(PatternBytes.bytes(offset: offset, count: size))
                offset += size
            }
            if offset == count { exchange.finish() }
        }
        exchange.onWritable = { if offset < count { more() } }
        more()
    }

    // MARK: Answers

    /// What the handshake agreed on, a line each.
    private static func handshake(of exchange: HTTPServerExchange) -> String {
        guard let tls = exchange.tls else { return "none\n" }
        return """
            version=\(tls.version)
            cipher=\(tls.cipher)
            alpn=\(tls.alpn ?? "-")
            name=\(tls.serverName ?? "-")
            resumed=\(tls.isResumed)
            certificates=\(tls.peerCertificates.count)

            """
    }

    private static let sum = HTTPField.Name("X-Sum") ?? .server
    private static let large = HTTPField.Name("X-Large") ?? .server
    private static let link = HTTPField.Name("Link") ?? .server

    private static func target(of request: HTTPRequest) -> String {
        // The absolute form is split into scheme, authority and path by HTTPTypes; put it together again.
        if let authority = request.authority, authority == "origin.example" {
            return "http://\(authority)\(request.path ?? "")"
        }
        return request.path ?? ""
    }

    private func respond(_ exchange: HTTPServerExchange, _ status: HTTPResponse.Status) {
        exchange.respond(HTTPResponse(status: status))
    }

    private func text(
        _ exchange: HTTPServerExchange, _ text: String, status: HTTPResponse.Status = .ok, fields: HTTPFields = [:]
    ) {
        bytes(exchange, Array(text.utf8), status: status, fields: fields, type: "text/plain")
    }

    private func bytes(
        _ exchange: HTTPServerExchange, _ body: [UInt8], status: HTTPResponse.Status = .ok, fields: HTTPFields = [:],
        type: String = "application/octet-stream"
    ) {
        var fields = fields
        fields[.contentType] = type
        exchange.respond(HTTPResponse(status: status, headerFields: fields), body: body)
    }
}
