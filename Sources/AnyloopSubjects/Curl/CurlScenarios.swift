import AnyloopAgents
import AnyloopCore
import AnyloopHarness
import Foundation
import Synchronization

/// curl as the matrix's independent client: one `LiveScenario` for each of the catalog, against our HTTP server.
public enum CurlScenarios {
    /// The scenarios with our server as the subject `http-server` and curl as the executor; then the same over TLS.
    public static let all: [LiveScenario] =
        ScenarioCatalog.all.map { live($0, executor: "curl", isOverTLS: false) }
        + (ScenarioCatalog.all.map(\.overTLS) + ScenarioCatalog.tls).map {
            live($0, executor: "curl-tls", isOverTLS: true)
        }

    private static func live(_ scenario: Scenario, executor: String, isOverTLS: Bool) -> LiveScenario {
        LiveScenario(
            id: "\(executor)/\(scenario.name)", title: scenario.title, subject: "http-server", executor: executor,
            deadline: .seconds(60)
        ) { provider in
            try run(scenario, on: provider, isOverTLS: isOverTLS) { CurlClient.run(scenario, against: $0) }
        }
    }

    /// Serves on this thread while `client` asks on its own; what that saw amiss.
    ///
    /// - Parameter hasAuthority: the server's certificate is signed by an authority, and not by itself.
    package static func run(
        _ scenario: Scenario, on provider: LoopProvider, isOverTLS: Bool, hasAuthority: Bool = false,
        client: @escaping @Sendable (ScenarioTarget) -> [String]
    ) throws -> [String] {
        let loop = try provider.makeLoop()
        defer { loop.closeLoop() }
        if provider.poller == "select", scenario.descriptorsNeeded > 1000 {
            throw LiveScenario.Unsupported("select watches descriptors below 1,024 only; use epoll or poll")
        }
        let files = try ScenarioFiles()
        let authority = isOverTLS && hasAuthority ? try ScenarioAuthority(in: files.store) : nil
        let certificates = isOverTLS ? try ScenarioCertificates(in: files.store, authority: authority) : nil
        let application = try ScenarioApplication(loop: loop, files: files)
        let server = HTTPServer(loop: loop) { try application.handle($0) }
        var options = ServerOptions()
        options.backlog = 2048
        var target = ScenarioTarget(port: 0, certificates: certificates)
        if scenario.unixSocket {
            target.unixPath = files.store + "/server.sock"
        }
        let addresses: [SocketAddress] = [target.unixPath.map { .unix(path: $0) } ?? .loopback(port: 0)]
        if let certificates {
            try server.listen(on: addresses, options: options, tls: try certificates.serverContext(scenario.tls))
        } else {
            try server.listen(on: addresses, options: options)
        }
        target.port = server.addresses.first?.port ?? 0
        let result = try OffThread.run(while: loop) { [target] in client(target) }
        var open = true
        server.close(grace: .milliseconds(100)) { open = false }
        let patience = ContinuousClock.now + .seconds(5)
        while open, ContinuousClock.now < patience { try loop.runOnce(timeout: .milliseconds(50)) }
        return open ? result + ["the server's connections did not end within 5 seconds of its close"] : result
    }
}

/// Work that blocks, on a thread of its own beside a running loop.
enum OffThread {
    /// Runs `loop` until `work` has returned on another thread.
    static func run<Value: Sendable>(
        while loop: any Loop, _ work: @escaping @Sendable () -> Value
    ) throws -> Value {
        let box = Box<Value>()
        let remote = loop.remote
        let done = Latch()
        Thread {
            let value = work()
            box.value.withLock { $0 = value }
            remote.callSoonThreadsafe { done.isOver.store(true, ordering: .releasing) }
        }.start()
        while !done.isOver.load(ordering: .acquiring) { try loop.runOnce(timeout: nil) }
        guard let value = box.value.withLock({ $0 }) else { throw TransportError.cancelled }
        return value
    }

    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private final class Latch: Sendable {
        let isOver = Atomic<Bool>(false)
    }
}
