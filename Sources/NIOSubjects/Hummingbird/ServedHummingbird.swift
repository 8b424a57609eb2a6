import AnyloopHarness
import Hummingbird
import HummingbirdOnAnyloop
import Logging
import NIOCore

/// The site on a group of its own, for callers that are threads and not tasks.
enum ServedHummingbird {
    /// Threads of the group; two, so that a connection's loop is not always the listener's.
    static let threads = 2

    typealias Server = HummingbirdServer<RouterResponder<SiteContext>>

    /// What `body` finds amiss of `router`, served on the loops that `provider` stands for (in mode native ours, in
    /// mode nio SwiftNIO's), and of the shutdown after it.
    ///
    /// - Throws: `LiveScenario.Unsupported` in other modes; what making the group, listening and `body` throw.
    static func with(
        _ provider: LoopProvider, router: Router<SiteContext>, protocols: HummingbirdProtocols,
        options: HummingbirdServerOptions, _ body: (SocketAddress?, Server) throws -> [String]
    ) throws -> [String] {
        try ServiceLoops.with(provider, threads: threads) { loops in
            try serve(router, protocols, options, on: loops.group, body)
        }
    }

    private static func serve(
        _ router: Router<SiteContext>, _ protocols: HummingbirdProtocols, _ options: HummingbirdServerOptions,
        on group: any EventLoopGroup, _ body: (SocketAddress?, Server) throws -> [String]
    ) throws -> [String] {
        let listening = group.any().makePromise(of: SocketAddress?.self)
        let finished = group.any().makePromise(of: Void.self)
        let server = Server(
            router: router, protocols: protocols,
            configuration: ApplicationConfiguration(serverName: "site", backlog: 2048), options: options,
            eventLoopGroup: group, logger: Logger(label: "site", factory: { _ in SwiftLogNoOpLogHandler() }),
            onServerRunning: { listening.succeed($0.localAddress) })
        finished.completeWithTask { try await server.run() }
        finished.futureResult.whenFailure { listening.fail($0) }
        let failures: Result<[String], any Error>
        do {
            let address = try listening.futureResult.wait()
            failures = Result { try body(address, server) }
        } catch {
            return ["the server did not start: \(error)"]
        }
        server.shutDown()
        try finished.futureResult.wait()
        return try failures.get() + (server.connectionCount == 0 ? [] : ["connections outlived the server"])
    }
}
