import AnyloopAgents
import AnyloopCore
import AnyloopHarness
import Foundation
import Synchronization

/// curl as the matrix's independent client: one `LiveScenario` for each of the catalog, against our HTTP server.
public enum CurlScenarios {
    /// The scenarios with our server as the subject `http-server` and curl as the executor.
    public static let all: [LiveScenario] = ScenarioCatalog.all.map { scenario in
        LiveScenario(
            id: "curl/\(scenario.name)", title: scenario.title, subject: "http-server", executor: "curl",
            deadline: .seconds(60)
        ) { provider in
            try run(scenario, on: provider)
        }
    }

    /// Serves on this thread while curl asks on its own; what curl saw amiss.
    private static func run(_ scenario: Scenario, on provider: LoopProvider) throws -> [String] {
        let loop = try provider.makeLoop()
        defer { loop.closeLoop() }
        if provider.poller == "select", scenario.descriptorsNeeded > 1000 {
            throw LiveScenario.Unsupported("select watches descriptors below 1,024 only; use epoll or poll")
        }
        let files = try ScenarioFiles()
        let application = try ScenarioApplication(loop: loop, files: files)
        let server = HTTPServer(loop: loop) { try application.handle($0) }
        var options = ServerOptions()
        options.backlog = 2048
        let target: ScenarioTarget
        if scenario.unixSocket {
            let path = files.store + "/server.sock"
            try server.listen(on: [.unix(path: path)], options: options)
            target = ScenarioTarget(port: 0, unixPath: path)
        } else {
            try server.listen(on: [.loopback(port: 0)], options: options)
            target = ScenarioTarget(port: server.addresses.first?.port ?? 0)
        }
        let result = try OffThread.run(while: loop) { CurlClient.run(scenario, against: target) }
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
