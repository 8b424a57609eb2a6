import AnyloopSubjects
import Foundation
import Hummingbird
import HummingbirdOnAnyloop
import NIOCore
import NIOEmbedded
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Testing

@Suite("Hummingbird's responders on both loops")
struct ServingTests {
    private static func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("hello") { _, _ in "hello, world\n" }
        return router
    }

    @Test(
        "A request is answered with Date and Server, and nothing is left when the body returns",
        arguments: Loops.allCases)
    func serves(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Self.router(), configuration: ApplicationConfiguration(serverName: "a name"),
                options: loopback(), eventLoopGroup: group, logger: silence)
            let amiss = try await server.withRunning { address in
                await curl(
                    address,
                    [
                        (
                            ScenarioStep("/hello"),
                            [.status(200), .field("server", "a name"), .fieldContains("date", " GMT")]
                        ),
                        (ScenarioStep("/nowhere"), [.status(404), .connections(0)]),
                    ])
            }
            #expect(amiss == [])
            #expect(server.connectionCount == 0)
        }
    }

    @Test("Without a server name there is no such field", arguments: Loops.allCases)
    func nameless(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Self.router(), options: loopback(), eventLoopGroup: group, logger: silence)
            let amiss = try await server.withRunning { address in
                await curl(address, [(ScenarioStep("/hello"), [.status(200), .noField("server")])])
            }
            #expect(amiss == [])
        }
    }

    @Test("The configuration's address is where the server listens", arguments: Loops.allCases)
    func configuredAddress(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Self.router(),
                configuration: ApplicationConfiguration(address: .hostname("localhost", port: 0)),
                eventLoopGroup: group, logger: silence)
            let port = try await server.withRunning { $0.port }
            #expect(port ?? 0 > 0)
        }
    }

    @Test("A Unix socket, in place of one that was left there", arguments: Loops.allCases)
    func unixSocket(on loops: Loops) async throws {
        let files = try ScenarioFiles()
        let path = files.store + "/server.sock"
        for _ in 1...2 {
            try await loops.with { group in
                let server = HummingbirdServer(
                    router: Self.router(),
                    configuration: ApplicationConfiguration(address: .unixDomainSocket(path: path)),
                    eventLoopGroup: group, logger: silence)
                let amiss = try await server.withRunning { address in
                    await curl(address, unixPath: path, [(ScenarioStep("/hello"), [.status(200)])])
                }
                #expect(amiss == [])
            }
        }
    }

    @Test("TLS and HTTP/2 by ALPN", arguments: Loops.allCases, [false, true])
    func secure(on loops: Loops, http2: Bool) async throws {
        let files = try ScenarioFiles()
        let certificates = try ScenarioCertificates(in: files.store)
        let tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.serverFile).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.serverKeyFile, format: .pem)))
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Self.router(), protocols: http2 ? .http2Upgrade(tls) : .https(tls), options: loopback(),
                eventLoopGroup: group, logger: silence)
            let amiss = try await server.withRunning { address in
                await curl(
                    address, certificates: certificates, http: http2 ? .http2 : .http1,
                    [(ScenarioStep("/hello"), [.status(200), .version(http2 ? "2" : "1.1")])])
            }
            #expect(amiss == [])
        }
    }

    @Test("HTTP/2 in the clear, for who knows", arguments: Loops.allCases)
    func priorKnowledge(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Self.router(), protocols: .plaintextHTTP2(), options: loopback(), eventLoopGroup: group,
                logger: silence)
            let amiss = try await server.withRunning { address in
                await curl(
                    address, http: .http2PriorKnowledge, [(ScenarioStep("/hello"), [.status(200), .version("2")])])
            }
            #expect(amiss == [])
        }
    }

    @Test("The responder runs on the pool, or on the connection's loop", arguments: Loops.allCases, [false, true])
    func execution(on loops: Loops, onLoop: Bool) async throws {
        try await loops.with { group in
            let router = Router(context: ChannelContext.self)
            router.get("where") { _, context in
                // Before and after a suspension.
                let before = context.loop.inEventLoop
                try await Task.sleep(for: .milliseconds(1))
                return "\(before) \(context.loop.inEventLoop)"
            }
            let server = HummingbirdServer(
                router: router, options: loopback { $0.execution = onLoop ? .loop : .pool }, eventLoopGroup: group,
                logger: silence)
            let amiss = try await server.withRunning { address in
                await curl(address, [(ScenarioStep("/where"), [.status(200), .body("\(onLoop) \(onLoop)")])])
            }
            #expect(amiss == [])
        }
    }

    @Test("Connections reach every loop", arguments: Loops.allCases, [false, true])
    func spreads(on loops: Loops, onEachLoop: Bool) async throws {
        try await loops.with { group in
            let router = Router(context: ChannelContext.self)
            let seen = Notes<ObjectIdentifier>()
            router.get("where") { _, context -> String in
                seen.add(ObjectIdentifier(context.loop))
                return ""
            }
            let server = HummingbirdServer(
                router: router, options: loopback { $0.listening = onEachLoop ? .onEachLoop : .once },
                eventLoopGroup: group, logger: silence)
            let amiss = try await server.withRunning { address in
                await curl(
                    address,
                    (1...64).map { _ in
                        (ScenarioStep("/where").with { $0.freshConnection = true }, [.status(200), .connections(1)])
                    })
            }
            #expect(amiss == [])
            #expect(seen.all.count == 64)
            #expect(Set(seen.all).count == 2)
        }
    }

    @Test("No more connections are accepted than the delegate allows", arguments: Loops.allCases)
    func availableConnections(on loops: Loops) async throws {
        try await loops.with { group in
            let (entered, gate) = (Gate(), Gate())
            let router = Self.router()
            router.get("hold") { _, _ -> String in
                entered.open()
                try await gate.passed()
                return "held\n"
            }
            let server = HummingbirdServer(
                router: router,
                configuration: ApplicationConfiguration(
                    availableConnectionsDelegate: .maximum(1, logger: silence)),
                options: loopback(), eventLoopGroup: group, logger: silence)
            try await server.withRunning { address in
                async let first = curl(
                    address, [(ScenarioStep("/hold").with { $0.freshConnection = true }, [.body("held\n")])])
                try await entered.passed()
                let second = await curl(
                    address, [(ScenarioStep("/hello").with { $0.timeLimit = 300 }, [.outcome(.timedOut)])])
                #expect(second == [])
                gate.open()
                #expect(await first == [])
                #expect(await curl(address, [(ScenarioStep("/hello"), [.status(200)])]) == [])
            }
        }
    }
}

/// A context that knows its connection's loop.
struct ChannelContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let loop: any EventLoop

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        loop = source.channel.eventLoop
    }
}
