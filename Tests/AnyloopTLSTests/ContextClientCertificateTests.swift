import AnyloopCore
import Testing

@testable import AnyloopTLS

/// Clients' certificates: not asked for, requested, required.
@Suite struct ContextClientCertificateTests {
    private func pair(
        _ certificates: TLSServerOptions.ClientCertificates, chain: String?, _ version: TLSVersion
    ) throws -> EnginePair {
        try EnginePair(
            try Contexts.client { options in
                options.settings = .only(version)
                options.identity = try chain.map { try Certificates.identity($0) }
            }, try Contexts.server { $0.clientCertificates = certificates })
    }

    @Test("not asked for: none is sent", arguments: TLSVersion.allCases)
    func none(_ version: TLSVersion) throws {
        let pair = try pair(.none, chain: "good-ec.chain.pem", version)
        #expect(pair.isOpen && pair.server.info.peerCertificates.isEmpty)
    }

    @Test("requested: none, a good one, a bad one", arguments: TLSVersion.allCases)
    func requested(_ version: TLSVersion) throws {
        let requested = TLSServerOptions.ClientCertificates.requested(try Certificates.trust())
        let without = try pair(requested, chain: nil, version)
        #expect(without.isOpen && without.server.info.peerCertificates.isEmpty)
        let good = try pair(requested, chain: "good-ec.chain.pem", version)
        #expect(good.isOpen)
        // Its own first, then the one that signed it.
        #expect(good.server.info.peerCertificates.count == 2)
        #expect(good.server.info.peerCertificates == good.client.info.peerCertificates)
        let bad = try pair(requested, chain: "expired.chain.pem", version)
        #expect(bad.server.error?.kind == .certificate(.expired))
        #expect(bad.client.error?.kind == .alert(45))
    }

    @Test("required: none, a good one", arguments: TLSVersion.allCases)
    func required(_ version: TLSVersion) throws {
        let required = TLSServerOptions.ClientCertificates.required(try Certificates.trust())
        #expect(try pair(required, chain: nil, version).server.error?.kind == .certificate(.missing))
        #expect(try pair(required, chain: "good-ec.chain.pem", version).isOpen)
    }
}
