import AnyloopCore
import Testing

@testable import AnyloopTLS

/// Every certificate that must be refused is, with an error that names it, by the side that has to; and the other
/// side hears of it by the fitting alert.
@Suite struct RefusalTests {
    @Test(
        "a server's certificate, judged by our client", arguments: try Certificates.cases(of: .client),
        TLSVersion.allCases)
    func serverCertificates(_ test: Certificates.Case, _ version: TLSVersion) throws {
        var trusting = TLSClientOptions()
        trusting.settings = settings(version)
        trusting.trust = try Certificates.trust(test.trust)
        trusting.revocation = try test.revocation()
        var judged = TLSServerOptions(identity: try #require(try test.identity()))
        judged.settings = settings(version, weak: test.weak)
        let pair = try EnginePair(
            try TLSClientContext(trusting), try TLSServerContext(judged), host: test.host)
        try check(test, judge: pair.client, judged: pair.server, version)
    }

    @Test(
        "a client's certificate, judged by our server", arguments: try Certificates.cases(of: .server),
        TLSVersion.allCases)
    func clientCertificates(_ test: Certificates.Case, _ version: TLSVersion) throws {
        var asking = TLSServerOptions(identity: try Certificates.identity("good-ec.chain.pem"))
        asking.settings = settings(version)
        asking.clientCertificates = .required(try Certificates.trust(test.trust))
        asking.revocation = try test.revocation()
        var judged = TLSClientOptions()
        judged.settings = settings(version, weak: test.weak)
        judged.trust = try Certificates.trust()
        judged.identity = try test.identity()
        let pair = try EnginePair(try TLSClientContext(judged), try TLSServerContext(asking))
        try check(test, judge: pair.server, judged: pair.client, version)
    }

    private func settings(_ version: TLSVersion, weak: Bool = false) -> TLSSettings {
        var settings = TLSSettings()
        settings.minimumVersion = version
        settings.maximumVersion = version
        if weak { settings.ciphers = "DEFAULT:@SECLEVEL=0" }
        return settings
    }

    private func check(
        _ test: Certificates.Case, judge: EngineSide, judged: EngineSide, _ version: TLSVersion
    ) throws {
        guard let fault = test.fault else {
            #expect(judge.error == nil && judged.error == nil)
            #expect(judge.isOpen && judged.isOpen)
            return
        }
        #expect(!judge.isOpen)
        let error = try #require(judge.error)
        guard case .certificate(let found) = error.kind else {
            Issue.record("\(error) is not about a certificate")
            return
        }
        #expect("\(found)" == fault)
        #expect(error.text.contains(test.named))
        // TLS 1.2 has no alert for a certificate that is missing (RFC 5246 §7.4.6).
        let alert = fault == "missing" && version == .v1_2 ? "handshake_failure" : test.alert
        let heard = try #require(judged.error)
        guard case .alert(let number) = heard.kind else {
            Issue.record("\(heard) is no alert")
            return
        }
        #expect(TLSAlert.name(number) == alert)
        #expect(heard.text.contains(TLSAlert.name(number)))
    }
}
