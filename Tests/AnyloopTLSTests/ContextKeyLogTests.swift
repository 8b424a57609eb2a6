import AnyloopCore
import Synchronization
import Testing

@testable import AnyloopTLS

/// Secrets for Wireshark, in NSS's key log format; only where they are asked for.
@Suite struct ContextKeyLogTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var sorted: [String] { lines.withLock { $0.sorted() } }
    }

    @Test("both sides log the same secrets", arguments: TLSVersion.allCases)
    func lines(_ version: TLSVersion) throws {
        let client = Lines()
        let server = Lines()
        let pair = try EnginePair(
            try Contexts.client { options in
                options.settings = .only(version)
                options.settings.keyLog = { client.add($0) }
            }, try Contexts.server { $0.settings.keyLog = { server.add($0) } })
        #expect(pair.isOpen)
        let lines = client.sorted
        #expect(server.sorted == lines)
        let labels =
            switch version {
            case .v1_2: ["CLIENT_RANDOM"]
            case .v1_3:
                [
                    "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "EXPORTER_SECRET",
                    "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0",
                ]
            }
        #expect(lines.map { $0.prefix { $0 != " " } } == labels.map { $0[...] })
        for line in lines {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            try #require(fields.count == 3)
            #expect(fields[1].count == 64 && fields[2].count == 96)
            #expect(fields[1...].joined().allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }

    @Test("a name's context logs to its own")
    func namedContext() throws {
        let inner = Lines()
        let outer = Lines()
        let named = try Contexts.server { $0.settings.keyLog = { inner.add($0) } }
        let main = try Contexts.server { options in
            options.contextsByName = [Certificates.host: named]
            options.settings.keyLog = { outer.add($0) }
        }
        #expect(try EnginePair(try Contexts.client(), main).isOpen)
        #expect(inner.sorted.count == 5 && outer.sorted.isEmpty)
    }
}
