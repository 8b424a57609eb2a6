import AnyloopCore
import AnyloopHarness
import AnyloopNativeLoop
import Foundation
import Synchronization

/// What one worker of `anyloop serve` runs on its loop.
protocol ServedAgent: AnyObject {
    /// What to print once it listens, such as `http://127.0.0.1:8080`.
    var places: [String] { get }
    /// The address that the other workers share.
    var address: SocketAddress? { get }
    /// Stops accepting, lets what is in flight finish for up to `grace`, then calls `completion`.
    func close(grace: Duration, completion: @escaping () -> Void)
}

/// Runs an agent on one loop a worker until a signal comes; the workers share the port by `SO_REUSEPORT`.
///
/// The calling thread keeps a loop of its own for signals, so that no worker is special.
final class ServiceHost {
    /// Makes an agent that listens; the address is nil for the first worker, then what the first one bound.
    typealias Make = @Sendable (any Loop, ServeSettings, SocketAddress?) throws -> any ServedAgent

    /// What workers tell the host.
    private enum Report: Sendable {
        case serving(places: [String], address: SocketAddress?, stop: @Sendable (Duration) -> Void)
        case failed(any Error)
        case ended
    }

    private let settings: ServeSettings
    private let mode: Mode
    private let make: Make
    private let control: NativeLoop
    private let announce: (String) -> Void
    private var threads: [LoopThread] = []
    private var stops: [@Sendable (Duration) -> Void] = []
    private var failure: (any Error)?
    private var ended = 0
    private var isStopping = false

    /// A host; `announce` gets the line that says where it listens.
    init(
        settings: ServeSettings, mode: Mode, announce: @escaping (String) -> Void = Output.line, make: @escaping Make
    ) throws(TransportError) {
        self.settings = settings
        self.mode = mode
        self.announce = announce
        self.make = make
        control = try NativeLoop()
    }

    /// Runs `callback` on SIGHUP, on the thread that calls `run`; without it SIGHUP ends the process.
    func onHangUp(_ callback: @escaping () -> Void) throws(TransportError) {
        try control.addSignalHandler(SIGHUP, callback)
    }

    /// Serves until SIGINT or SIGTERM, then until what is in flight is finished; a second signal ends it at once.
    ///
    /// - Throws: what a worker failed with.
    func run() throws {
        defer { control.closeLoop() }
        for signal in [SIGINT, SIGTERM] {
            try control.addSignalHandler(signal) { [unowned self] in
                stop(grace: isStopping ? .zero : settings.graceTime)
            }
        }
        try startWorker(at: nil)
        try control.run()
        for thread in threads { try thread.join() }
        if let failure { throw failure }
    }

    /// Tells every worker to stop.
    private func stop(grace: Duration) {
        isStopping = true
        for stop in stops { stop(grace) }
    }

    private func startWorker(at address: SocketAddress?) throws(TransportError) {
        let remote = control.remote
        // The host outlives its workers: `run` joins them. Reports are handled on the control loop's thread only.
        nonisolated(unsafe) let host = self
        let report: @Sendable (Report) -> Void = { report in
            remote.callSoonThreadsafe { unsafe host.handle(report) }
        }
        let options = try LoopFactory.options(mode, poller: settings.poller)
        threads.append(
            try LoopThread(options: options) { [settings, mode, make] native in
                do {
                    let loop: any Loop = mode == .native ? native : try LoopFactory.make(mode, poller: settings.poller)
                    defer { loop.closeLoop() }
                    try Self.serve(on: loop, settings, try make(loop, settings, address), report)
                    report(.ended)
                } catch {
                    report(.failed(error))
                }
            })
    }

    private static func serve(
        on loop: any Loop, _ settings: ServeSettings, _ agent: any ServedAgent,
        _ report: @escaping @Sendable (Report) -> Void
    ) throws(TransportError) {
        let remote = loop.remote
        // Touched on this loop's thread only, which is where `callSoonThreadsafe` runs what it is given.
        nonisolated(unsafe) let served = (agent: agent, loop: loop)
        report(
            .serving(places: agent.places, address: agent.address) { grace in
                remote.callSoonThreadsafe {
                    unsafe served.agent.close(grace: grace) { unsafe served.loop.stop() }
                }
            })
        try loop.run()
    }

    private func handle(_ report: Report) {
        switch report {
        case .serving(let places, let address, let stop):
            stops.append(stop)
            if stops.count == settings.workers { announce("listening on " + places.joined(separator: " and ")) }
            if isStopping { return stop(settings.graceTime) }
            guard threads.count < settings.workers else { return }
            do { try startWorker(at: address) } catch { fail(error) }
        case .failed(let error):
            ended += 1
            fail(error)
        case .ended:
            ended += 1
        }
        if ended == threads.count { control.stop() }
    }

    private func fail(_ error: any Error) {
        failure = failure ?? error
        stop(grace: .zero)
    }
}
