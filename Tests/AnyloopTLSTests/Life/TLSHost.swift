import AnyloopCore
import AnyloopTesting

@testable import AnyloopTLS

/// How TLS is put over another host.
struct TLSSetup: Sendable, CustomStringConvertible {
    enum Side: String, CaseIterable, Sendable {
        case client
        case server
    }

    /// Which side is under test.
    var side: Side
    var version = TLSVersion.v1_3
    /// 2 is TLS in TLS.
    var layers = 1

    var description: String { "tls\(layers > 1 ? "-in-tls" : "")/\(version == .v1_3 ? "1.3" : "1.2")/\(side)" }

    /// Both sides in both versions, one or two of them.
    static let all: [TLSSetup] =
        Side.allCases.flatMap { side in
            TLSVersion.allCases.flatMap { version in
                [1, 2].map { TLSSetup(side: side, version: version, layers: $0) }
            }
        }

    /// Both sides.
    static let sides = Side.allCases.map { TLSSetup(side: $0) }

    /// Contexts of a server for `localhost` and of a client that trusts it.
    struct Contexts: Sendable {
        let server: TLSServerContext
        let client: TLSClientContext

        init(_ version: TLSVersion) throws {
            let identity = try TLSIdentity.selfSigned(names: ["localhost", "127.0.0.1"])
            var serverOptions = TLSServerOptions(identity: identity)
            serverOptions.settings.minimumVersion = version
            serverOptions.settings.maximumVersion = version
            var clientOptions = TLSClientOptions()
            clientOptions.trust = .pem(identity.certificateChain)
            server = try TLSServerContext(serverOptions)
            client = try TLSClientContext(clientOptions)
        }

        private static let made = TLSVersion.allCases.map { version in Result { try Contexts(version) } }

        /// Made once.
        static func of(_ version: TLSVersion) throws -> Contexts {
            try made[version == .v1_2 ? 0 : 1].get()
        }
    }

    func contexts() throws -> Contexts { try .of(version) }

    /// An engine for the side that is not under test.
    func farEngine() throws -> TLSEngine {
        switch side {
        case .client: try TLSEngine(server: contexts().server.handle)
        case .server: try TLSEngine(client: contexts().client, serverName: "localhost")
        }
    }

    /// The side under test, around `streamProtocol`.
    func near(
        _ loop: any Loop, _ streamProtocol: any StreamProtocol,
        options: TLSConnectionOptions = TLSConnectionOptions(), handshake: TLSProtocol.Handshake? = nil
    ) throws -> any StreamProtocol {
        let contexts = try contexts()
        return switch side {
        case .client:
            try TLSProtocol.client(
                on: loop, contexts.client, serverName: "localhost", options: options, around: streamProtocol,
                handshake: handshake)
        case .server:
            TLSProtocol.server(
                on: loop, contexts.server, options: options, around: streamProtocol, handshake: handshake)
        }
    }
}

/// Puts TLS over another host's pairs, servers and connections.
final class TLSHost: BatteryHost {
    private let base: any BatteryHost
    private let setup: TLSSetup
    private var peers: [TLSPeer] = []

    init(_ setup: TLSSetup, over base: any BatteryHost) {
        self.setup = setup
        self.base = base
    }

    var name: String { "\(setup)/\(base.name)" }
    var loop: any Loop { base.loop }
    var discipline: BatteryDiscipline { base.discipline }
    var canReset: Bool { base.canReset }
    var speaksTLS: Bool { true }
    /// A loop in memory sends files over transports in memory only.
    var loopSendsFiles: Bool { !(base is MemoryHost) }

    func makePair(_ streamProtocol: any StreamProtocol) throws -> any BatteryPeer {
        var near = streamProtocol
        for _ in 0..<setup.layers { near = try setup.near(loop, near) }
        var far = try base.makePair(near)
        for _ in 0..<setup.layers {
            let peer = TLSPeer(far, try setup.farEngine())
            if let last = peers.last, last === far { peers.removeLast() }
            peers.append(peer)
            far = peer
        }
        return far
    }

    func createServer(
        on addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        let context: TLSServerContext
        do { context = try setup.contexts().server } catch { throw .callback(name: "contexts", error: error) }
        return try loop.createServer(on: addresses, options: options, tls: context, protocolFactory: protocolFactory)
    }

    func createConnection(
        to endpoint: Endpoint, options: ConnectOptions, protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        do {
            return loop.createConnection(
                to: endpoint, options: options, tls: try setup.contexts().client, serverName: "localhost",
                protocolFactory: protocolFactory, completion: completion)
        } catch {
            let handle = loop.callSoon { completion(.failure(.callback(name: "contexts", error: error))) }
            return CancelAction { handle.cancel() }
        }
    }

    func step() throws {
        try base.step()
        for peer in peers { peer.move() }
    }

    func makeFile(_ bytes: [UInt8]) throws -> Int32 { try base.makeFile(bytes) }
    func runElsewhere(_ body: @escaping @Sendable () -> Void) { base.runElsewhere(body) }
    func serverAddress() -> SocketAddress { base.serverAddress() }
    func tearDown() { base.tearDown() }
}
