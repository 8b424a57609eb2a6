import Anyloop
@testable import AnyloopExamples
import Testing

/// The examples over TLS, on each of our loops, with a certificate made for them.
@Suite(.serialized) struct TLSExampleTests {
    @Test(arguments: LoopKind.allCases) func echoOverTLSIsTrusted(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let identity = try TLSIdentity.selfSigned(names: ["localhost"])
        try loop.runUntilComplete {
            let server = try await echoOverTLS(on: loop, identity: identity, port: 0)
            let port = server.addresses[0].port ?? 0
            try await askOverTLS("Hello", trusting: .pem(identity.certificateChain), port: port, on: loop)
            await #expect(throws: TransportError.self) { try await askOverTLS("Hello", port: port, on: loop) }
            server.close()
        }
        #expect(Console.take() == ["TLSv1.3, TLS_AES_256_GCM_SHA384", "Received: Hello\n"])
    }

    @Test(arguments: LoopKind.allCases) func aConnectionIsUpgraded(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let identity = try TLSIdentity.selfSigned(names: ["localhost"])
        try loop.runUntilComplete {
            let server = try await serveStartTLS(on: loop, identity: identity, port: 0)
            let port = server.addresses[0].port ?? 0
            try await upgradeToTLS(trusting: .pem(identity.certificateChain), port: port, on: loop)
            server.close()
        }
        #expect(Console.take() == ["In the clear: 220 ready\r\n", "Over TLS: 250 you said a secret\r\n"])
    }
}
