import AnyloopCore
import Testing

@testable import AnyloopTLS

/// Tickets: which sessions are resumed, which must not be, and how many a client keeps.
@Suite struct ContextSessionTests {
    @Test("a session is resumed", arguments: TLSVersion.allCases)
    func resumption(_ version: TLSVersion) throws {
        let client = try Contexts.client { $0.settings = .only(version) }
        let server = try Contexts.server()
        let first = try EnginePair(client, server)
        #expect(first.isOpen && !first.client.info.isResumed && !first.server.info.isResumed)
        let session = try #require(first.takeSession())
        let second = try EnginePair(client, server, resuming: session)
        #expect(second.isOpen && second.client.info.isResumed && second.server.info.isResumed)
        // What the first handshake found out is still known.
        #expect(second.client.info.peerCertificates.first == first.client.info.peerCertificates.first)
        #expect(second.server.info.serverName == Certificates.host)
        #expect(second.client.info.version == version.name)
    }

    @Test("without tickets there is nothing to resume", arguments: TLSVersion.allCases)
    func noTickets(_ version: TLSVersion) throws {
        let client = try Contexts.client { $0.settings = .only(version) }
        let server = try Contexts.server { $0.ticketCount = 0 }
        let first = try EnginePair(client, server)
        let second = try EnginePair(client, server, resuming: first.takeSession())
        #expect(first.isOpen && second.isOpen && !second.client.info.isResumed)
    }

    @Test("a client that keeps no sessions asks for none", arguments: TLSVersion.allCases)
    func noSessions(_ version: TLSVersion) throws {
        let client = try Contexts.client { options in
            options.settings = .only(version)
            options.sessionLimit = 0
        }
        let first = try EnginePair(client, try Contexts.server())
        #expect(first.isOpen && first.takeSession() == nil)
    }

    @Test(
        "another context with the same ticket keys resumes, one with its own does not", arguments: TLSVersion.allCases)
    func ticketKeys(_ version: TLSVersion) throws {
        let client = try Contexts.client { $0.settings = .only(version) }
        let keys = try TLSTicketKeys()
        let old = try Contexts.server { $0.ticketKeys = keys }
        let new = try Contexts.server { $0.ticketKeys = keys }
        let session = try #require(try EnginePair(client, old).takeSession())
        #expect(try EnginePair(client, new, resuming: session).client.info.isResumed)

        let another = try #require(try EnginePair(client, old).takeSession())
        let stranger = try EnginePair(client, try Contexts.server(), resuming: another)
        #expect(stranger.isOpen && !stranger.client.info.isResumed)
    }

    @Test("a session is never used for another host, whatever it is offered", arguments: TLSVersion.allCases)
    func otherHost(_ version: TLSVersion) throws {
        let server = try Contexts.server()
        let client = try Contexts.client { $0.settings = .only(version) }
        let session = try #require(try EnginePair(client, server).takeSession())
        let other = try EnginePair(client, server, host: "other.example.com", resuming: session)
        #expect(other.client.error?.kind == .certificate(.wrongHost))
        #expect(!other.isOpen)
    }

    // MARK: Clients' certificates

    private func identified(_ version: TLSVersion) throws -> TLSClientContext {
        try Contexts.client { options in
            options.settings = .only(version)
            options.identity = try Certificates.identity("good-rsa.chain.pem", "leaf-rsa.key")
        }
    }

    @Test("a resumed session knows its client's certificate", arguments: TLSVersion.allCases)
    func clientCertificate(_ version: TLSVersion) throws {
        let client = try identified(version)
        let server = try Contexts.server { $0.clientCertificates = .required(try Certificates.trust()) }
        let first = try EnginePair(client, server)
        let session = try #require(first.takeSession())
        let second = try EnginePair(client, server, resuming: session)
        #expect(second.isOpen && second.server.info.isResumed)
        #expect(second.server.info.peerCertificates.first == first.server.info.peerCertificates.first)
        #expect(second.server.info.peerCertificates.isEmpty == false)
    }

    @Test(
        "a ticket from a name without client certificates does not open one that requires them",
        arguments: TLSVersion.allCases)
    func ticketFromAnotherName(_ version: TLSVersion) throws {
        let inner = try Contexts.server { $0.clientCertificates = .required(try Certificates.trust()) }
        let main = try Contexts.server { $0.contextsByName = [Certificates.host: inner] }
        let client = try Contexts.client { options in
            options.settings = .only(version)
            options.verifiesHostName = false
        }
        let outside = try EnginePair(client, main, host: "outside.example.com")
        let session = try #require(outside.takeSession())
        let attempt = try EnginePair(client, main, host: Certificates.host, resuming: session)
        #expect(attempt.server.error?.kind == .certificate(.missing))
        #expect(!attempt.server.info.isResumed)
    }

    @Test("after a change of what is asked of clients no old session is resumed", arguments: TLSVersion.allCases)
    func changedDemands(_ version: TLSVersion) throws {
        let keys = try TLSTicketKeys()
        func server(_ lists: [String], _ certificates: TLSServerOptions.ClientCertificates) throws -> TLSServerContext {
            try Contexts.server { options in
                options.ticketKeys = keys
                options.clientCertificates = certificates
                if !lists.isEmpty { options.revocation = .pem(try lists.flatMap { try Certificates.bytes($0) }) }
            }
        }
        let trust = try Certificates.trust()
        let client = try Contexts.client { options in
            options.settings = .only(version)
            options.identity = try Certificates.identity("revoked.chain.pem")
        }
        let trusting = try server([], .required(trust))
        let session = try #require(try EnginePair(client, trusting).takeSession())
        let revoking = try EnginePair(client, try server(["intermediate.crl"], .required(trust)), resuming: session)
        #expect(revoking.server.error?.kind == .certificate(.revoked))

        let open = try server([], .none)
        let anonymous = try #require(try EnginePair(client, open).takeSession())
        let asked = try EnginePair(client, trusting, resuming: anonymous)
        #expect(asked.isOpen && !asked.server.info.isResumed)
        #expect(asked.server.info.peerCertificates.isEmpty == false)
    }

    // MARK: The client's cache

    @Test("the cache holds as many sessions as it may, and drops the one used least recently for one more")
    func cacheLimit() throws {
        let client = try Contexts.client { $0.settings = .only(.v1_2) }
        let server = try Contexts.server()
        let cache = TLSSessionCache(limit: 2)
        func insert(_ name: String) throws {
            cache.insert(try #require(try EnginePair(client, server).takeSession()), for: name)
        }
        try insert("a")
        try insert("b")
        #expect(cache.count == 2)
        #expect(cache.take(for: "a") != nil)
        try insert("c")
        #expect(cache.count == 2)
        #expect(cache.take(for: "b") == nil)
        #expect(cache.take(for: "a") != nil && cache.take(for: "c") != nil)
        // A newer one for the same server takes the place of the older.
        try insert("a")
        #expect(cache.count == 2)
        #expect(cache.take(for: "c") != nil)
    }

    @Test("a session of TLS 1.3 is given out once, one of TLS 1.2 again and again")
    func singleUse() throws {
        let server = try Contexts.server()
        for version in TLSVersion.allCases {
            let cache = TLSSessionCache(limit: 1)
            let client = try Contexts.client { $0.settings = .only(version) }
            cache.insert(try #require(try EnginePair(client, server).takeSession()), for: "a")
            #expect(cache.take(for: "a") != nil)
            #expect((cache.take(for: "a") != nil) == (version == .v1_2))
        }
    }

    @Test("a cache without room keeps nothing")
    func noCache() throws {
        let cache = TLSSessionCache(limit: 0)
        cache.insert(
            try #require(try EnginePair(try Contexts.client(), try Contexts.server()).takeSession()), for: "a")
        #expect(cache.count == 0 && cache.take(for: "a") == nil)
    }
}
