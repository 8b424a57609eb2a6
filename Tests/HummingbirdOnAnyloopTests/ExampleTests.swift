import AnyloopSubjects
import Hummingbird
import HummingbirdOnAnyloop
import Logging
import NIOBridge
import NIOCore
import NIOSSL
import ServiceLifecycle
import Testing

/// The examples of Documentation/nio.md, as they stand there.
@Suite("Examples of Hummingbird on our loop")
struct ExampleTests {
    @Test func greets() async throws {
        // begin: hummingbird-server
        let router = Router()
        router.add(middleware: LogRequestsMiddleware(.debug))
        router.get("hello/{name}") { _, context in
            "Hello, \(try context.parameters.require("name"))!\n"
        }

        let group = try NativeEventLoopGroup(numberOfThreads: 2)
        let server = HummingbirdServer(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: "greeter"),
            eventLoopGroup: group)
        // end: hummingbird-server
        let amiss = try await server.withRunning { address in
            await curl(address, [(ScenarioStep("/hello/Ada"), [.body("Hello, Ada!\n"), .field("server", "greeter")])])
        }
        #expect(amiss == [])
        try await group.shutdownGracefully()
    }

    @Test func secures() async throws {
        let files = try ScenarioFiles()
        let certificates = try ScenarioCertificates(in: files.store)
        let (certificate, key) = (certificates.serverFile, certificates.serverKeyFile)
        let router = Router()
        router.get("hello") { _, _ in "hello\n" }
        let group = try NativeEventLoopGroup(numberOfThreads: 1)
        // begin: hummingbird-tls
        let tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        var options = HummingbirdServerOptions()
        options.address = .hostname("127.0.0.1", port: 0)
        options.listening = .onEachLoop
        options.execution = .loop
        options.shutdownGrace = .seconds(10)
        let server = HummingbirdServer(
            router: router, protocols: .http2Upgrade(tls), options: options, eventLoopGroup: group)
        // end: hummingbird-tls
        let amiss = try await server.withRunning { address in
            await curl(
                address, certificates: certificates, http: .http2,
                [(ScenarioStep("/hello"), [.status(200), .version("2")])])
        }
        #expect(amiss == [])
        try await group.shutdownGracefully()
    }

    @Test func hosts() async throws {
        let router = Router()
        router.get("hello") { _, _ in "hello\n" }
        // begin: hummingbird-application
        let group = try NativeEventLoopGroup(numberOfThreads: 2)
        let application = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            eventLoopGroupProvider: .shared(group))
        let server = try await HummingbirdServer(application: application)
        // end: hummingbird-application
        // begin: hummingbird-running
        let port = try await server.withRunning { address in
            // The server serves until this returns.
            address.port
        }
        // end: hummingbird-running
        #expect(port ?? 0 > 0)
        try await group.shutdownGracefully()
    }
}
