public import AnyloopCore
public import AnyloopHarness
import AnyloopTLS

/// Our TLS behind a transport, as it shakes hands with bytes that somebody recorded or wrote.
///
/// Such bytes fit our random numbers only as long as nothing is encrypted, so what is judged is how far the handshake
/// gets in the clear, the error where it fails, and the alert that says so.
public struct TLSHandshakeSubject: ProtocolSubject {
    /// The host that recorded clients ask for.
    static let serverName = "server.example"

    let side: Fixture.Side

    /// A subject that takes this side.
    public init(_ side: Fixture.Side) { self.side = side }

    /// A connection whose handshake's error is recorded; a client begins as soon as the connection stands.
    public func makeConversation(for fixture: Fixture, on loop: any Loop) throws -> Conversation {
        let log = TraceLog()
        let contexts = try Contexts.shared.get()
        let told: TLSProtocol.Handshake = { result in
            switch result {
            case .success: log.event(.upgrade)
            case .failure(let error): log.record { $0.error(Self.code(of: error)) }
            }
        }
        let silent = SilentProtocol()
        switch side {
        case .server:
            var options = TLSConnectionOptions()
            options.plainTextAnswer = Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".utf8)
            return Conversation(
                streamProtocol: TLSProtocol.server(
                    on: loop, contexts.server, options: options, around: silent, handshake: told), log: log)
        case .client:
            return Conversation(
                streamProtocol: try TLSProtocol.client(
                    on: loop, contexts.client, serverName: Self.serverName, around: silent, handshake: told), log: log)
        }
    }

    /// The kinds of its records and what is in the clear in them: the rest depends on random numbers.
    public func normalise(written: [UInt8]) -> [UInt8] {
        Array(TLSRecordText.lines(of: written).joined(separator: "\n").utf8)
    }

    /// What is wrong with the records themselves (RFC 8446 §5).
    public func flaw(inWritten written: [UInt8], for fixture: Fixture) -> String? {
        TLSRecordText.flaw(in: written)
    }

    /// The name of an error in the fixtures.
    static func code(of error: TransportError) -> String {
        guard case .tls(let error) = error else { return "connection-lost" }
        switch error.kind {
        case .certificate(let fault): return "certificate-\(hyphened("\(fault)"))"
        case .alert(let number): return "alert-\(number)"
        default: return hyphened("\(error.kind)")
        }
    }

    /// `noCommonVersion` as `no-common-version`, without associated values.
    private static func hyphened(_ name: String) -> String {
        name.prefix { $0 != "(" }.reduce(into: "") { text, character in
            text += character.isUppercase ? "-\(character.lowercased())" : "\(character)"
        }
    }

    /// Made once a process: a context costs more than all handshakes of a fixture.
    private struct Contexts {
        let server: TLSServerContext
        let client: TLSClientContext

        static let shared = Result { try Contexts() }

        private init() throws {
            let identity = try TLSIdentity.selfSigned(names: [TLSHandshakeSubject.serverName])
            var options = TLSServerOptions(identity: identity)
            options.settings.applicationProtocols = ["http/1.1"]
            server = try TLSServerContext(options)
            var client = TLSClientOptions()
            // No recording knows this root.
            client.trust = .pem(identity.certificateChain)
            self.client = try TLSClientContext(client)
        }
    }
}

/// An application that nobody ever talks to: no handshake with a recording comes to its end.
private final class SilentProtocol: StreamProtocol {
    func dataReceived(_ data: Span<UInt8>) {}
}

extension Subject {
    /// Our TLS as a server.
    public static let tlsServer = Subject(tls: .server)

    /// Our TLS as a client.
    public static let tlsClient = Subject(tls: .client)

    private init(tls side: Fixture.Side) {
        self.init(
            name: "tls-\(side.rawValue)", side: side, tags: ["tls"], protocol: TLSHandshakeSubject(side))
        isTLS = true
    }
}
