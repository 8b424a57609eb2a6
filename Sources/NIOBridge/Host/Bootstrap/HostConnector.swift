import AnyloopCore
import AnyloopNativeLoop
import NIOCore
import NIOPosix

/// Looks a host up with a resolver of NIO's, and has its addresses race (RFC 8305): IPv6 and IPv4 in turn, a next one
/// begun when the last takes long or fails; the first that is there wins and the others are closed.
final class HostConnector<Output: Sendable> {
    private typealias Race = ConnectionRace<NIOCore.SocketAddress, Output, any Error>

    private let loop: NativeEventLoop
    private let resolver: any Resolver & Sendable
    private let promise: EventLoopPromise<Output>
    private var error: NativeConnectionError
    private var openQueries = 2
    private var race: Race?
    private var deadline: Handle?

    /// Connects to `host` within `timeout`; the future tells what `setUp` made of the winner.
    static func connect(
        on loop: NativeEventLoop, resolver: any Resolver & Sendable, host: String, port: Int, timeout: TimeAmount,
        setUp: ChannelSetUp<Output>
    ) -> EventLoopFuture<Output> {
        let promise = loop.makePromise(of: Output.self)
        loop.execute {
            HostConnector(loop, resolver, NativeConnectionError(host: host, port: port), promise)
                .start(timeout, setUp)
        }
        return promise.futureResult
    }

    private init(
        _ loop: NativeEventLoop, _ resolver: any Resolver & Sendable, _ error: NativeConnectionError,
        _ promise: EventLoopPromise<Output>
    ) {
        self.loop = loop
        self.resolver = resolver
        self.error = error
        self.promise = promise
    }

    private func start(_ timeout: TimeAmount, _ setUp: ChannelSetUp<Output>) {
        deadline = loop.callLater(timeout) { [self] in
            race?.cancel()
            end(.failure(loop.isEnding ? EventLoopError.shutdown : ChannelError.connectTimeout(timeout)))
        }
        // The delays of NIO's ClientBootstrap, which are those of RFC 8305 section 8.
        let delays = Race.Delays(attempt: .milliseconds(250), resolution: .milliseconds(50))
        race = Race(FamilyTurns(), delays: delays, world: world(setUp)) { [self] in end($0) }
        // RFC 8305 section 3: the query for IPv6 first.
        let v6 = resolver.initiateAAAAQuery(host: error.host, port: error.port)
        let v4 = resolver.initiateAQuery(host: error.host, port: error.port)
        v6.hop(to: loop).assumeIsolated().whenComplete { [self] in
            if case .failure(let reason) = $0 { error.dnsAAAAError = reason }
            answered($0, of: .leading)
        }
        v4.hop(to: loop).assumeIsolated().whenComplete { [self] in
            if case .failure(let reason) = $0 { error.dnsAError = reason }
            answered($0, of: .following)
        }
    }

    /// How the race dials and waits; holds this until the race is let go of.
    private func world(_ setUp: ChannelSetUp<Output>) -> Race.World {
        Race.World(
            dial: { [self] address, completion in
                HostAttempt(loop, setUp, to: address) { [self] outcome in
                    if case .failure(let reason) = outcome {
                        error.connectionErrors.append(.init(target: address, error: reason))
                    }
                    completion(outcome)
                }
            },
            wait: { [loop] delay, body in
                loop.callLater(TimeAmount(delay)) { if !loop.isEnding { body() } }
            },
            joined: { [self] _ in error })
    }

    private func answered(
        _ result: Result<[NIOCore.SocketAddress], any Error>, of family: FamilyTurns<NIOCore.SocketAddress>.Family
    ) {
        openQueries -= 1
        race?.answer((try? result.get()) ?? [], of: family)
    }

    private func end(_ result: Result<Output, any Error>) {
        deadline?.cancel()
        deadline = nil
        race = nil
        if openQueries > 0 { resolver.cancelQueries() }
        promise.completeWith(result)
    }
}

/// One address dialled: a channel is brought up and connected.
private final class HostAttempt<Output: Sendable>: Cancellable {
    private var channel: (any Channel)?
    private var completion: ((Result<Output, any Error>) -> Void)?

    /// Begins to connect; `completion` runs once, maybe before this returns, unless cancelled before.
    init(
        _ loop: NativeEventLoop, _ setUp: ChannelSetUp<Output>, to address: NIOCore.SocketAddress,
        completion: @escaping (Result<Output, any Error>) -> Void
    ) {
        self.completion = completion
        setUp.prepare(on: loop, family: address.protocol).assumeIsolated().flatMap { [self] channel, output in
            self.channel = channel
            guard self.completion != nil else {
                cancel()
                return loop.makeFailedFuture(ChannelError.ioOnClosedChannel)
            }
            return channel.connect(to: address).map { output }
        }.whenComplete { [self] in finish($0) }
    }

    private func finish(_ result: Result<Output, any Error>) {
        guard let completion else { return }
        if case .failure = result { cancel() }
        self.completion = nil
        channel = nil
        completion(result)
    }

    /// Closes the channel, or will once there is one; the completion does not run any more.
    func cancel() {
        completion = nil
        channel?.close(promise: nil)
        channel = nil
    }
}
