import AnyloopCore

/// A client's connections, by their route.
final class HTTPConnectionPool {
    typealias Completion = (Result<(connection: HTTPClientProtocol, isReused: Bool), HTTPClientError>) -> Void

    /// A request that waits for a connection.
    final class Ticket: Cancellable {
        var completion: Completion?
        let needsFresh: Bool

        init(needsFresh: Bool, _ completion: @escaping Completion) {
            self.needsFresh = needsFresh
            self.completion = completion
        }

        func cancel() {
            completion = nil
        }
    }

    /// What there is for one route.
    private final class Host {
        var idle: [HTTPClientProtocol] = []
        var connecting = 0
        var open = 0
        var waiting: [Ticket] = []
        var firstWaiting = 0

        /// The next ticket that was not cancelled.
        func next() -> Ticket? {
            while firstWaiting < waiting.count {
                let ticket = waiting[firstWaiting]
                if ticket.completion != nil { return ticket }
                drop()
            }
            return nil
        }

        /// Drops the first ticket.
        func drop() {
            firstWaiting += 1
            guard firstWaiting > 64, firstWaiting * 2 > waiting.count else { return }
            waiting.removeSubrange(..<firstWaiting)
            firstWaiting = 0
        }
    }

    private let loop: any Loop
    private let options: HTTPClientOptions
    private var hosts: [HTTPRoute: Host] = [:]
    private(set) var isClosed = false
    private(set) var connectionsMade = 0

    init(loop: any Loop, options: HTTPClientOptions) {
        self.loop = loop
        self.options = options
    }

    /// Connections that are open or being made.
    var connectionCount: Int { hosts.values.reduce(0) { $0 + $1.open + $1.connecting } }

    /// Connections that no request uses.
    var idleCount: Int { hosts.values.reduce(0) { $0 + $1.idle.count } }

    /// Calls `completion` with a connection by `route`, at once if one is idle; nil if too many wait.
    ///
    /// - Parameter needsFresh: does not take one that was used before.
    func acquire(_ route: HTTPRoute, needsFresh: Bool, _ completion: @escaping Completion) -> Ticket? {
        let host = hosts[route] ?? Host()
        hosts[route] = host
        let ticket = Ticket(needsFresh: needsFresh, completion)
        if !needsFresh, host.next() == nil {
            while let connection = host.idle.popLast() {
                guard connection.isReady else { continue }
                completion(.success((connection, true)))
                return ticket
            }
        }
        let waiting = host.waiting.count - host.firstWaiting - host.connecting
        if waiting >= options.waitingLimit, host.open + host.connecting >= max(1, options.connectionsPerHost) {
            return nil
        }
        host.waiting.append(ticket)
        connectIfUseful(host, route)
        return ticket
    }

    /// Closes idle connections now and the others when they are done.
    func close() {
        isClosed = true
        for host in hosts.values {
            let idle = host.idle
            host.idle = []
            for connection in idle { connection.close() }
        }
    }

    private func connectIfUseful(_ host: Host, _ route: HTTPRoute) {
        let waiting = host.waiting.count - host.firstWaiting
        guard host.next() != nil, host.connecting < waiting else { return }
        if host.open + host.connecting >= max(1, options.connectionsPerHost) {
            // A request that needs a fresh connection does not wait while others idle.
            guard let spare = host.idle.popLast() else { return }
            spare.close()
            return
        }
        connect(host, route)
    }

    private func connect(_ host: Host, _ route: HTTPRoute) {
        host.connecting += 1
        var settings = options.connection
        settings.isProxied = route.isProxy && route.tunnel == nil
        settings.proxyLogin = options.proxyOptions.login
        let connection = HTTPClientProtocol(options: settings)
        var isNew = true
        connection.onReady = { [weak self, unowned connection] in
            if isNew {
                host.connecting -= 1
                host.open += 1
            }
            let isReused = !isNew
            isNew = false
            self?.ready(connection, host, route, isReused: isReused)
        }
        connection.onClosed = { [weak self, unowned connection] in
            host.open -= 1
            host.idle.removeAll { $0 === connection }
            self?.connectIfUseful(host, route)
            self?.forgetIfUnused(route)
        }
        connectionsMade += 1
        let dialer = HTTPDialer(loop: loop, options: options, route: route, connection: connection) {
            [weak self] error in
            guard isNew else { return }
            host.connecting -= 1
            connection.onReady = nil
            connection.onClosed = nil
            if let ticket = host.next() {
                host.drop()
                let completion = ticket.completion
                ticket.completion = nil
                completion?(.failure(error))
            }
            self?.connectIfUseful(host, route)
            self?.forgetIfUnused(route)
        }
        dialer.start()
    }

    private func ready(_ connection: HTTPClientProtocol, _ host: Host, _ route: HTTPRoute, isReused: Bool) {
        if let ticket = host.next(), !ticket.needsFresh || !isReused {
            host.drop()
            let completion = ticket.completion
            ticket.completion = nil
            completion?(.success((connection, isReused)))
            return
        }
        if isClosed { return connection.close() }
        if !host.idle.contains(where: { $0 === connection }) { host.idle.append(connection) }
        connectIfUseful(host, route)
    }

    private func forgetIfUnused(_ route: HTTPRoute) {
        guard let host = hosts[route], host.open + host.connecting == 0, host.next() == nil else { return }
        hosts[route] = nil
    }
}
