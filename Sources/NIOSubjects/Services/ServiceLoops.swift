import AnyloopHarness
import AnyloopNativeLoop
import NIOBridge
import NIOCore
import NIOPosix

/// The event loops that a service runs on, and whose bootstraps make its channels.
///
/// Services see nothing else of a loop, so the same source runs on NIO's loops and on ours.
struct ServiceLoops: Sendable {
    /// The event loops.
    let group: any EventLoopGroup
    /// Makes a server's bootstrap on them.
    let server: @Sendable () -> any ServerBootstrapping
    /// Makes a client's bootstrap on them.
    let client: @Sendable () -> any NIOClientTCPBootstrapProtocol

    /// The modes that have loops for services: ours is `native`, NIO's own is `nio`.
    static let modes: Set<Mode> = [.native, .nio]

    /// Runs `body` with so many loops that wait as `provider`'s do, and shuts them down.
    ///
    /// - Throws: `LiveScenario.Unsupported` in a mode that is not among `modes`, and what `body` throws.
    static func with<Result>(
        _ provider: LoopProvider, threads: Int = 1, _ body: (ServiceLoops) throws -> Result
    ) throws -> Result {
        let loops = try make(for: provider, threads: threads)
        let result: Result
        do {
            result = try body(loops)
        } catch {
            try loops.group.syncShutdownGracefully()
            throw error
        }
        try loops.group.syncShutdownGracefully()
        return result
    }

    private static func make(for provider: LoopProvider, threads: Int) throws -> ServiceLoops {
        switch provider.mode {
        case .native:
            var options = NativeLoopOptions()
            options.poller = try PollerKind(named: provider.poller)
            let group = try NativeEventLoopGroup(numberOfThreads: threads, options: options)
            return ServiceLoops(
                group: group, server: { NativeServerBootstrap(group: group) },
                client: { NativeClientBootstrap(group: group) })
        case .nio:
            let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
            return ServiceLoops(
                group: group, server: { ServerBootstrap(group: group) }, client: { ClientBootstrap(group: group) })
        case .compat, .asyncio:
            throw LiveScenario.Unsupported("services of SwiftNIO run in modes \(modes.map(\.rawValue).sorted())")
        }
    }
}
