import AnyloopSubjects
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Testing

@testable import HummingbirdOnAnyloop

@Suite("Applications as they are, on both loops")
struct ApplicationTests {
    @Test("Responder, services, what runs before, and who is told: all of it", arguments: Loops.allCases)
    func whole(on loops: Loops) async throws {
        try await loops.with { group in
            let notes = Notes<String>()
            let router = Router()
            router.get("hello") { _, _ in "hello\n" }
            var application = Application(
                router: router, configuration: ApplicationConfiguration(address: .hostname(port: 0), serverName: "app"),
                services: [NotingService(notes: notes)],
                onServerRunning: { _ in notes.add("running") }, eventLoopGroupProvider: .shared(group), logger: silence)
            application.beforeServerStarts { notes.add("before") }
            let server = try await HummingbirdServer(application: application)
            #expect(server.eventLoopGroup === group)
            let amiss = try await server.withRunning { address in
                await curl(address, [(ScenarioStep("/hello"), [.status(200), .field("server", "app")])])
            }
            #expect(amiss == [])
            #expect(Set(notes.all) == ["before", "service starts", "running", "service ends"])
            #expect(notes.all.last == "service ends")
            let before = try #require(notes.all.firstIndex(of: "before"))
            let running = try #require(notes.all.firstIndex(of: "running"))
            #expect(before < running)
        }
    }

    @Test("A service that fails ends the server, and its error comes out", arguments: Loops.allCases)
    func failingService(on loops: Loops) async throws {
        try await loops.with { group in
            let application = Application(
                router: Router(), configuration: ApplicationConfiguration(address: .hostname(port: 0)),
                services: [FailingService()], eventLoopGroupProvider: .shared(group), logger: silence)
            let server = try await HummingbirdServer(application: application)
            await #expect(throws: FailingService.OnPurpose.self) { try await server.run() }
        }
    }

    @Test("An application that serves TLS, HTTP/2 and HTTP/1.1 does so unasked", arguments: Loops.allCases)
    func protocolsOfTheBuilder(on loops: Loops) async throws {
        let files = try ScenarioFiles()
        let certificates = try ScenarioCertificates(in: files.store)
        let tls = try Self.tls(certificates)
        try await loops.with { group in
            let router = Router()
            router.get("hello") { _, _ in "hello\n" }
            let application = Application(
                router: router, server: try .http2Upgrade(tlsConfiguration: tls),
                configuration: ApplicationConfiguration(address: .hostname(port: 0)),
                eventLoopGroupProvider: .shared(group), logger: silence)
            let server = try await HummingbirdServer(application: application)
            let amiss = try await server.withRunning { address in
                await curl(
                    address, certificates: certificates, http: .http2,
                    [(ScenarioStep("/hello"), [.status(200), .version("2")])])
                    + curl(
                        address, certificates: certificates,
                        [(ScenarioStep("/hello"), [.status(200), .version("1.1")])])
            }
            #expect(amiss == [])
        }
    }

    @Test("What a builder makes is read with its configuration")
    func builders() throws {
        let files = try ScenarioFiles()
        let tls = try Self.tls(ScenarioCertificates(in: files.store))
        func made(_ builder: HTTPServerBuilder) throws -> any ServerChildChannel {
            try HummingbirdProtocols.builder(builder).childChannel(
                { _, _, _ in }, MultiThreadedEventLoopGroup.singleton, silence)
        }
        let plain = try made(.http1(configuration: .init(idleTimeout: .seconds(7))))
        #expect((plain as? HTTP1Channel)?.configuration.idleTimeout == .seconds(7))
        #expect(try made(.tls(.http1(), tlsConfiguration: tls)) is TLSChannel<HTTP1Channel>)
        #expect(try made(.http2Upgrade(tlsConfiguration: tls)) is HTTP2UpgradeChannel)
        let http2 = try made(.plaintextHTTP2(configuration: .init(idleTimeout: .seconds(8))))
        #expect((http2 as? HTTP2Channel)?.configuration.idleTimeout == .seconds(8))
    }

    @Test(
        "Addresses are read as they were made",
        arguments: [
            HummingbirdServerOptions.Address.hostname("127.0.0.1", port: 8080), .hostname("::1", port: 0),
            .hostname("hostname", port: 65535), .hostname("", port: 1), .unixDomainSocket(path: "/tmp/x.sock"),
            .unixDomainSocket(path: ""),
        ])
    func addresses(_ address: HummingbirdServerOptions.Address) throws {
        #expect(try HummingbirdServerOptions.Address(address.bindAddress) == address)
    }

    @Test(
        "The date is the second's",
        arguments: [(784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT")])
    func dates(second: Int, text: String) {
        let date = ResponseDate()
        _ = date.text
        #expect(date.text(at: second) == text)
        #expect(date.text(at: second) == text)
    }

    private static func tls(_ certificates: ScenarioCertificates) throws -> TLSConfiguration {
        TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.serverFile).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.serverKeyFile, format: .pem)))
    }
}

private struct NotingService: Service {
    let notes: Notes<String>

    func run() async throws {
        notes.add("service starts")
        try await gracefulShutdown()
        notes.add("service ends")
    }
}

private struct FailingService: Service {
    struct OnPurpose: Error {}

    func run() async throws { throw OnPurpose() }
}
