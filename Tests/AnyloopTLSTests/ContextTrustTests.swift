import AnyloopCore
import Foundation
import Testing

@testable import AnyloopTLS

/// Whom a context trusts, and that it is this context that counts.
@Suite struct ContextTrustTests {
    @Test("two clients with different trust in one process")
    func twoClients() throws {
        let server = try Contexts.server()
        let trusting = try Contexts.client()
        let other = try Contexts.client { $0.trust = try Certificates.trust("other-root.pem") }
        for _ in 0..<3 {
            #expect(try EnginePair(trusting, server).isOpen)
            #expect(try EnginePair(other, server).client.error?.kind == .certificate(.unknownRoot))
        }
    }

    @Test("two servers with different trust in one process")
    func twoServers() throws {
        let client = try Contexts.client { $0.identity = try Certificates.identity("good-ec.chain.pem") }
        let trusting = try Contexts.server { $0.clientCertificates = .required(try Certificates.trust()) }
        let other = try Contexts.server { $0.clientCertificates = .required(try Certificates.trust("other-root.pem")) }
        for _ in 0..<3 {
            #expect(try EnginePair(client, trusting).isOpen)
            #expect(try EnginePair(client, other).server.error?.kind == .certificate(.unknownRoot))
        }
    }

    @Test("a text, and several sources together")
    func sources() throws {
        let server = try Contexts.server()
        let text = try Certificates.bytes("root.pem")
        #expect(try EnginePair(try Contexts.client { $0.trust = .pem(text) }, server).isOpen)
        let both = try Certificates.trust("other-root.pem") + .pem(text)
        #expect(try EnginePair(try Contexts.client { $0.trust = both }, server).isOpen)
    }

    @Test("a directory of hashed names")
    func directory() throws {
        let directory = try hashedDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let client = try Contexts.client { $0.trust = .directory(directory) }
        #expect(try EnginePair(client, try Contexts.server()).isOpen)
    }

    /// The system's store with one of these variables set; a process of its own, since the environment is everybody's.
    @Test("the system's trust, and the environment's in its place")
    func system() async throws {
        await #expect(processExitsWith: .success) {
            let server = try Contexts.server()
            let system = try Contexts.client { $0.trust = .system }
            #expect(try EnginePair(system, server).client.error?.kind == .certificate(.unknownRoot))
            unsafe setenv("SSL_CERT_FILE", try Certificates.path("root.pem"), 1)
            #expect(try EnginePair(try Contexts.client { $0.trust = .system }, server).isOpen)
            unsafe unsetenv("SSL_CERT_FILE")
            let directory = try hashedDirectory()
            unsafe setenv("SSL_CERT_DIR", directory, 1)
            #expect(try EnginePair(try Contexts.client { $0.trust = .system }, server).isOpen)
            try FileManager.default.removeItem(atPath: directory)
        }
    }

    @Test("files without a certificate or a list, by name", arguments: ["empty.pem", "text.pem", "garbage.pem"])
    func badFiles(_ name: String) throws {
        let trust = #expect(throws: TLSError.self) {
            try Contexts.client { $0.trust = try Certificates.trust(name) }
        }
        #expect(trust?.kind == .configuration)
        #expect(trust?.text.contains(name) == true)
        let lists = #expect(throws: TLSError.self) {
            try Contexts.client { $0.revocation = try .file(try Certificates.path(name)) }
        }
        #expect(lists?.kind == .configuration)
        #expect(lists?.text.contains(name) == true)
    }

    @Test("files that cannot be read")
    func unreadableFiles() throws {
        let paths = [
            (try Certificates.path("nowhere.pem"), "no such file"), ("/tmp", "directory"), ("/dev/zero", "regular"),
        ]
        for (path, reason) in paths {
            let error = #expect(throws: TLSError.self) { try TLSTrust.file(path) }
            #expect(error?.text.contains(path) == true && error?.text.contains(reason) == true)
        }
    }

    @Test(
        "verification off: any certificate will do, and later failures are what they are",
        arguments: TLSVersion.allCases)
    func noVerification(_ version: TLSVersion) throws {
        let client = try Contexts.client { options in
            options.settings = .only(version)
            options.verifiesCertificate = false
        }
        let server = try Contexts.server(named: "somebody.else")
        let pair = try EnginePair(client, server)
        #expect(pair.isOpen)
        #expect(pair.client.info.peerCertificates.count == 1)
        // Bytes that are no record.
        pair.client.receive([UInt8](repeating: 0x55, count: 64))
        let error = try #require(pair.client.error)
        #expect(error.kind == .malformed || error.kind == .plainText)
    }

    @Test("without the check of names the chain is still checked")
    func noNameCheck() throws {
        let change: (inout TLSClientOptions) -> Void = { $0.verifiesHostName = false }
        let server = try Contexts.server()
        #expect(try EnginePair(try Contexts.client(change), server, host: "other.example.com").isOpen)
        let unknown = try EnginePair(try Contexts.client(change), try Contexts.server(named: Certificates.host))
        #expect(unknown.client.error?.kind == .certificate(.selfSigned))
    }

    @Test("lists for the peer's certificate alone, or for the whole chain")
    func scopes() throws {
        let server = try Contexts.server()
        let list = try Certificates.bytes("intermediate.crl")
        #expect(try EnginePair(try Contexts.client { $0.revocation = .pem(list) }, server).isOpen)
        let whole = try EnginePair(try Contexts.client { $0.revocation = .pem(list, scope: .wholeChain) }, server)
        #expect(whole.client.error?.kind == .certificate(.noRevocationList))
        #expect(whole.client.error?.text.contains("Test Root") == true)
    }

    // MARK: Names to check

    @Test("an absolute name is the same host", arguments: TLSVersion.allCases)
    func absoluteName(_ version: TLSVersion) throws {
        let pair = try EnginePair(
            try Contexts.client { $0.settings = .only(version) }, try Contexts.server(), host: "\(Certificates.host).")
        #expect(pair.isOpen)
        #expect(pair.server.info.serverName == Certificates.host)
    }

    @Test(
        "what is no host's name is no name to check",
        arguments: [
            "", ".", ".example.com", "*.example.com", "host example.com", "bücher.example", "a\0b",
            String(repeating: "a", count: 256),
        ])
    func noNames(_ name: String) throws {
        let error = #expect(throws: TLSError.self) {
            try EnginePair(try Contexts.client(), try Contexts.server(), host: name)
        }
        #expect(error?.kind == .configuration)
        #expect(error?.text.contains("'\(name)'") == true)
    }

    @Test("the longest name that can be sent")
    func longestName() throws {
        let name = String(repeating: "a", count: 63) + "." + String(repeating: "b", count: 191)
        let client = try Contexts.client { $0.verifiesHostName = false }
        let pair = try EnginePair(client, try Contexts.server(), host: name)
        #expect(pair.isOpen && pair.server.info.serverName == name)
    }
}

/// A directory with the root in it, under the name that OpenSSL looks for.
private func hashedDirectory() throws -> String {
    let manager = FileManager.default
    let directory = manager.temporaryDirectory.appendingPathComponent("anyloop-trust-\(UUID().uuidString)").path
    try manager.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try manager.copyItem(atPath: try Certificates.path("root.pem"), toPath: "\(directory)/root.pem")
    let rehash = Process()
    rehash.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    rehash.arguments = ["openssl", "rehash", directory]
    try rehash.run()
    rehash.waitUntilExit()
    try #require(rehash.terminationStatus == 0)
    return directory
}
