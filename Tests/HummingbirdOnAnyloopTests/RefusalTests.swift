import AnyloopSubjects
import Foundation
import Hummingbird
import HummingbirdOnAnyloop
import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@Suite("What Hummingbird's servers refuse")
struct RefusalTests {
    @Test("A group that nobody has a bootstrap for") func foreignGroup() async throws {
        let loop = NIOAsyncTestingEventLoop()
        let server = HummingbirdServer(router: Router(), options: loopback(), eventLoopGroup: loop, logger: silence)
        await #expect(throws: HummingbirdServerError.unsupportedGroup("NIOAsyncTestingEventLoop")) {
            try await server.run()
        }
        await loop.shutdownGracefully()
    }

    @Test("A delegate that would count for each listener apart", arguments: Loops.allCases)
    func delegate(on loops: Loops) async throws {
        try await loops.with { group in
            let server = HummingbirdServer(
                router: Router(),
                configuration: ApplicationConfiguration(availableConnectionsDelegate: .maximum(1, logger: silence)),
                options: loopback { $0.listening = .onEachLoop }, eventLoopGroup: group, logger: silence)
            await #expect(throws: HummingbirdServerError.delegateNeedsOneListener) {
                try await server.withRunning { _ in }
            }
        }
    }

    @Test("Several listeners on a Unix socket", arguments: Loops.allCases)
    func sharedUnixSocket(on loops: Loops) async throws {
        try await loops.with { group in
            var options = HummingbirdServerOptions()
            options.address = .unixDomainSocket(path: "/nowhere/to/be/found")
            options.listening = .onEachLoop
            let server = HummingbirdServer(router: Router(), options: options, eventLoopGroup: group, logger: silence)
            await #expect(throws: HummingbirdServerError.unixSocketNeedsOneListener) { try await server.run() }
        }
    }

    @Test("A port that is taken is the system's error", arguments: Loops.allCases, [false, true])
    func taken(on loops: Loops, onEachLoop: Bool) async throws {
        try await loops.with { group in
            let first = HummingbirdServer(router: Router(), options: loopback(), eventLoopGroup: group, logger: silence)
            try await first.withRunning { address in
                let options = loopback {
                    $0.address = .hostname("127.0.0.1", port: address.port ?? 0)
                    $0.listening = onEachLoop ? .onEachLoop : .once
                }
                let second = HummingbirdServer(
                    router: Router(), options: options, eventLoopGroup: group, logger: silence)
                await #expect { try await second.withRunning { _ in } } throws: { error in
                    (error as? IOError)?.errnoCode == EADDRINUSE
                }
            }
        }
    }

    @Test("A path that is too long for a Unix socket", arguments: Loops.allCases)
    func longPath(on loops: Loops) async throws {
        try await loops.with { group in
            var options = HummingbirdServerOptions()
            options.address = .unixDomainSocket(path: "/tmp/" + String(repeating: "x", count: 200))
            let server = HummingbirdServer(router: Router(), options: options, eventLoopGroup: group, logger: silence)
            await #expect(throws: SocketAddressError.self) { try await server.run() }
        }
    }

    @Test("TLS with a key that is not the certificate's", arguments: Loops.allCases)
    func otherKey(on loops: Loops) async throws {
        try await loops.with { group in
            let files = try ScenarioFiles()
            let certificates = try ScenarioCertificates(in: files.store)
            let tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.serverFile).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.clientKeyFile, format: .pem)))
            let server = HummingbirdServer(
                router: Router(), protocols: .http2Upgrade(tls), options: loopback(), eventLoopGroup: group,
                logger: silence)
            await #expect(throws: NIOSSLError.self) { try await server.run() }
        }
    }

    @Test("Every error is a sentence of its own")
    func sentences() {
        let errors: [HummingbirdServerError] = [
            .unsupportedGroup("T"), .unreadableAddress("A"), .unreadableProtocols("T"), .delegateNeedsOneListener,
            .unixSocketNeedsOneListener, .alreadyRun, .shutDownBeforeListening,
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
    }
}
