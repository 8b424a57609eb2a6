import AnyloopCore
import CAnyloopSystem

/// What a `Connector` connects with.
package struct ConnectorWorld<Connection> {
    /// Dials an address, as `ConnectionRace.World.dial`, from a local one where it is given.
    package var dial:
        (SocketAddress, SocketAddress?, @escaping (Result<Connection, TransportError>) -> Void) -> any Cancellable
    /// Makes a transport of a connection, which is its own from there on, whatever comes of it; the last argument runs
    /// once `connectionMade` has.
    package var adopt:
        (
            Connection, () throws -> any StreamProtocol, @escaping (Result<any StreamTransport, TransportError>) -> Void
        ) -> Void
    /// Gives back a connection that nobody wants any more.
    package var discard: (Connection) -> Void

    package init(
        dial:
            @escaping (
                SocketAddress, SocketAddress?, @escaping (Result<Connection, TransportError>) -> Void
            ) -> any Cancellable,
        adopt:
            @escaping (
                Connection, () throws -> any StreamProtocol,
                @escaping (Result<any StreamTransport, TransportError>) -> Void
            ) -> Void,
        discard: @escaping (Connection) -> Void
    ) {
        self.dial = dial
        self.adopt = adopt
        self.discard = discard
    }
}

/// A `createConnection` on its way: name, race, transport.
package final class Connector<Connection>: Cancellable, PendingWork {
    package typealias Completion = (Result<any StreamTransport, TransportError>) -> Void
    private typealias Race = ConnectionRace<SocketAddress, Connection, TransportError>

    private let loop: NativeLoop
    private let world: ConnectorWorld<Connection>
    private let endpoint: Endpoint
    private let options: ConnectOptions
    private var protocolFactory: (() throws -> any StreamProtocol)?
    private var completion: Completion?
    private var number: UInt64 = 0
    /// The look-up or the race, whichever is under way.
    private var step: (any Cancellable)?
    private var timer: TimerHandle?

    package init(
        loop: NativeLoop, world: ConnectorWorld<Connection>, endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol, completion: @escaping Completion
    ) {
        self.loop = loop
        self.world = world
        self.endpoint = endpoint
        self.options = options
        self.protocolFactory = protocolFactory
        self.completion = completion
    }

    package func start() {
        guard !loop.isClosed else { return fail(.loopClosed) }
        number = loop.register(self)
        if let timeout = options.timeout {
            timer = loop.callLater(timeout) { [self] in
                fail(.timedOut(what: "connecting to \(endpoint)", after: timeout))
            }
        }
        switch endpoint {
        case .address(let address):
            race([address])
        case .host(let host, let port):
            if let address = SocketAddress(literal: host, port: port) { return race([address]) }
            step = loop.resolve(host: host, port: port) { [self] result in
                switch result {
                case .success([]):
                    fail(.resolution(host: host, code: 0, text: "getaddrinfo() returned empty list"))
                case .success(let addresses): race(addresses)
                case .failure(let error): fail(error)
                }
            }
        }
    }

    private func race(_ addresses: [SocketAddress]) {
        guard !addresses.isEmpty else {
            let error = SystemError(errno: 0, operation: "getaddrinfo", text: "getaddrinfo() returned empty list")
            return fail(.system(error))
        }
        let (loop, world, local) = (loop, world, options.localAddress)
        let delay = options.happyEyeballsDelay
        let race = Race(
            delay == nil ? FamilyTurns(leading: addresses) : FamilyTurns(addresses),
            delays: Race.Delays(attempt: delay),
            world: Race.World(
                dial: { world.dial($0, local, $1) }, wait: { loop.callLater($0, $1) }, joined: TransportError.joined)
        ) { [self] outcome in connected(outcome) }
        step = race
        race.startNext()
    }

    private func connected(_ outcome: Race.Outcome) {
        let connection: Connection
        switch outcome {
        case .success(let connected): connection = connected
        case .failure(let error): return fail(error)
        }
        guard let completion, let protocolFactory else { return world.discard(connection) }
        forget()
        world.adopt(connection, protocolFactory, completion)
    }

    private func fail(_ error: TransportError) {
        guard let completion else { return }
        forget()
        completion(.failure(error))
    }

    /// Lets go of everything, so that nothing happens twice and no cycle stays.
    private func forget() {
        completion = nil
        protocolFactory = nil
        timer?.cancel()
        timer = nil
        step?.cancel()
        step = nil
        loop.pendingWork[number] = nil
    }

    package func cancel() {
        guard let completion else { return }
        forget()
        loop.callSoon { completion(.failure(.cancelled)) }
    }

    package func loopCloses() { fail(.loopClosed) }
}

extension NativeLoop {
    /// Connects and makes a protocol for the connection; several addresses race as RFC 8305 says.
    @discardableResult
    public func createConnection(
        to endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        let world = ConnectorWorld<Int32>(
            dial: { [self] in ConnectAttempt(loop: self, address: $0, from: $1, completion: $2) },
            adopt: { [self] descriptor, factory, completion in
                do throws(TransportError) {
                    try adopt(descriptor, protocolFactory: factory) { completion(.success($0)) }
                } catch {
                    _ = anyloop_close(descriptor)
                    completion(.failure(error))
                }
            },
            discard: { _ = anyloop_close($0) })
        let connector = Connector(
            loop: self, world: world, endpoint: endpoint, options: options, protocolFactory: protocolFactory,
            completion: completion)
        connector.start()
        return connector
    }
}
