import AnyloopAgents
import AnyloopCore
import AnyloopHarness
import ArgumentParser
import Foundation
import HTTPTypes

/// `anyloop get`: one request with the library's client.
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Fetches a URL and prints the response's body.",
        discussion: "Exit codes: 0 a response came, 1 it did not or, with --fail, it was an error, 2 wrong use.")

    @Argument(help: "The URL: http://host[:port][/path], or https.")
    var url: String

    @Flag(name: [.customShort("i"), .long], help: "Also prints the heads of the responses.")
    var include = false

    @Flag(name: [.customShort("L"), .long], help: "Follows redirects.")
    var location = false

    @Flag(name: [.customShort("f"), .long], help: "Exits with 1 for a status from 400.")
    var fail = false

    @Flag(help: "Asks for gzip and deflate, and undoes them.")
    var compressed = false

    @Option(name: [.customShort("X"), .long], help: "The method; by default GET, or POST with --data.")
    var method: String?

    @Option(name: [.customShort("d"), .long], help: "The request's body, or @FILE.")
    var data: String?

    @Option(name: [.customShort("H"), .long], help: "A field, 'Name: value'; may be repeated.")
    var header: [String] = []

    @Option(name: [.customShort("o"), .long], help: "The file for the body, instead of standard output.")
    var output: String?

    @Option(help: "Connects to this Unix socket instead of the URL's host.")
    var unixPath: String?

    @Option(help: "https: trusts these certificates, a PEM file, instead of the system's. (TLS_CA)")
    var ca: String?

    @Flag(name: [.customShort("k"), .long], help: "https: checks neither certificate nor name.")
    var insecure = false

    @Option(name: [.customShort("E"), .long], help: "https: our own certificate, a PEM file. (TLS_CLIENT_CERTIFICATE)")
    var cert: String?

    @Option(help: "https: its private key, by default in the same file. (TLS_CLIENT_KEY)")
    var key: String?

    @Option(help: "https: the oldest version of TLS, 1.2 or 1.3. (TLS_MINIMUM; 1.2)")
    var tlsMinimum: String?

    @Option(help: "https: the newest version of TLS, 1.2 or 1.3. (TLS_MAXIMUM; 1.3)")
    var tlsMaximum: String?

    @Flag(help: "https: prints version, cipher, application protocol and whether a session was resumed, to stderr.")
    var tlsInfo = false

    @Option(help: "https: ciphers by OpenSSL's names, joined by colons, best first. (TLS_CIPHERS)")
    var tlsCiphers: String?

    @Option(
        name: [.customShort("x"), .long],
        help: "Goes through a proxy: http[s]://[user:password@]host[:port]. (PROXY)")
    var proxy: String?

    @Option(help: "How long all of it may take.")
    var timeout: String?

    @Option(help: "native, compat or nio. (COMPAT=1, NIO=1)")
    var mode: String?

    @Option(help: "epoll, poll or select. (POLL)")
    var poller: String?

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let mode = try ModeSetting.resolve(option: mode, environment: environment) ?? .native
        let variable = environment["POLL"].flatMap { $0.isEmpty ? nil : $0 }
        let (request, body) = (try request(), try body())
        let settings = try GetSettings.table.resolve(
            GetSettings(), commandLine: settingTexts, environment: environment)
        var options = HTTPClientOptions()
        try settings.setProxy(&options)
        if request.scheme == "https" || options.proxyOptions.isSecure || location {
            options.tls = try settings.context(isInsecure: insecure)
            if insecure {
                Entry.complain("anyloop: --insecure: nothing is checked, so anyone in between can read and change it")
            }
        }
        options.redirectLimit = location ? 10 : 0
        options.decodesContent = compressed
        if let timeout {
            guard let limit = Duration(written: timeout), limit > .zero else {
                throw SettingError("--timeout: expected a time such as 30s, 500ms or 2m, found '\(timeout)'")
            }
            options.totalTimeout = limit
        }
        let loop = try LoopFactory.make(mode, poller: poller ?? variable ?? "epoll")
        defer { loop.closeLoop() }
        let file = try output.map { try OutputFile(path: $0) }
        let client = HTTPClient(loop: loop, options: options)
        let task = HTTPClientTask(request, body: body, via: unixPath.map { .unix(path: $0) })
        var outcome: Result<HTTPResponse.Status, HTTPClientError> = .failure(.cancelled)
        var status = HTTPResponse.Status.ok
        task.onInformational = { if include { Output.write(Self.text(of: $0)) } }
        task.onResponse = { [unowned task] response in
            status = response.status
            if tlsInfo, let tls = task.tls { Entry.complain("anyloop: \(Self.text(of: tls))") }
            if include { Output.write(Self.text(of: response)) }
        }
        task.onBody = { piece in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(piece.count)
            for index in piece.indices { bytes.append(piece[index]) }
            if let file { try file.write(bytes) } else { Output.write(bytes) }
        }
        task.onEnd = { _ in
            outcome = .success(status)
            loop.stop()
        }
        task.onError = { error in
            outcome = .failure(error)
            loop.stop()
        }
        client.start(task)
        try loop.run()
        client.close()
        switch outcome {
        case .success(let status): if fail, status.code >= 400 { throw ExitCode(RunExit.failed.rawValue) }
        case .failure(.badRequest(let text)): throw SettingError("\(url): \(text)")
        case .failure(let error):
            Entry.complain("anyloop: \(url): \(error)\(Self.hint(error))")
            throw ExitCode(RunExit.failed.rawValue)
        }
    }

    /// What of the table was given, by the option's name.
    private var settingTexts: [String: String] {
        let all = [
            "ca": ca, "cert": cert, "key": key, "tls-minimum": tlsMinimum, "tls-maximum": tlsMaximum,
            "tls-ciphers": tlsCiphers, "proxy": proxy,
        ]
        return all.compactMapValues(\.self)
    }

    /// Which option would help.
    private static func hint(_ error: HTTPClientError) -> String {
        switch error.tlsError?.kind {
        case .certificate(.unknownRoot), .certificate(.selfSigned), .certificate(.missingIntermediate):
            " (--ca FILE trusts others than the system's)"
        default: ""
        }
    }

    /// The request that the options describe.
    func request() throws(SettingError) -> HTTPRequest {
        let (scheme, authority, path) = try Self.parts(of: url)
        let name = method ?? (data == nil ? "GET" : "POST")
        guard let method = HTTPRequest.Method(name) else {
            throw SettingError("--method: expected a token such as GET, found '\(name)'")
        }
        var request = HTTPRequest(method: method, scheme: scheme, authority: authority, path: path)
        request.headerFields[.userAgent] = "anyloop"
        request.headerFields[.accept] = "*/*"
        if data != nil { request.headerFields[.contentType] = "application/x-www-form-urlencoded" }
        for line in header {
            guard let colon = line.firstIndex(of: ":"), let name = HTTPField.Name(String(line[..<colon])),
                HTTPField.isValidValue(String(line[line.index(after: colon)...].drop { $0 == " " }))
            else { throw SettingError("--header: expected 'Name: value', found '\(line)'") }
            request.headerFields[name] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return request
    }

    /// Scheme, authority and path of an `http` or `https` URL; one without a scheme is taken for `http`.
    static func parts(of url: String) throws(SettingError) -> (scheme: String, authority: String, path: String) {
        var rest = url[...]
        var scheme = "http"
        if let end = rest.firstRange(of: "://") {
            scheme = rest[..<end.lowerBound].lowercased()
            guard scheme == "http" || scheme == "https" else {
                throw SettingError("\(url): expected a URL that begins with http:// or https://")
            }
            rest = rest[end.upperBound...]
        }
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard end > rest.startIndex, !rest.contains(" ") else {
            throw SettingError("\(url): expected a URL such as http://127.0.0.1:8080/path")
        }
        let path = rest[end...]
        return (scheme, String(rest[..<end]), path.hasPrefix("/") ? String(path) : "/" + path)
    }

    private func body() throws -> HTTPClientBody {
        guard let data else { return .none }
        guard data.hasPrefix("@") else { return .bytes(Array(data.utf8)) }
        return .bytes(try FixtureFiles.read(String(data.dropFirst())))
    }

    private static func text(of tls: TLSInfo) -> String {
        "\(tls.version), \(tls.cipher), \(tls.alpn ?? "no application protocol"), "
            + (tls.isResumed ? "resumed session" : "new session")
    }

    private static func text(of response: HTTPResponse) -> String {
        let lines = response.headerFields.map { "\($0.name): \($0.value)\r\n" }
        return "HTTP/1.1 \(response.status)\r\n" + lines.joined() + "\r\n"
    }
}

/// A file that is written piece by piece.
final class OutputFile {
    private let handle: FileHandle

    /// Makes or empties the file.
    ///
    /// - Throws: `CommandError`.
    init(path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw CommandError("cannot write '\(path)'; check that its folder exists and may be written") }
        self.handle = handle
    }

    func write(_ bytes: [UInt8]) throws {
        try handle.write(contentsOf: Data(bytes))
    }
}
