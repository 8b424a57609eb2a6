import AnyloopCore
import Testing

@testable import AnyloopTLS

/// A context's own certificate and key: what cannot be used is said with the file and the reason.
@Suite struct ContextFileTests {
    @Test("certificates and keys", arguments: try Certificates.cases(of: .loader))
    func identities(_ test: Certificates.Case) throws {
        func load() throws {
            let identity = try #require(try test.identity())
            let server = try TLSServerContext(TLSServerOptions(identity: identity))
            #expect(try EnginePair(try Contexts.client(), server).isOpen)
            _ = try Contexts.client { $0.identity = identity }
        }
        guard test.fault != nil else { return try load() }
        let error = #expect(throws: TLSError.self) { try load() }
        #expect(error?.kind == .configuration)
        #expect(error?.text.contains(test.named) == true, "\(error?.text ?? "")")
    }

    @Test("a certificate of our own with a weak key is named")
    func weak() throws {
        let error = #expect(throws: TLSError.self) {
            try TLSServerContext(
                TLSServerOptions(identity: try Certificates.identity("weak-key.chain.pem", "leaf-rsa1024.key")))
        }
        #expect(error?.kind == .configuration)
        #expect(error?.text.contains("CN=weak-key leaf") == true && error?.text.contains("too small") == true)
    }

    @Test("one file may hold both, in either order")
    func oneText() throws {
        let chain = try Certificates.bytes("good-ec.chain.pem")
        let key = try Certificates.bytes("leaf.key")
        for text in [chain + key, key + chain] {
            let identity = TLSIdentity(certificateChain: text, privateKey: text)
            let server = try TLSServerContext(TLSServerOptions(identity: identity))
            #expect(try EnginePair(try Contexts.client(), server).isOpen)
        }
    }

    @Test("a certificate made here is for its names")
    func selfSigned() throws {
        let long = String(repeating: "a", count: 63) + "." + String(repeating: "b", count: 63) + ".example"
        let names = ["one.example", "*.two.example", "127.0.0.1", "::1", long]
        let identity = try TLSIdentity.selfSigned(names: names)
        let server = try TLSServerContext(TLSServerOptions(identity: identity))
        let client = try Contexts.client { $0.trust = .pem(identity.certificateChain) }
        for name in ["one.example", "x.two.example", "127.0.0.1", "::1", long] {
            #expect(try EnginePair(client, server, host: name).isOpen)
        }
        #expect(try EnginePair(client, server, host: "127.0.0.2").client.error?.kind == .certificate(.wrongHost))
    }

    @Test("the first name may be too long for a subject (RFC 5280 appendix A: 64)", arguments: [64, 65])
    func longFirstName(_ length: Int) throws {
        let name = String(repeating: "a", count: 40) + "." + String(repeating: "b", count: length - 41)
        let identity = try TLSIdentity.selfSigned(names: [name])
        let server = try TLSServerContext(TLSServerOptions(identity: identity))
        let client = try Contexts.client { $0.trust = .pem(identity.certificateChain) }
        #expect(try EnginePair(client, server, host: name).isOpen)
    }

    @Test("names that no certificate can have", arguments: [[], [""], ["bücher.example"], ["a b"]])
    func badNames(_ names: [String]) throws {
        let error = #expect(throws: TLSError.self) { try TLSIdentity.selfSigned(names: names) }
        #expect(error?.kind == .configuration)
    }
}
