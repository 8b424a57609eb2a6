import AnyloopCore

/// What a loop must bring to be put through the batteries; one host is made for each case.
///
/// A host owns one loop and makes connections on it whose far end is raw: a socket or a script, not a
/// transport of the loop under test.
public protocol BatteryHost: AnyObject {
    /// What is being tested, for reports: `native/epoll/tcp`.
    var name: String { get }

    /// The loop under test.
    var loop: any Loop { get }

    /// Whose order of callbacks the loop keeps: cases about a liberty look at it.
    var discipline: BatteryDiscipline { get }

    /// A connection whose near end `streamProtocol` will get by `connectionMade`.
    func makePair(_ streamProtocol: any StreamProtocol) throws -> any BatteryPeer

    /// Runs one turn of the loop, waiting at most a few milliseconds, and lets every raw end send and receive.
    func step() throws

    /// Whether a case that has waited `steps` steps for `duration` should give up.
    func isPatient(steps: Int, for duration: Duration) -> Bool

    /// An open descriptor of a file with those bytes; the host closes it in `tearDown`.
    func makeFile(_ bytes: [UInt8]) throws -> Int32

    /// Runs `body` on a thread that is not the loop's.
    func runElsewhere(_ body: @escaping @Sendable () -> Void)

    /// An address that a server of this loop can listen at, port 0 where there are ports.
    func serverAddress() -> SocketAddress

    /// Whether one side of a pair can reset the connection; not on a Unix socket, where it is an end.
    var canReset: Bool { get }

    /// Whether pairs, servers and connections speak TLS (asyncio rules 119 to 129): no half-close, `eofReceived` after
    /// our own close, other limits.
    var speaksTLS: Bool { get }

    /// Whether the loop sends files over these pairs by `SendFileLoop`, if it is one.
    var loopSendsFiles: Bool { get }

    /// Listens on the loop under test.
    func createServer(
        on addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server

    /// Connects on the loop under test.
    @discardableResult
    func createConnection(
        to endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable

    /// Closes the loop and everything else.
    func tearDown()
}

extension BatteryHost {
    /// Ten seconds.
    public func isPatient(steps: Int, for duration: Duration) -> Bool { duration < .seconds(10) }

    /// Runs it on a thread of its own.
    public func runElsewhere(_ body: @escaping @Sendable () -> Void) { OtherThread.run(body) }

    /// True, as on TCP.
    public var canReset: Bool { true }

    /// A free port of the loopback interface.
    public func serverAddress() -> SocketAddress { .loopback(port: 0) }

    /// False.
    public var speaksTLS: Bool { false }

    /// True.
    public var loopSendsFiles: Bool { true }

    /// The loop's own.
    public func createServer(
        on addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        try loop.createServer(on: addresses, options: options, protocolFactory: protocolFactory)
    }

    /// The loop's own.
    @discardableResult
    public func createConnection(
        to endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        loop.createConnection(
            to: endpoint, options: options, protocolFactory: protocolFactory, completion: completion)
    }
}

/// Whose timing a loop keeps.
public enum BatteryDiscipline: Sendable {
    /// asyncio's, to the letter.
    case asyncio
    /// Native's, with the liberties of the table.
    case native
}

/// The raw far end of a connection under test.
public protocol BatteryPeer: AnyObject {
    /// Sends `bytes`, now or in the steps to come.
    func send(_ bytes: [UInt8])
    /// Ends this side after what was sent.
    func finish()
    /// Over TLS: ends the connection below after what was sent, without `close_notify`; otherwise as `finish`.
    func truncate()
    /// Resets the connection now.
    func reset()
    /// Stops receiving; what is in flight stays unread.
    func stopReading()
    /// Receives again.
    func resumeReading()
    /// What was received since the last `takeReceived`.
    var received: [UInt8] { get }
    /// Takes what was received.
    func takeReceived() -> [UInt8]
    /// How the transport ended, once everything before it was received.
    var end: StreamEnd? { get }
}

extension BatteryPeer {
    /// As `finish`.
    public func truncate() { finish() }
}

extension MemoryPeer: BatteryPeer {
    /// Blocks the transport's writes now.
    public func stopReading() { stopReading(window: 0) }
}

/// A case that did not hold: what was expected, and what came.
public struct BatteryFailure: Error, CustomStringConvertible {
    /// One sentence.
    public let text: String

    /// A failure with that text.
    public init(_ text: String) {
        self.text = text
    }

    /// The text.
    public var description: String { text }
}

/// One named promise and the way to see whether it is kept.
public struct BatteryCase: Sendable, CustomStringConvertible {
    /// Which battery it belongs to and what it is about: `stream/close-flushes`.
    public let name: String
    /// The rules of asyncio's contract it stands for; empty for clauses that are only ours.
    public let rules: [Int]
    private let wire: Wire
    private let body: @Sendable (BatteryStage) throws -> Void

    /// What a case needs below it.
    enum Wire: Sendable {
        case any
        /// A stream that can be closed in halves.
        case plain
        case tls
    }

    init(
        _ name: String, _ rules: [Int], over wire: Wire = .any,
        _ body: @escaping @Sendable (BatteryStage) throws -> Void
    ) {
        self.name = name
        self.rules = rules
        self.wire = wire
        self.body = body
    }

    /// The name.
    public var description: String { name }

    /// Runs the case on `host`, if it is about what the host has, and tears it down; every callback is held to the
    /// grammar as well.
    ///
    /// - Throws: `BatteryFailure`, with the host's and the case's name.
    public func run(on host: any BatteryHost) throws {
        defer { host.tearDown() }
        guard wire == .any || (wire == .tls) == host.speaksTLS else { return }
        let stage = BatteryStage(host)
        do {
            try body(stage)
            try stage.verify()
        } catch {
            throw BatteryFailure("\(host.name) \(name)\(rulesText): \(error)")
        }
    }

    private var rulesText: String {
        rules.isEmpty ? "" : " (rules \(rules.map(String.init).joined(separator: ", ")))"
    }
}

/// The batteries: what any loop and any transport must show.
public enum Battery {
    /// Promises of stream transports (rules 63 to 102, over TLS 119 to 129).
    public static let stream: [BatteryCase] =
        StreamBattery.reading + StreamBattery.writing + StreamBattery.watermarks + StreamBattery.ending
        + StreamBattery.throwing + StreamBattery.files + StreamBattery.loopFiles + StreamBattery.tls

    /// Promises of loops (rules 1 to 27).
    public static let loop: [BatteryCase] = LoopBattery.cases

    /// Promises of servers (rules 51 to 58) and of connecting (45 to 49).
    public static let server: [BatteryCase] = ServerBattery.cases

    /// Promises of datagram transports (rules 107 to 113).
    public static let datagram: [BatteryCase] = DatagramBattery.cases
}

/// Runs every case of the stream battery on a host of its own.
///
/// - Parameter make: makes the host for one case.
/// - Returns: the failures; empty if every promise is kept.
public func checkStreamTransport(_ make: () throws -> any BatteryHost) -> [BatteryFailure] {
    check(Battery.stream, make)
}

/// Runs every case of the datagram battery on a host of its own.
public func checkDatagramTransport(_ make: () throws -> any BatteryHost) -> [BatteryFailure] {
    check(Battery.datagram, make)
}

/// Runs every case of the loop battery on a host of its own.
public func checkLoop(_ make: () throws -> any BatteryHost) -> [BatteryFailure] {
    check(Battery.loop, make)
}

/// Runs every case of the server battery on a host of its own.
public func checkServer(_ make: () throws -> any BatteryHost) -> [BatteryFailure] {
    check(Battery.server, make)
}

private func check(_ cases: [BatteryCase], _ make: () throws -> any BatteryHost) -> [BatteryFailure] {
    cases.compactMap { battery in
        do {
            try battery.run(on: make())
            return nil
        } catch {
            return error as? BatteryFailure ?? BatteryFailure("\(battery.name): \(error)")
        }
    }
}
