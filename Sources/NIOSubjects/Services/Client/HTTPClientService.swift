import AnyloopSubjects
import NIOCore
import NIOHTTP1
import NIOSSL

/// A client made of NIO's HTTP client handlers, with one connection that it keeps as long as the server does.
///
/// Used by a thread that is not the loop's.
final class HTTPClientService {
    private let loops: ServiceLoops
    private let target: ScenarioTarget
    private var channel: (any Channel)?
    /// Why `channel` ended, once it has.
    private var broken: EventLoopFuture<ScenarioView>?

    /// A client for `target`.
    init(_ loops: ServiceLoops, target: ScenarioTarget) {
        self.loops = loops
        self.target = target
    }

    /// What it saw of the steps, one after the other.
    static func views(
        of steps: [ScenarioStep], target: ScenarioTarget, on loops: ServiceLoops
    ) throws -> [ScenarioView] {
        let client = HTTPClientService(loops, target: target)
        let views = try steps.map { try client.perform($0) }
        try client.close()
        return views
    }

    private func perform(_ step: ScenarioStep) throws -> ScenarioView {
        if step.freshConnection || step.tls.host != nil { try close() }
        var connections = 0
        if channel?.isActive != true {
            do {
                channel = try connect(step)
                connections = 1
            } catch {
                return HTTPClientHandler.view(.refused, "\(error)")
            }
        }
        guard let channel else { return HTTPClientHandler.view(.other, "no channel") }
        let seen = channel.eventLoop.makePromise(of: ScenarioView.self)
        let host = "\(step.tls.host ?? target.host):\(target.port)"
        let sent = channel.eventLoop.makePromise(of: Void.self)
        // An exchange that the handler takes has its answer by then, and this one is without effect.
        sent.futureResult.whenFailure { [broken] _ in broken?.whenSuccess { seen.succeed($0) } }
        channel.writeAndFlush(HTTPClientExchange(step: step, host: host, seen: seen), promise: sent)
        var view = try seen.futureResult.wait()
        view.connections = connections
        if step.freshConnection || view.closes { try close() }
        return view
    }

    private func connect(_ step: ScenarioStep) throws -> any Channel {
        let tls = try target.certificates.map { certificates in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .file(
                step.tls.trustsOther ? certificates.otherFile : certificates.trustedFile)
            configuration.applicationProtocols = ["http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        }
        let name = step.tls.host
        let broken = loops.group.any().makePromise(of: ScenarioView.self)
        self.broken = broken.futureResult
        let connecting = loops.client()
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name)) }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(HTTPClientHandler(broken: broken))
                }
            }
            .connect(host: target.host, port: Int(target.port))
        connecting.whenFailure { broken.fail($0) }
        return try connecting.wait()
    }

    /// Closes the connection, if there is one, and waits for its end.
    private func close() throws {
        guard let channel else { return }
        self.channel = nil
        channel.close(promise: nil)
        try channel.closeFuture.wait()
    }
}

extension ScenarioView {
    /// Whether the connection is of no more use.
    fileprivate var closes: Bool { outcome != .ok || values("connection").contains { $0.lowercased() == "close" } }
}
