import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import NIOBridge
import Testing

/// The loops that the async interface is tried on.
enum LoopKind: String, CaseIterable, Sendable {
    case native
    case compat
    case nio

    func make() throws -> any TaskLoop {
        switch self {
        case .native: try NativeLoop()
        case .compat: try CompatLoop()
        case .nio: try NIOLoop()
        }
    }

    /// A second loop for the same thread, which has room for one of SwiftNIO's only.
    func makeAnother() throws -> any TaskLoop { try self == .nio ? Self.native.make() : make() }

    /// Runs `body` as a task of a new loop, which it gets; the loop is closed afterwards.
    @discardableResult
    func run<Value>(_ body: @escaping (any TaskLoop) async throws -> Value) throws -> Value {
        let loop = try make()
        defer { loop.closeLoop() }
        return try loop.runUntilComplete { try await body(loop) }
    }
}

/// What happened, in order.
final class Journal {
    var entries: [String] = []

    func callAsFunction(_ entry: String) { entries.append(entry) }
}

/// Counts the loop's turns while it runs.
final class TurnCounter {
    private(set) var turns = 0
    private let loop: any TaskLoop
    private var handle: Handle?

    init(_ loop: any TaskLoop) {
        self.loop = loop
        count()
    }

    func stop() { handle?.cancel() }

    private func count() {
        handle = loop.callSoon { [unowned self] in
            turns += 1
            count()
        }
    }
}

/// An error of the tests' own.
struct Broken: Error, Equatable {
    var name = "broken"
}

/// The misuse that `body` throws: its kind and text.
func misuse(_ body: () async throws -> Void) async -> UsageError? {
    do {
        try await body()
        return nil
    } catch TransportError.usage(let error) {
        return error
    } catch {
        return UsageError(.state, "not a misuse: \(error)")
    }
}

/// What `error` is called, for comparing.
func named(_ error: any Error) -> String {
    switch error {
    case TransportError.timedOut: "timed out"
    default: "\(error)"
    }
}
