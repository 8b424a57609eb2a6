import AnyloopCore

/// A relay between clients and one server that writes down what passes: bytes, the cuts they came in, ends, resets.
///
/// It understands no protocol. Confined to its loop's thread; the loop is whatever the caller has.
public final class Recorder {
    /// Bytes that one conversation may come to, both directions together; beyond it the connection is aborted.
    public static let conversationLimit = 64 << 20
    /// How long the server may take to accept.
    public static let connectTimeout = Duration.seconds(10)

    /// Called once for each conversation, when both its connections are gone.
    public var finished: (RecordedConversation) -> Void = { _ in }

    private let loop: any Loop
    private let upstream: Endpoint
    private let limit: Int
    private var server: (any Server)?
    private var count = 0
    private var open: [ObjectIdentifier: Relay] = [:]

    /// A recorder that hands connections on to `upstream`.
    public init(loop: any Loop, upstream: Endpoint, conversationLimit: Int = Recorder.conversationLimit) {
        self.loop = loop
        self.upstream = upstream
        limit = conversationLimit
    }

    /// Listens on `addresses`.
    public func listen(on addresses: [SocketAddress]) throws(TransportError) {
        var options = ServerOptions()
        options.backlog = 1024
        server = try loop.createServer(on: addresses, options: options) { [unowned self] in accept() }
    }

    /// The addresses that are bound.
    public var addresses: [SocketAddress] { server?.addresses ?? [] }

    /// Connections that are open.
    public var connectionCount: Int { open.count }

    /// Stops listening and aborts what is open; `finished` hears of those as they are.
    public func close() {
        server?.close()
        for relay in Array(open.values) { relay.abort() }
    }

    /// Stops listening; open connections go on.
    public func stopListening() {
        server?.close()
    }

    private func accept() -> any StreamProtocol {
        count += 1
        let relay = Relay(number: count, limit: limit)
        open[ObjectIdentifier(relay)] = relay
        relay.ended = { [unowned self] relay in
            open[ObjectIdentifier(relay)] = nil
            finished(relay.conversation)
        }
        return relay.client(connecting: connect)
    }

    private func connect(_ relay: Relay) {
        var options = ConnectOptions()
        options.timeout = Self.connectTimeout
        loop.createConnection(to: upstream, options: options) {
            relay.server()
        } completion: { [upstream] result in
            if case .failure(let error) = result { relay.fail("cannot connect to \(upstream): \(error)") }
        }
    }
}

/// One conversation: a connection from the client, one to the server.
private final class Relay {
    private(set) var conversation: RecordedConversation
    var ended: (Relay) -> Void = { _ in }
    private let limit: Int
    private var ends: [Fixture.Direction: RelayEnd] = [:]
    private var lost = 0
    private var hasServer = false
    // A server that answers after the client went away must not end the conversation again.
    private var isOver = false

    init(number: Int, limit: Int) {
        conversation = RecordedConversation(number: number)
        self.limit = limit
    }

    func client(connecting connect: @escaping (Relay) -> Void) -> RelayEnd {
        let end = RelayEnd(relay: self, sends: .fromClient)
        end.made = { [unowned self] transport in
            // What the client sends waits in the kernel until the server is there, so that its cuts stay.
            transport.pauseReading()
            connect(self)
        }
        ends[.fromClient] = end
        return end
    }

    func server() -> RelayEnd {
        let end = RelayEnd(relay: self, sends: .fromServer)
        hasServer = true
        end.made = { [unowned self] transport in
            guard let client = ends[.fromClient]?.transport, !client.isClosing else { return transport.abort() }
            client.resumeReading()
        }
        ends[.fromServer] = end
        return end
    }

    func fail(_ flaw: String) {
        conversation.flaw = conversation.flaw ?? flaw
        abort()
    }

    func abort() {
        for end in ends.values { end.transport?.abort() }
    }

    fileprivate func received(_ direction: Fixture.Direction, _ data: Span<UInt8>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count)
        for index in data.indices { bytes.append(data[index]) }
        guard conversation.byteCount + bytes.count <= limit else {
            return fail("the conversation is longer than \(limit) bytes")
        }
        conversation.append(direction, bytes)
        ends[direction.opposite]?.transport?.write(bytes)
    }

    fileprivate func receivedEnd(_ direction: Fixture.Direction) -> Bool {
        conversation.append(direction, .fin)
        guard let other = ends[direction.opposite] else { return false }
        other.transport?.writeEOF()
        // Once both have ended there is nothing left to pass on; what is queued is still flushed.
        if other.hasEnded { other.transport?.close() }
        return !other.hasEnded
    }

    fileprivate func pause(_ direction: Fixture.Direction, _ isPaused: Bool) {
        guard let other = ends[direction.opposite]?.transport else { return }
        if isPaused { other.pauseReading() } else { other.resumeReading() }
    }

    fileprivate func lost(_ end: RelayEnd, _ error: TransportError?) {
        lost += 1
        let other = ends[end.sends.opposite]
        if error != nil {
            if conversation.flaw == nil, !end.hasReset { conversation.append(end.sends, .rst) }
            other?.hasReset = true
            other?.transport?.reset()
        } else if !end.hasEnded || other?.hasEnded == true {
            other?.transport?.close()
        }
        guard lost == (hasServer ? 2 : 1), !isOver else { return }
        isOver = true
        ended(self)
        ends = [:]
    }
}

/// One of a relay's two connections.
private final class RelayEnd: StreamProtocol {
    private let relay: Relay
    let sends: Fixture.Direction
    var transport: (any StreamTransport)?
    var made: (any StreamTransport) -> Void = { _ in }
    private(set) var hasEnded = false
    /// Whether it was we who reset it.
    var hasReset = false

    init(relay: Relay, sends: Fixture.Direction) {
        self.relay = relay
        self.sends = sends
    }

    func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        made(transport)
    }

    func dataReceived(_ data: Span<UInt8>) { relay.received(sends, data) }

    func eofReceived() -> Bool {
        hasEnded = true
        return relay.receivedEnd(sends)
    }

    func connectionLost(_ error: TransportError?) {
        transport = nil
        relay.lost(self, error)
    }

    func pauseWriting() { relay.pause(sends, true) }
    func resumeWriting() { relay.pause(sends, false) }
}

extension Fixture.Direction {
    /// The other side's.
    var opposite: Fixture.Direction { self == .fromClient ? .fromServer : .fromClient }
}
