public import NIOCore
import NIOPosix

/// No address of a host could be connected to: what `NativeClientBootstrap.connect(host:port:)` fails with.
///
/// The same as SwiftNIO's `NIOConnectionError`, which only SwiftNIO can make.
public struct NativeConnectionError: Error, CustomStringConvertible {
    /// One address that was tried.
    public struct Failure: Sendable {
        /// The address.
        public let target: SocketAddress
        /// Why it could not be connected to.
        public let error: any Error
    }

    /// The host to connect to.
    public let host: String
    /// Its port.
    public let port: Int
    /// Why its IPv4 addresses could not be looked up, if so.
    public internal(set) var dnsAError: (any Error)?
    /// Why its IPv6 addresses could not be looked up, if so.
    public internal(set) var dnsAAAAError: (any Error)?
    /// The attempts, in the order in which they failed.
    public internal(set) var connectionErrors: [Failure] = []

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The host, and what went wrong with each of its addresses.
    public var description: String {
        if let error = dnsAError ?? dnsAAAAError, connectionErrors.isEmpty {
            return "\(host) could not be looked up: \(error)"
        }
        let attempts = connectionErrors.map { "\($0.target): \($0.error)" }
        return "could not connect to \(host), port \(port): "
            + (attempts.isEmpty ? "it has no address" : attempts.joined(separator: ", "))
    }
}

/// Connects to a host with several addresses (Happy Eyeballs, RFC 8305): IPv6 and IPv4 in turn, a next one begun when
/// the last takes long or fails; the first that is there wins and the others are closed.
// Unchecked: everything is touched on the loop's thread only.
final class HostConnectionRace<Output: Sendable>: @unchecked Sendable {
    private enum Phase {
        case resolving
        /// IPv4 addresses are there, IPv6 ones may come within the resolution delay.
        case waitingForV6
        case connecting
        case over
    }

    /// RFC 8305 section 8: the Resolution Delay and the Connection Attempt Delay, as NIO sets them.
    private static var resolutionDelay: TimeAmount { .milliseconds(50) }
    private static var attemptDelay: TimeAmount { .milliseconds(250) }

    private let loop: any EventLoop
    private let resolver: any Resolver & Sendable
    private let timeout: TimeAmount
    private let setUp: ChannelSetUp<Output>
    private let promise: EventLoopPromise<Output>

    private var phase = Phase.resolving
    private var error: NativeConnectionError
    private var v6: [SocketAddress] = []
    private var v4: [SocketAddress] = []
    private var hasV6 = false
    private var hasV4 = false
    private var wasV6 = false
    /// Attempts under way, with their channels once these are made.
    private var attempts: [Int: (any Channel)?] = [:]
    private var nextAttempt = 0
    private var delay: Scheduled<Void>?
    private var deadline: Scheduled<Void>?

    init(
        loop: any EventLoop, resolver: any Resolver & Sendable, host: String, port: Int, timeout: TimeAmount,
        setUp: ChannelSetUp<Output>
    ) {
        self.loop = loop
        self.resolver = resolver
        self.timeout = timeout
        self.setUp = setUp
        promise = loop.makePromise(of: Output.self)
        error = NativeConnectionError(host: host, port: port)
    }

    /// Begins; the future tells the winner.
    func start() -> EventLoopFuture<Output> {
        loop.execute { [self] in
            deadline = loop.scheduleTask(in: timeout) { self.fail(ChannelError.connectTimeout(self.timeout)) }
            // RFC 8305 section 3: the query for IPv6 first.
            let v6 = resolver.initiateAAAAQuery(host: error.host, port: error.port)
            let v4 = resolver.initiateAQuery(host: error.host, port: error.port)
            v6.hop(to: loop).whenComplete { self.answered(v6: $0) }
            v4.hop(to: loop).whenComplete { self.answered(v4: $0) }
        }
        return promise.futureResult
    }

    private func answered(v6 result: Result<[SocketAddress], any Error>) {
        hasV6 = true
        switch result {
        case .success(let addresses): v6 = addresses
        case .failure(let reason): error.dnsAAAAError = reason
        }
        if !v6.isEmpty || hasV4 { proceed() }
    }

    private func answered(v4 result: Result<[SocketAddress], any Error>) {
        hasV4 = true
        switch result {
        case .success(let addresses): v4 = addresses
        case .failure(let reason): error.dnsAError = reason
        }
        guard case .resolving = phase, !hasV6, !v4.isEmpty else { return proceed() }
        phase = .waitingForV6
        delay = loop.scheduleTask(in: Self.resolutionDelay) { self.proceed() }
    }

    /// There is something new to try, or nothing to wait for any more.
    private func proceed() {
        switch phase {
        case .resolving where v6.isEmpty && v4.isEmpty && !(hasV6 && hasV4): return
        case .resolving, .waitingForV6:
            phase = .connecting
            tryNext()
        case .connecting: if attempts.isEmpty { tryNext() }
        case .over: return
        }
    }

    /// Families take turns, IPv6 first.
    private func nextTarget() -> SocketAddress? {
        let isV6 = v4.isEmpty || !v6.isEmpty && !wasV6
        wasV6 = isV6
        guard !(v6.isEmpty && v4.isEmpty) else { return nil }
        return isV6 ? v6.removeFirst() : v4.removeFirst()
    }

    private func tryNext() {
        delay?.cancel()
        delay = nil
        guard case .connecting = phase else { return }
        guard let target = nextTarget() else {
            if attempts.isEmpty, hasV6, hasV4 { fail(error) }
            return
        }
        let number = nextAttempt
        nextAttempt += 1
        attempts[number] = .some(nil)
        delay = loop.scheduleTask(in: Self.attemptDelay) { self.tryNext() }
        setUp.prepare(on: loop, family: target.protocol).flatMap { channel, output -> EventLoopFuture<Output> in
            guard case .connecting = self.phase else {
                channel.close(promise: nil)
                return self.loop.makeFailedFuture(ChannelError.ioOnClosedChannel)
            }
            self.attempts[number] = channel
            return channel.connect(to: target).map { output }
        }.whenComplete { self.ended(number, target, $0) }
    }

    private func ended(_ number: Int, _ target: SocketAddress, _ result: Result<Output, any Error>) {
        guard case .connecting = phase, let attempt = attempts.removeValue(forKey: number) else { return }
        switch result {
        case .success(let output):
            finish()
            promise.succeed(output)
        case .failure(let reason):
            attempt?.close(promise: nil)
            error.connectionErrors.append(.init(target: target, error: reason))
            tryNext()
        }
    }

    private func fail(_ reason: any Error) {
        if case .over = phase { return }
        finish()
        promise.fail(reason)
    }

    /// Ends everything that is still under way.
    private func finish() {
        phase = .over
        delay?.cancel()
        deadline?.cancel()
        resolver.cancelQueries()
        let losers = attempts.values
        attempts = [:]
        for loser in losers { loser?.close(promise: nil) }
    }
}
