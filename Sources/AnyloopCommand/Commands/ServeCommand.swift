import AnyloopAgents
import AnyloopCore
import AnyloopHarness
import AnyloopTLS
import ArgumentParser
import Foundation
import Logging

/// `anyloop serve`: one of the library's servers.
struct ServeCommand: ParsableCommand {
    /// What is served.
    enum Service: String, CaseIterable, ExpressibleByArgument {
        case http
        case hello
        case helloAsync = "hello-async"
        case echo
    }

    /// The most bytes that hello says: they are in memory.
    static let sizeLimit = 1 << 30

    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves files or a greeting over HTTP, or echoes over TCP and UDP.",
        discussion: """
            Prints the bound addresses on one line. SIGINT or SIGTERM: accepts no more, finishes what is in flight \
            within the grace time, exits with 0. Each option also has a variable of its name: HOST, PORT, UNIX_PATH, \
            BACKLOG, WORKERS, POLL, LEVEL, KEEPALIVE_TIMEOUT and so on; COMPAT=1 stands for --mode compat and \
            NIO=1 for --mode nio. With a certificate it speaks TLS; SIGHUP then reads certificate and key again without dropping a connection. \
            The password of an encrypted key is told by TLS_KEY_PASSWORD.
            """)

    @Argument(
        help:
            "http (files, or a greeting without --root), hello (a greeting), hello-async (the same from a task), or echo."
    )
    var service: Service

    @Option(help: "http: the folder whose files are served.")
    var root: String?

    @Option(help: "hello, hello-async: so many bytes of text instead of the greeting.")
    var size: Int?

    @Option(help: "native, compat or nio. (COMPAT=1, NIO=1)")
    var mode: String?

    @OptionGroup var options: ServeOptions

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let mode = try ModeSetting.resolve(option: mode, environment: environment) ?? .native
        let settings = try ServeSettings.table.resolve(
            ServeSettings(), commandLine: options.texts, environment: environment)
        if root != nil, service != .http { throw SettingError("--root: only 'anyloop serve http' serves files") }
        try settings.tls.check()
        if let size {
            guard service == .hello || service == .helloAsync else {
                throw SettingError("--size: only 'anyloop serve hello' and 'hello-async' say hello")
            }
            guard (1...Self.sizeLimit).contains(size) else {
                throw SettingError("--size: expected 1 to \(Self.sizeLimit), found '\(size)'")
            }
        }
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "anyloop")
        logger.logLevel = settings.logLevel
        let tls =
            try settings.tls.isOn
            ? ServedTLS(settings.tls, protocols: service == .echo ? [] : HTTPServer.applicationProtocols) : nil
        let text = HTTPAgent.greeting(size: size)
        let host = try ServiceHost(settings: settings, mode: mode) {
            [service, root, logger] loop, settings, shared in
            let place = ServedPlace(loop: loop, settings: settings, shared: shared, tls: tls?.source, logger: logger)
            return switch service {
            case .http, .hello: try HTTPAgent(place, answers: root.map { .files($0) } ?? .text(text))
            case .helloAsync: try HTTPAgent(place, answers: .textFromTask(text))
            case .echo: try EchoAgent(place)
            }
        }
        if let tls { try host.onHangUp { reload(tls, logger) } }
        try host.run()
    }

    private func reload(_ tls: ServedTLS, _ logger: Logger) {
        do throws(TLSError) {
            try tls.reload()
            logger.notice("the certificate was read again")
        } catch {
            logger.error("the certificate stays as it was: \(error)")
        }
    }
}

/// The options behind `ServeSettings.table`; as texts, for the table is what reads them.
struct ServeOptions: ParsableArguments {
    @Option(help: "The address to listen on. (HOST; 127.0.0.1)")
    var host: String?
    @Option(help: "The port; 0 lets the system choose. (PORT; 8080)")
    var port: String?
    @Option(help: "A Unix socket to listen on instead. (UNIX_PATH)")
    var unixPath: String?
    @Option(help: "Connections that wait for accept. (BACKLOG; 1024)")
    var backlog: String?
    @Option(help: "Threads, each with a loop of its own. (WORKERS; 1)")
    var workers: String?
    @Option(help: "epoll, poll or select. (POLL; epoll)")
    var poller: String?
    @Option(help: "The log's level: trace to critical. (LEVEL; info)")
    var level: String?
    @Option(help: "How long an idle connection is kept. (KEEPALIVE_TIMEOUT; 75s)")
    var keepaliveTimeout: String?
    @Option(help: "How long a request's head may take. (HEADER_TIMEOUT; 30s)")
    var headerTimeout: String?
    @Option(help: "How long a pause in a request's body may be. (BODY_TIMEOUT; 30s)")
    var bodyTimeout: String?
    @Option(help: "How long a peer may take nothing of a response. (WRITE_TIMEOUT; 60s)")
    var writeTimeout: String?
    @Option(help: "How long what is in flight may take at the end. (GRACE_TIME; 10s)")
    var graceTime: String?
    @Option(help: "Bytes of a request's body. (BODY_LIMIT; none)")
    var bodyLimit: String?
    @Option(help: "Connections at once, in each worker. (CONNECTION_LIMIT; none)")
    var connectionLimit: String?
    @Option(help: "Requests on one connection. (REQUEST_LIMIT; none)")
    var requestLimit: String?
    @Option(help: "Speaks TLS with this certificate and its chain, a PEM file. (TLS_CERTIFICATE)")
    var tlsCertificate: String?
    @Option(help: "The certificate's private key, a PEM file; by default in the same file. (TLS_KEY)")
    var tlsKey: String?
    @Option(help: "For development: speaks TLS with a new certificate for these names. (TLS_SELF_SIGNED)")
    var tlsSelfSigned: String?
    @Option(help: "Asks clients for certificates that these authorities signed, a PEM file. (TLS_CLIENT_CA)")
    var tlsClientCa: String?
    @Option(help: "Whether such a certificate is requested or required. (TLS_CLIENT; required)")
    var tlsClient: String?
    @Option(help: "The oldest version of TLS: 1.2 or 1.3. (TLS_MINIMUM; 1.2)")
    var tlsMinimum: String?
    @Option(help: "The newest version of TLS: 1.2 or 1.3. (TLS_MAXIMUM; 1.3)")
    var tlsMaximum: String?
    @Option(help: "Ciphers by OpenSSL's names, joined by colons, best first. (TLS_CIPHERS)")
    var tlsCiphers: String?

    /// What was given, by the option's name.
    var texts: [String: String] {
        let all = [
            "host": host, "port": port, "unix-path": unixPath, "backlog": backlog, "workers": workers,
            "poller": poller, "level": level, "keepalive-timeout": keepaliveTimeout,
            "header-timeout": headerTimeout, "body-timeout": bodyTimeout, "write-timeout": writeTimeout,
            "grace-time": graceTime, "body-limit": bodyLimit, "connection-limit": connectionLimit,
            "request-limit": requestLimit, "tls-certificate": tlsCertificate, "tls-key": tlsKey,
            "tls-self-signed": tlsSelfSigned, "tls-client-ca": tlsClientCa, "tls-client": tlsClient,
            "tls-minimum": tlsMinimum, "tls-maximum": tlsMaximum, "tls-ciphers": tlsCiphers,
        ]
        return all.compactMapValues(\.self)
    }
}
