import AnyloopCore
import AnyloopTesting
import Foundation
import Testing

@testable import AnyloopTLS

/// Refusals as an application hears of them: by its connection attempt, by its server's handler, by `connectionLost`;
/// and protocols hear nothing of a handshake that failed (asyncio rule 120).
@Suite struct RefusalLoopTests {
    static func some(_ judge: Certificates.Case.Judge) throws -> [Certificates.Case] {
        let names = ["expired", "unknown-root", "host-other", "wide-top", "revoked", "none", "wrong-purpose"]
        return try Certificates.cases(of: judge).filter { test in names.contains { test.name.hasPrefix($0) } }
    }

    @Test("a client refuses a server's certificate", arguments: try some(.client), TLSVersion.allCases)
    func clients(_ test: Certificates.Case, _ version: TLSVersion) throws {
        let client = try Contexts.client { options in
            options.settings = .only(version)
            options.trust = try Certificates.trust(test.trust)
            options.revocation = try test.revocation()
        }
        let server = try TLSServerContext(TLSServerOptions(identity: try #require(try test.identity())))
        let meeting = try MemoryMeeting(client, server, host: test.host)
        guard case .certificate(let fault) = meeting.clientError?.tlsKind else {
            Issue.record("\(String(describing: meeting.result)) is no refusal")
            return
        }
        #expect("\(fault)" == test.fault)
        #expect(meeting.clientError?.description.contains(test.named) == true)
        #expect(meeting.serverError?.description.contains("TLS alert \(test.alert ?? "")") == true)
        #expect(meeting.asked.trace.events.isEmpty && meeting.served.trace.events.isEmpty)
    }

    @Test("a server refuses a client's certificate", arguments: try some(.server), TLSVersion.allCases)
    func servers(_ test: Certificates.Case, _ version: TLSVersion) throws {
        let client = try Contexts.client { options in
            options.settings = .only(version)
            options.identity = try test.identity()
        }
        let server = try Contexts.server { options in
            options.clientCertificates = .required(try Certificates.trust(test.trust))
            options.revocation = try test.revocation()
        }
        let meeting = try MemoryMeeting(client, server)
        guard case .certificate(let fault) = meeting.serverError?.tlsKind else {
            Issue.record("\(String(describing: meeting.serverError)) is no refusal")
            return
        }
        #expect("\(fault)" == test.fault)
        #expect(meeting.serverError?.description.contains(test.named) == true)
        #expect(meeting.served.trace.events.isEmpty)
        // A client of TLS 1.3 is done before its certificate is judged (RFC 8446 §4.4.2.4).
        let heard =
            switch version {
            case .v1_2: meeting.clientError
            case .v1_3: meeting.asked.lostError
            }
        let alert = test.fault == "missing" && version == .v1_2 ? "handshake_failure" : test.alert
        #expect(heard?.description.contains("TLS alert \(alert ?? "")") == true)
        #expect(meeting.asked.count(.made) == (version == .v1_3 ? 1 : 0))
        #expect(meeting.asked.isLost == (version == .v1_3))
    }

    @Test("every fault's sentence names the certificate, the reason and the remedy")
    func sentences() throws {
        let expected = [
            "expired (client)":
                "the certificate 'CN=expired leaf' of 'host.example.com' expired on DATE: it has to be renewed, unless "
                + "this machine's clock is wrong",
            "expired-intermediate (server)":
                "the certificate 'CN=Expired Intermediate' in the chain of the client expired on DATE: it has to be "
                + "renewed, unless this machine's clock is wrong",
            "not-yet-valid (client)":
                "the certificate 'CN=not-yet-valid leaf' of 'host.example.com' is not valid before DATE: check the "
                + "clocks, or wait until then",
            "host-other (client)":
                "the certificate 'CN=host-other leaf' of 'host.example.com' is for other.example.com and not for "
                + "'host.example.com': ask for a name that it has, or have this one put into it (subjectAltName)",
            "host-name-instead-of-address (client)":
                "the certificate 'CN=host-name-instead-of-address leaf' of '127.0.0.1' is for host.example.com, "
                + "DNS:127.0.0.1 and not for '127.0.0.1': ask for a name that it has, or have this one put into it "
                + "(subjectAltName)",
            "wide-top (client)":
                "the certificate 'CN=wide-top leaf' of 'example.com' is for *.com, a wildcard that is too wide to stand "
                + "for 'example.com': it has to be a whole label in front of a name with a dot",
            "unknown-root (client)":
                "the certificate 'CN=Test Intermediate' in the chain of 'host.example.com' is signed by 'CN=Test Root', "
                + "which is not trusted: add that root to the trusted ones if it should be",
            "unknown-root-sent (client)":
                "the certificate 'CN=Test Root' in the chain of 'host.example.com' is a root that is not trusted: add it "
                + "to those that are if it should be",
            "self-signed (client)":
                "the certificate 'CN=self-signed leaf' of 'host.example.com' is signed by itself and not among the "
                + "trusted ones: add it to them if it should be",
            "missing-intermediate (client)":
                "the certificate 'CN=chained leaf' of 'host.example.com' is signed by 'CN=Test Intermediate', which was "
                + "neither sent nor is trusted: 'host.example.com' has to send it along",
            "list-missing (client)":
                "the revocation list of 'CN=Test Intermediate', needed for the certificate 'CN=not-revoked leaf' of "
                + "'host.example.com', is missing: load it",
            "list-expired (client)":
                "the revocation list of 'CN=Test Intermediate', needed for the certificate 'CN=not-revoked leaf' of "
                + "'host.example.com', is not valid now but from DATE to DATE, or it is forged: load the current one",
            "wrong-purpose-server (server)":
                "the certificate 'CN=purpose-server leaf' of the client is not meant for a client: its extended key "
                + "usage has to have clientAuth",
            "none (server)": "the client sent no certificate, and this server requires one",
        ]
        var found: [String: String] = [:]
        for test in try Certificates.cases(of: .client) + Certificates.cases(of: .server) {
            guard expected[test.name] != nil else { continue }
            found[test.name] = try sentence(of: test)?.replacing(/[0-9-]{10} [0-9:]{5} UTC/, with: "DATE")
        }
        #expect(found == expected)
    }

    /// The rows of the page's table of faults: fault and alert.
    private func documented() throws -> [String: String] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Documentation/tls.md")
        var rows: [String: String] = [:]
        for line in String(decoding: try Data(contentsOf: path), as: UTF8.self).split(separator: "\n") {
            guard let row = line.wholeMatch(of: /\| `(\w+)` \| `(\w+)` \| .*/) else { continue }
            rows[String(row.1)] = String(row.2)
        }
        return rows
    }

    @Test("Documentation/tls.md has every fault with its alert")
    func page() throws {
        var alerts: [String: String] = [:]
        for test in try Certificates.cases(of: .client) + Certificates.cases(of: .server) {
            if let fault = test.fault { alerts[fault] = test.alert }
        }
        #expect(try documented() == alerts)
    }

    private func sentence(of test: Certificates.Case) throws -> String? {
        switch test.judge {
        case .client:
            let client = try Contexts.client { options in
                options.trust = try Certificates.trust(test.trust)
                options.revocation = try test.revocation()
            }
            let server = try TLSServerContext(TLSServerOptions(identity: try #require(try test.identity())))
            return try EnginePair(client, server, host: test.host).client.error?.text
        case .server:
            let client = try Contexts.client { $0.identity = try test.identity() }
            let server = try Contexts.server { $0.clientCertificates = .required(try Certificates.trust(test.trust)) }
            return try EnginePair(client, server).server.error?.text
        case .loader: return nil
        }
    }
}
