import AnyloopCore
import AnyloopTesting
import Testing

@testable import AnyloopTLS

/// Sessions and contexts of whole connections: which name a session is kept for, and new contexts while old
/// connections live on.
@Suite struct ContextReloadTests {
    @Test("a session is kept for its server and name alone", arguments: TLSVersion.allCases)
    func sessionsByName(_ version: TLSVersion) throws {
        let server = try Contexts.server()
        let client = try Contexts.client { options in
            options.settings = .only(version)
            options.verifiesHostName = false
        }
        func isResumed(_ host: String) throws -> Bool? {
            try MemoryMeeting(client, server, host: host).info?.isResumed
        }
        #expect(try isResumed(Certificates.host) == false)
        #expect(try isResumed("other.example.com") == false)
        #expect(try isResumed(Certificates.host) == true)
        #expect(try isResumed("other.example.com") == true)
    }

    @Test("another client context shares no sessions", arguments: TLSVersion.allCases)
    func sessionsByContext(_ version: TLSVersion) throws {
        let server = try Contexts.server()
        let clients = try (0..<2).map { _ in try Contexts.client { $0.settings = .only(version) } }
        for client in clients { #expect(try MemoryMeeting(client, server).info?.isResumed == false) }
        for client in clients { #expect(try MemoryMeeting(client, server).info?.isResumed == true) }
    }

    @Test("a new context serves new connections while old ones live on", arguments: TLSVersion.allCases)
    func reload(_ version: TLSVersion) throws {
        let old = try Contexts.server(named: Certificates.host)
        let new = try Contexts.server(named: Certificates.host)
        let client = try Contexts.client(trusting: [old, new]) { options in
            options.settings = .only(version)
            options.sessionLimit = 0
        }
        let loop = ClosingLoop()
        let source = TLSServerContextSource(old)
        let first = try MemoryMeeting(on: loop, client, source)
        source.current = new
        let second = try MemoryMeeting(on: loop, client, source)
        let certificates = [first, second].map { $0.info?.peerCertificates }
        #expect(certificates[0] != nil && certificates[1] != nil && certificates[0] != certificates[1])
        for meeting in [first, second] {
            meeting.asked.transport?.write(Array("still here".utf8))
            loop.loop.runUntilIdle()
            #expect(meeting.served.byteCount == 10)
        }
    }

    @Test("old tickets work with a new context if the keys are kept", arguments: TLSVersion.allCases, [true, false])
    func ticketsAfterReload(_ version: TLSVersion, _ keepsKeys: Bool) throws {
        let keys = try TLSTicketKeys()
        let source = TLSServerContextSource(try Contexts.server { $0.ticketKeys = keys })
        let client = try Contexts.client { $0.settings = .only(version) }
        #expect(try MemoryMeeting(client, source).info?.isResumed == false)
        source.current = try Contexts.server { $0.ticketKeys = keepsKeys ? keys : nil }
        #expect(try MemoryMeeting(client, source).info?.isResumed == keepsKeys)
        #expect(try MemoryMeeting(client, source).info?.isResumed == true)
    }

    @Test("a context may go while its connections live on")
    func contextGone() throws {
        let loop = ClosingLoop()
        let meeting = try MemoryMeeting(on: loop, try Contexts.client(), try Contexts.server())
        meeting.asked.transport?.write(Array("still here".utf8))
        loop.loop.runUntilIdle()
        #expect(meeting.served.byteCount == 10)
        meeting.asked.transport?.close()
        loop.loop.runUntilIdle()
        #expect(meeting.served.isLost && meeting.asked.isLost)
    }
}
