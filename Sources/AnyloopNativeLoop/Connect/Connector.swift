import AnyloopCore
import CAnyloopSystem

/// A `createConnection` on its way: name, race, transport.
final class Connector: Cancellable, PendingWork {
    typealias Completion = (Result<any StreamTransport, TransportError>) -> Void

    private let loop: NativeLoop
    private let endpoint: Endpoint
    private let options: ConnectOptions
    private var protocolFactory: (() throws -> any StreamProtocol)?
    private var completion: Completion?
    private var number: UInt64 = 0
    /// The look-up or the race, whichever is under way.
    private var step: (any Cancellable)?
    private var timer: TimerHandle?

    init(
        loop: NativeLoop, endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol, completion: @escaping Completion
    ) {
        self.loop = loop
        self.endpoint = endpoint
        self.options = options
        self.protocolFactory = protocolFactory
        self.completion = completion
    }

    func start() {
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
        let (loop, local) = (loop, options.localAddress)
        let world = ConnectionRace.World(
            dial: { ConnectAttempt(loop: loop, address: $0, from: local, completion: $1) },
            wait: { loop.callLater($0, $1) })
        let delay = options.happyEyeballsDelay
        let race = ConnectionRace(
            addresses: delay == nil ? addresses : ConnectionRace.interleaved(addresses), delay: delay, world: world
        ) { [self] outcome in connected(outcome) }
        step = race
        race.startNext()
    }

    private func connected(_ outcome: ConnectionRace.Outcome) {
        let descriptor: Int32
        switch outcome {
        case .success(let connected): descriptor = connected
        case .failure(let error): return fail(error)
        }
        guard let completion, let protocolFactory else {
            _ = anyloop_close(descriptor)
            return
        }
        forget()
        do throws(TransportError) {
            try loop.adopt(descriptor, protocolFactory: protocolFactory) { completion(.success($0)) }
        } catch {
            _ = anyloop_close(descriptor)
            completion(.failure(error))
        }
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

    func cancel() {
        guard let completion else { return }
        forget()
        loop.callSoon { completion(.failure(.cancelled)) }
    }

    func loopCloses() { fail(.loopClosed) }
}

extension NativeLoop {
    /// Connects and makes a protocol for the connection; several addresses race as RFC 8305 says.
    @discardableResult
    public func createConnection(
        to endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        let connector = Connector(
            loop: self, endpoint: endpoint, options: options, protocolFactory: protocolFactory,
            completion: completion)
        // A closed loop runs nothing later: the answer cannot wait.
        if isClosed { connector.loopCloses() } else { connector.start() }
        return connector
    }
}
