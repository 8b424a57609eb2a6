import AnyloopCore

/// A server among the protocols of one `MemoryLoop`.
final class MemoryServer: Server {
    let memoryLoop: MemoryLoop
    private let options: ServerOptions
    private let protocolFactory: () throws -> any StreamProtocol
    private(set) var addresses: [SocketAddress]
    private(set) var isServing = false
    private(set) var connectionCount = 0
    private var waiting: [MemoryTransport] = []
    private var closedCallbacks: [() -> Void] = []
    private var isClosed = false

    init(
        loop: MemoryLoop, addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) {
        memoryLoop = loop
        self.addresses = addresses
        self.options = options
        self.protocolFactory = protocolFactory
        isServing = options.startServing
    }

    func startServing() throws(TransportError) {
        guard !isClosed else { throw .usage("this server is closed: create another") }
        isServing = true
        if !waiting.isEmpty { memoryLoop.enlist(self) }
    }

    /// Takes the far end of a new connection; false if nobody listens. A full backlog only means waiting longer.
    func offer(_ transport: MemoryTransport) -> Bool {
        guard isServing else { return false }
        waiting.append(transport)
        memoryLoop.enlist(self)
        return true
    }

    /// At most `backlog` accepts; their factories run in the next turn, `connectionMade` in the one after (rule 53).
    func acceptEvent() {
        guard isServing else { return }
        var count = 0
        while !waiting.isEmpty, count < options.backlog {
            if let limit = options.connectionLimit, connectionCount >= limit { break }
            let transport = waiting.removeFirst()
            count += 1
            connectionCount += 1
            transport.server = self
            memoryLoop.callSoon { [self] in finish(transport) }
        }
        if count == options.backlog, !waiting.isEmpty { memoryLoop.enlist(self) }
    }

    private func finish(_ transport: MemoryTransport) {
        do {
            let streamProtocol = try protocolFactory()
            transport.start(streamProtocol)
        } catch {
            // Rule 54: this connection is closed at once, the others are not touched.
            memoryLoop.callExceptionHandler(
                LoopException(
                    message: "Error on transport creation for incoming connection", error: error,
                    transport: transport))
            transport.abort()
        }
    }

    var clients: [any StreamTransport] { memoryLoop.transports.filter { $0.server === self } }

    func connectionEnded() {
        connectionCount -= 1
        if !waiting.isEmpty, isServing { memoryLoop.enlist(self) }
        finishClosing()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        isServing = false
        for address in addresses { memoryLoop.servers[address] = nil }
        addresses = []
        for transport in waiting { transport.reset() }
        waiting = []
        finishClosing()
    }

    func whenClosed(_ callback: @escaping () -> Void) {
        closedCallbacks.append(callback)
        finishClosing()
    }

    private func finishClosing() {
        guard isClosed, connectionCount == 0 else { return }
        let callbacks = closedCallbacks
        closedCallbacks = []
        for callback in callbacks { memoryLoop.callSoon(callback) }
    }
}
