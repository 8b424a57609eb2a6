import AnyloopCore
import AnyloopSystem
import CAnyloopSystem
import Synchronization

/// Resolves names on a few threads that all loops of the process share.
///
/// A thread starts when a request finds none idle and fewer than `threadLimit` at work, and ends when nothing
/// waits any more.
enum Resolver {
    /// Names being resolved at once; more wait in line.
    static let threadLimit = 4
    /// Addresses taken from one answer.
    static let addressLimit = 64

    struct Request: Sendable {
        var number: UInt64
        var host: String
        var port: UInt16
        var remote: NativeRemote
        /// The application's own answers.
        var resolver: NameResolver?
    }

    private struct State {
        var waiting: [Request] = []
        var threads = 0
    }

    private static let state = Mutex(State())

    /// Queues `request`; its answer is posted to the loop. An `errno` if no thread can be had.
    static func submit(_ request: Request) -> Int32 {
        let needsThread = state.withLock { state in
            state.waiting.append(request)
            guard state.threads < threadLimit else { return false }
            state.threads += 1
            return true
        }
        guard needsThread else { return 0 }
        let code = unsafe anyloop_thread_start({ _ in Resolver.work() }, nil, nil)
        guard code != 0 else { return 0 }
        return state.withLock { state in
            state.threads -= 1
            // Another thread will come to it.
            guard state.threads == 0 else { return 0 }
            state.waiting.removeAll { $0.number == request.number && $0.remote === request.remote }
            return -code
        }
    }

    /// Takes a request that its loop does not want any more out of the line.
    static func withdraw(_ number: UInt64, of remote: NativeRemote) {
        state.withLock { $0.waiting.removeAll { $0.number == number && $0.remote === remote } }
    }

    /// Whether no thread is at work, so that tests may count descriptors.
    static var isIdle: Bool { state.withLock { $0.threads == 0 } }

    private static func work() {
        while let request = next() {
            let answer = request.resolver?(request.host, request.port) ?? resolve(request.host, request.port)
            _ = request.remote.post(.resolved(request.number, answer))
        }
    }

    private static func next() -> Request? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.threads -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }

    /// Asks the system; blocks.
    static func resolve(_ host: String, _ port: UInt16) -> Result<[SocketAddress], TransportError> {
        guard !host.utf8.contains(0), !host.isEmpty else {
            return .failure(.resolution(host: host, code: 0, text: "a host name has no NUL and is not empty"))
        }
        var found: [SocketAddress] = []
        let code = unsafe withUnsafeMutablePointer(to: &found) { list in
            unsafe anyloop_resolve(
                host, port,
                { context, address in
                    guard let context = unsafe context, let address = unsafe address?.pointee,
                        let converted = SocketAddress(address)
                    else { return }
                    let list = unsafe context.assumingMemoryBound(to: [SocketAddress].self)
                    if unsafe list.pointee.count < Resolver.addressLimit { unsafe list.pointee.append(converted) }
                }, list)
        }
        guard code == 0, !found.isEmpty else {
            var buffer = [CChar](repeating: 0, count: 128)
            unsafe anyloop_resolve_text(code, &buffer, buffer.count)
            return .failure(.resolution(host: host, code: code, text: cText(buffer)))
        }
        return .success(found)
    }
}

/// Answers for names, or leaves them to the system.
typealias NameResolver = @Sendable (_ host: String, _ port: UInt16) -> Result<[SocketAddress], TransportError>?

/// A name look-up that a loop waits for.
final class ResolveRequest: Cancellable, PendingWork {
    private let loop: NativeLoop
    private var number: UInt64 = 0
    private var completion: ((Result<[SocketAddress], TransportError>) -> Void)?

    init(loop: NativeLoop, completion: @escaping (Result<[SocketAddress], TransportError>) -> Void) {
        self.loop = loop
        self.completion = completion
    }

    func start(host: String, port: UInt16) {
        if let address = SocketAddress(literal: host, port: port) {
            loop.callSoon { [self] in finish(.success([address])) }
            return
        }
        number = loop.register(self)
        let code = Resolver.submit(
            Resolver.Request(
                number: number, host: host, port: port, remote: loop.nativeRemote, resolver: loop.nameResolver))
        guard code != 0 else { return }
        loop.callSoon { [self] in finish(.failure(.system(code, "starting a resolver thread"))) }
    }

    func finish(_ result: Result<[SocketAddress], TransportError>) {
        loop.pendingWork[number] = nil
        guard let completion else { return }
        self.completion = nil
        completion(result)
    }

    func cancel() {
        guard let completion else { return }
        self.completion = nil
        loop.pendingWork[number] = nil
        Resolver.withdraw(number, of: loop.nativeRemote)
        loop.callSoon { completion(.failure(.cancelled)) }
    }

    func loopCloses() {
        Resolver.withdraw(number, of: loop.nativeRemote)
        finish(.failure(.loopClosed))
    }
}

extension NativeLoop {
    /// The addresses of `host`; literals without the resolver. Cancelling completes with `.cancelled`.
    @discardableResult
    public func resolve(
        host: String, port: UInt16, completion: @escaping (Result<[SocketAddress], TransportError>) -> Void
    ) -> any Cancellable {
        let request = ResolveRequest(loop: self, completion: completion)
        // A closed loop runs nothing later: the answer cannot wait.
        if isClosed { request.loopCloses() } else { request.start(host: host, port: port) }
        return request
    }
}
