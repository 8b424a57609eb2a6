import AnyloopHarness
import AnyloopSubjects
import HummingbirdOnAnyloop
import NIOCore
import NIOSSL

/// Hummingbird's router on our loop and on NIO's, each reached by curl.
enum HummingbirdScenarios {
    /// Their scenarios.
    static let all: [LiveScenario] =
        (HummingbirdCatalog.common + HummingbirdCatalog.http1 + HummingbirdCatalog.wire).map { live($0, .http1) }
        + (HummingbirdCatalog.common + HummingbirdCatalog.http1 + HummingbirdCatalog.tls).map { live($0, .tls) }
        + (HummingbirdCatalog.common + HummingbirdCatalog.http2).map { live($0, .http2) }
        + [.http1, .tls, .http2].flatMap(HummingbirdShutdown.scenarios)

    /// What is spoken, and the executor's name.
    enum Wire: String {
        case http1 = "curl"
        case tls = "curl-tls"
        case http2 = "curl-h2"
    }

    private static func live(_ scenario: Scenario, _ wire: Wire) -> LiveScenario {
        LiveScenario(
            id: "\(wire.rawValue)/hummingbird/\(scenario.name)", title: scenario.title, subject: "hummingbird",
            executor: wire.rawValue, modes: ServiceLoops.modes, deadline: .seconds(60)
        ) { provider in
            try run(scenario, wire, on: provider)
        }
    }

    /// What curl finds amiss.
    private static func run(_ scenario: Scenario, _ wire: Wire, on provider: LoopProvider) throws -> [String] {
        if provider.poller == "select", scenario.descriptorsNeeded > 1000 {
            throw LiveScenario.Unsupported("select watches descriptors below 1,024 only; use epoll or poll")
        }
        return try with(wire, on: provider, unixSocket: scenario.unixSocket) { target, _, _ in
            CurlClient.run(scenario, against: target)
        }
    }

    /// Serves the site, and shows `body` where it is.
    static func with(
        _ wire: Wire, on provider: LoopProvider, unixSocket: Bool = false,
        _ body: (ScenarioTarget, ServedHummingbird.Server, SiteWhistle) throws -> [String]
    ) throws -> [String] {
        let files = try ScenarioFiles()
        let certificates = wire == .http1 ? nil : try ScenarioCertificates(in: files.store)
        var options = HummingbirdServerOptions()
        options.address = .hostname("127.0.0.1", port: 0)
        options.shutdownGrace = .seconds(5)
        var target = ScenarioTarget(port: 0, certificates: certificates)
        if wire == .http2 { target.http = .http2 }
        if unixSocket {
            let path = files.store + "/site.sock"
            target.unixPath = path
            options.address = .unixDomainSocket(path: path)
        }
        let whistle = SiteWhistle()
        return try ServedHummingbird.with(
            provider, router: HummingbirdSite.router(files: files, whistle: whistle),
            protocols: try protocols(wire, certificates), options: options
        ) { [target] address, server in
            var target = target
            target.port = address?.port.flatMap { UInt16(exactly: $0) } ?? 0
            return try body(target, server, whistle)
        }
    }

    private static func protocols(_ wire: Wire, _ certificates: ScenarioCertificates?) throws -> HummingbirdProtocols {
        guard let certificates else { return .http1() }
        let tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.serverFile).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.serverKeyFile, format: .pem)))
        return wire == .tls ? .https(tls) : .http2Upgrade(tls)
    }
}
