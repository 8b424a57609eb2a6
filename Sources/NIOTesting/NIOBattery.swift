import NIOCore

/// A case that did not hold: what NIO's documentation promises, and what came.
public struct NIOBatteryFailure: Error, CustomStringConvertible, Sendable {
    /// One sentence.
    public let text: String

    /// A failure with that text.
    public init(_ text: String) {
        self.text = text
    }

    /// The text.
    public var description: String { text }
}

/// One named promise of NIO's documentation and the way to see whether it is kept.
public struct NIOBatteryCase: Sendable, CustomStringConvertible {
    /// Which area it belongs to and what it is about: `stream/close-fires-inactive-first`.
    public let name: String
    /// Where NIO promises it: the declaration, and what its documentation says, in short.
    public let source: String
    private let body: @Sendable (NIOStage) async throws -> Void

    init(_ name: String, _ source: String, _ body: @escaping @Sendable (NIOStage) async throws -> Void) {
        self.name = name
        self.source = source
        self.body = body
    }

    /// The name.
    public var description: String { name }

    /// Runs the case on `host` and shuts down every group that it made, which must take no longer than the battery's
    /// patience.
    ///
    /// - Throws: `NIOBatteryFailure`, with the host's and the case's name, and the promise that was broken.
    public func run(on host: any EventLoopGroupHost) async throws {
        let stage = NIOStage(host)
        var failure: (any Error)?
        do {
            try await within(casePatience, "the end of the case") { [body] in try await body(stage) }
        } catch {
            failure = error
        }
        do {
            try await stage.tearDown()
        } catch {
            failure = failure ?? error
        }
        if let failure { throw NIOBatteryFailure("\(host.name) \(name) (\(source)): \(failure)") }
    }
}

/// The battery: what any event loop group and its channels must show, as NIO's own do.
public enum NIOBattery {
    /// Tasks, timers, callbacks and the group of loops.
    public static let eventLoop: [NIOBatteryCase] =
        LoopCases.tasks + LoopCases.groups + TimerCases.once + TimerCases.repeated + TimerCases.callbacks

    /// Futures across loops, and loops as executors of actors.
    public static let concurrency: [NIOBatteryCase] = FutureCases.cases + ExecutorCases.cases

    /// Stream channels: their life, reading, writing, writability, and their two halves.
    public static let stream: [NIOBatteryCase] =
        LifeCycleCases.opening + LifeCycleCases.closing + ReadingCases.cases + WritingCases.promises
        + WritingCases.data + WritingCases.files + WritabilityCases.cases + HalfClosureCases.own
        + HalfClosureCases.draining + HalfClosureCases.remote + IdleCases.cases + HandlerCases.cases
        + GoneCases.cases + OrderCases.cases

    /// Listening, accepting, connecting, over TCP and in the Unix domain.
    public static let connections: [NIOBatteryCase] =
        ListeningCases.binding + ListeningCases.accepting + ListeningCases.children + ConnectingCases.cases
        + RacingCases.cases + UnixCases.cases + BootstrapCases.cases

    /// Options of channels and of their sockets.
    public static let options: [NIOBatteryCase] = OptionCases.cases + BootstrapCases.providers

    /// Datagram channels, bound and connected.
    public static let datagram: [NIOBatteryCase] = DatagramCases.bound + DatagramCases.connected + DatagramCases.options

    /// `NIOAsyncChannel` and the bootstraps that give it.
    public static let asynchronous: [NIOBatteryCase] = AsyncCases.clients + AsyncCases.servers

    /// Shutting down, and what is left of it.
    public static let shutdown: [NIOBatteryCase] = ShutdownCases.cases

    /// Every case.
    public static let all: [NIOBatteryCase] =
        eventLoop + concurrency + stream + connections + options + datagram + asynchronous + shutdown
}

/// Runs every case of the battery.
///
/// - Parameters:
///   - cases: which ones; all of them unless told.
///   - make: makes the host for one case.
/// - Returns: the failures, one sentence each; empty if every promise is kept.
public func checkEventLoopGroup(
    _ cases: [NIOBatteryCase] = NIOBattery.all, _ make: () throws -> any EventLoopGroupHost
) async -> [NIOBatteryFailure] {
    var failures: [NIOBatteryFailure] = []
    for battery in cases {
        do {
            try await battery.run(on: make())
        } catch {
            failures.append(error as? NIOBatteryFailure ?? NIOBatteryFailure("\(battery.name): \(error)"))
        }
    }
    return failures
}
