import Anyloop
@testable import AnyloopExamples
import Foundation
import NIOBridge
import Synchronization

/// The loops that every example runs on.
enum LoopKind: String, CaseIterable, Sendable {
    case native
    case compat
    case nio

    func make() throws -> any TaskLoop & DescriptorLoop & SignalLoop & ProcessLoop {
        switch self {
        case .native: try NativeLoop()
        case .compat: try CompatLoop()
        case .nio: try NIOLoop()
        }
    }
}

/// A loop on a thread of its own, for the side of an example that serves.
final class Background: Sendable {
    /// A wait for the other thread took longer than 10 s.
    struct TookTooLong: Error {}

    private let stopping = Mutex<(@Sendable () -> Void)?>(nil)
    private let hasEnded = Mutex(false)

    /// Runs `body` until it returns or the loop is stopped.
    init(_ kind: LoopKind, _ body: @escaping @Sendable (any TaskLoop) throws -> Void) {
        Thread.detachNewThread { [self] in
            defer { hasEnded.withLock { $0 = true } }
            guard let loop = try? kind.make() else { return }
            stopping.withLock { $0 = stopper(of: loop) }
            // A stop in the midst of `runUntilComplete` is an error, and how these examples end.
            try? body(loop)
            loop.closeLoop()
        }
    }

    /// Waits until `line` finds what it wants in what was printed.
    func find<Value>(_ line: (String) -> Value?) throws -> Value {
        var found: Value?
        try wait {
            found = Console.lines.lazy.compactMap(line).first
            return found != nil
        }
        guard let found else { throw TookTooLong() }
        return found
    }

    /// Stops the loop and waits for the thread.
    func stop() throws {
        try wait { stopping.withLock { $0 != nil } }
        stopping.withLock { $0 }?()
        try wait { hasEnded.withLock { $0 } }
    }

    private func wait(_ isDone: () -> Bool) throws {
        for _ in 0..<2000 where !isDone() { usleep(5000) }
        if !isDone() { throw TookTooLong() }
    }
}

/// The number behind the last colon of the line that begins with `start`.
func port(after start: String) -> (String) -> UInt16? {
    { line in
        guard line.hasPrefix(start), let colon = line.lastIndex(of: ":") else { return nil }
        return UInt16(line[line.index(after: colon)...].prefix { $0.isNumber })
    }
}

/// What stops `loop` from any thread.
func stopper(of loop: any Loop) -> @Sendable () -> Void {
    let remote = loop.remote
    let bound = LoopBound(loop, to: remote)
    return { remote.callSoonThreadsafe { bound.value.stop() } }
}
