import AnyloopCore
import Testing

@testable import AnyloopTLS

/// Application protocols (RFC 7301) and names (SNI, RFC 6066): what is agreed on, and what is refused.
@Suite struct ContextNameTests {
    struct Offer: Sendable, CustomTestStringConvertible {
        let client: [String]
        let server: [String]
        let agreed: String?
        var testDescription: String { "\(client) and \(server)" }
    }

    @Test(
        "application protocols",
        arguments: [
            Offer(client: ["h2", "http/1.1"], server: ["http/1.1"], agreed: "http/1.1"),
            // The server's order counts.
            Offer(client: ["http/1.1", "h2"], server: ["h2", "http/1.1"], agreed: "h2"),
            Offer(client: [], server: ["h2"], agreed: nil),
            Offer(client: ["h2"], server: [], agreed: nil),
            Offer(
                client: [String(repeating: "x", count: 255)], server: [String(repeating: "x", count: 255)],
                agreed: String(repeating: "x", count: 255)),
        ], TLSVersion.allCases)
    func protocols(_ offer: Offer, _ version: TLSVersion) throws {
        let pair = try EnginePair(
            try Contexts.client { options in
                options.settings = .only(version)
                options.settings.applicationProtocols = offer.client
            }, try Contexts.server { $0.settings.applicationProtocols = offer.server })
        #expect(pair.isOpen)
        #expect(pair.client.info.alpn == offer.agreed && pair.server.info.alpn == offer.agreed)
    }

    @Test("no application protocol in common", arguments: TLSVersion.allCases)
    func noCommonProtocol(_ version: TLSVersion) throws {
        let pair = try EnginePair(
            try Contexts.client { options in
                options.settings = .only(version)
                options.settings.applicationProtocols = ["h2"]
            }, try Contexts.server { $0.settings.applicationProtocols = ["http/1.1"] })
        #expect(pair.server.error?.kind == .noCommonProtocol)
        let heard = try #require(pair.client.error)
        #expect(heard.kind == .alert(120))
        #expect(heard.text.contains("no_application_protocol"))
    }

    @Test("application protocols that cannot be sent", arguments: ["", String(repeating: "x", count: 256)])
    func badProtocols(_ name: String) throws {
        let error = #expect(throws: TLSError.self) {
            try Contexts.client { $0.settings.applicationProtocols = [name] }
        }
        #expect(error?.kind == .configuration)
    }

    /// A server with contexts for `exact.test`, `*.test` and `other.test` beside its own for `default.test`.
    private struct Names {
        let main: TLSServerContext
        let client: TLSClientContext

        init(refusesUnknown: Bool = false) throws {
            let exact = try Contexts.server(named: "exact.test")
            let wildcard = try Contexts.server(named: "*.test.example")
            main = try Contexts.server(named: "default.test") { options in
                options.contextsByName = ["exact.test": exact, "*.test.example": wildcard]
                options.refusesUnknownNames = refusesUnknown
            }
            client = try Contexts.client(trusting: [exact, wildcard, main]) { $0.verifiesHostName = false }
        }

        /// The names of the certificate that a client sees that asks for `name`.
        func served(_ name: String?, _ version: TLSVersion) throws -> EnginePair {
            let options = client.options
            let other = try Contexts.client {
                $0 = options
                $0.settings = .only(version)
            }
            return try EnginePair(other, main, host: name)
        }

        func context(of pair: EnginePair) throws -> String? {
            let certificate = try #require(pair.client.info.peerCertificates.first)
            let text = String(decoding: certificate, as: UTF8.self)
            return ["exact.test", "*.test.example", "default.test"].first { text.contains($0) }
        }
    }

    struct Asked: Sendable {
        let name: String?
        let served: String
    }

    @Test(
        "the context for a name",
        arguments: [
            Asked(name: "exact.test", served: "exact.test"),
            Asked(name: "EXACT.Test", served: "exact.test"),
            Asked(name: "one.test.example", served: "*.test.example"),
            Asked(name: "two.one.test.example", served: "default.test"),
            Asked(name: "test.example", served: "default.test"),
            Asked(name: "unknown.test", served: "default.test"),
            Asked(name: "127.0.0.1", served: "default.test"),
            Asked(name: nil, served: "default.test"),
        ], TLSVersion.allCases)
    func contexts(_ asked: Asked, _ version: TLSVersion) throws {
        let names = try Names()
        let pair = try names.served(asked.name, version)
        #expect(pair.isOpen)
        #expect(try names.context(of: pair) == asked.served)
        #expect(pair.server.info.serverName == (asked.name == "127.0.0.1" ? nil : asked.name))
    }

    @Test("an exact name goes before a wildcard")
    func exactFirst() throws {
        let exact = try Contexts.server(named: "one.test.example")
        let wildcard = try Contexts.server(named: "*.test.example")
        let main = try Contexts.server(named: "default.test") {
            $0.contextsByName = ["*.test.example": wildcard, "one.test.example": exact]
        }
        let pair = try EnginePair(try Contexts.client(trusting: [exact]), main, host: "one.test.example")
        #expect(pair.isOpen)
    }

    @Test("an unknown name can be refused; no name cannot", arguments: TLSVersion.allCases)
    func unknownRefused(_ version: TLSVersion) throws {
        let names = try Names(refusesUnknown: true)
        let pair = try names.served("unknown.test", version)
        #expect(pair.server.error?.kind == .unrecognizedName)
        let heard = try #require(pair.client.error)
        #expect(heard.kind == .alert(112))
        #expect(heard.text.contains("unrecognized_name"))
        #expect(try names.served("exact.test", version).isOpen)
        #expect(try names.served(nil, version).isOpen)
    }

    @Test("names that cannot be served", arguments: ["", "*", "*.", "a.*.test", "bücher.test", ".test", "*.*.test"])
    func badNames(_ name: String) throws {
        let other = try Contexts.server(named: "x.test")
        let error = #expect(throws: TLSError.self) {
            try Contexts.server { $0.contextsByName = [name: other] }
        }
        #expect(error?.kind == .configuration)
        #expect(error?.text.contains("'\(name)'") == true)
    }

    @Test("a name's context brings all its settings")
    func everySetting() throws {
        let other = try Contexts.server(named: "other.test") { options in
            options.settings = .only(.v1_2)
            options.settings.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"
            options.settings.groups = "P-384"
            options.settings.applicationProtocols = ["inner"]
            options.clientCertificates = .required(try Certificates.trust())
        }
        let main = try Contexts.server { $0.contextsByName = ["other.test": other] }
        let change: (inout TLSClientOptions) -> Void = { $0.settings.applicationProtocols = ["outer", "inner"] }
        let nameless = try EnginePair(
            try Contexts.client(trusting: [other], change), main, host: "other.test")
        #expect(nameless.server.error?.kind == .certificate(.missing))

        let client = try Contexts.client(trusting: [other]) { options in
            change(&options)
            options.identity = try Certificates.identity("good-rsa.chain.pem", "leaf-rsa.key")
        }
        let pair = try EnginePair(client, main, host: "other.test")
        #expect(pair.isOpen)
        #expect(pair.client.info.version == "TLSv1.2")
        #expect(pair.client.info.cipher == "ECDHE-ECDSA-CHACHA20-POLY1305")
        #expect(pair.client.info.alpn == "inner")
        #expect(pair.server.info.peerCertificates.count == 2)

        let groups = try Contexts.client(trusting: [other]) { options in
            options = client.options
            options.settings.groups = "X25519"
        }
        #expect(try EnginePair(groups, main, host: "other.test").server.error?.kind == .noCommonCipher)
    }

    @Test("the choice stands when the client has to say hello again (RFC 8446 §4.1.4)")
    func secondHello() throws {
        let refusing = try Contexts.server(named: "inner.test") { options in
            options.settings.groups = "P-384"
            options.refusesUnknownNames = true
        }
        let main = try Contexts.server { $0.contextsByName = ["inner.test": refusing] }
        let client = try Contexts.client(trusting: [refusing]) { options in
            options.settings = .only(.v1_3)
            // The key share is X25519's.
            options.settings.groups = "X25519:P-384"
        }
        let pair = try EnginePair(client, main, host: "inner.test")
        #expect(pair.isOpen)
    }
}
