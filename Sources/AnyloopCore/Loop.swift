/// Runs callbacks, timers and readiness; knows no server, no client, no protocol (asyncio: `AbstractEventLoop`).
///
/// This is the contract that a protocol's author writes against and that every loop keeps: ours, compat,
/// SwiftNIO's, CPython's. A loop and everything on it is confined to one thread and is not `Sendable`; other
/// threads reach it through `remote`.
public protocol Loop: AnyObject {
    /// The time on the loop's monotonic clock; read at the start of the turn, so cheap (asyncio: `time()`).
    var now: LoopInstant { get }

    /// The one handle that other threads may hold.
    var remote: any LoopRemote { get }

    /// Runs `callback` in the next turn, in the order of the calls (asyncio rules 1, 2).
    @discardableResult
    func callSoon(_ callback: @escaping () throws -> Void) -> Handle

    /// Runs `callback` at `when` or later, never earlier (asyncio rules 22 to 27).
    @discardableResult
    func callAt(_ when: LoopInstant, _ callback: @escaping () throws -> Void) -> TimerHandle

    /// Connects and makes a protocol for the connection; names are resolved off the loop's thread.
    ///
    /// `completion` runs once on the loop, never inside this call: after `connectionMade`, or with what failed.
    /// Cancelling the handle closes the attempt and completes it with `TransportError.cancelled`.
    @discardableResult
    func createConnection(
        to endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable

    /// Listens on addresses that need no resolving; all of them or, on an error, none (asyncio rule 51).
    ///
    /// `protocolFactory` runs once for each accepted connection.
    func createServer(
        on addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server

    /// Opens a datagram endpoint, bound to `local` and connected to `remote` where they are given.
    func createDatagramEndpoint(
        local: SocketAddress?, remote: SocketAddress?, options: DatagramOptions,
        protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport

    /// Takes over a connected stream socket (asyncio: `connect_accepted_socket`); the transport owns it from here.
    @discardableResult
    func adoptConnection(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any StreamTransport

    /// The addresses of `host`, resolved off the loop's thread; `completion` runs later on the loop.
    @discardableResult
    func resolve(
        host: String, port: UInt16, completion: @escaping (Result<[SocketAddress], TransportError>) -> Void
    ) -> any Cancellable

    /// Told of errors that nobody waits for (asyncio rule 14, 16); nil restores the default, which logs them.
    ///
    /// What the handler throws is logged as 'Unhandled error in exception handler', and the loop lives on.
    var exceptionHandler: ((LoopException) throws -> Void)? { get set }

    /// Gives `exception` to the handler, or logs it (asyncio: `call_exception_handler`).
    func callExceptionHandler(_ exception: LoopException)

    /// Runs turns until `stop` (asyncio: `run_forever`).
    ///
    /// - Throws: `TransportError.usage` while it runs already, `.loopClosed` after `closeLoop`.
    func run() throws(TransportError)

    /// Runs one turn, waiting at most `timeout` for something to do; nil waits for the next deadline.
    func runOnce(timeout: Duration?) throws(TransportError)

    /// Ends `run` once the current turn is over (asyncio rules 7, 8).
    func stop()

    /// Aborts what is open and gives the descriptors back; later calls fail with `.loopClosed`. Idempotent.
    func closeLoop()
}

extension Loop {
    /// Runs `callback` once `delay` is over; zero or less: in the next turn (asyncio rule 24).
    @discardableResult
    public func callLater(_ delay: Duration, _ callback: @escaping () throws -> Void) -> TimerHandle {
        callAt(now + delay, callback)
    }
}

/// The small handle through which other threads reach a loop.
public protocol LoopRemote: Sendable {
    /// Queues `callback` in the loop's ready queue and wakes it (asyncio: `call_soon_threadsafe`, rule 18).
    ///
    /// In the order of the calls of one thread. False if the loop is closed; `callback` is dropped then. What it
    /// throws goes to the exception handler, as in `Loop.callSoon`.
    @discardableResult
    func callSoonThreadsafe(_ callback: @escaping @Sendable () throws -> Void) -> Bool

    /// Whether the caller is on the loop's thread.
    var isOnLoopThread: Bool { get }

    /// The loop itself, for callbacks that run on it; nil elsewhere, and from a loop that does not tell.
    var runningLoop: (any Loop)? { get }
}

extension LoopRemote {
    /// Nil.
    public var runningLoop: (any Loop)? { nil }
}

/// Work that can be called off.
public protocol Cancellable: AnyObject {
    /// Calls the work off; without effect once it is done.
    func cancel()
}

/// An error that nobody waits for, with where it happened (asyncio: the exception handler's context).
public struct LoopException {
    /// What went wrong, as asyncio words it.
    public var message: String
    /// The error, where one was thrown.
    public var error: (any Error)?
    /// The transport it happened on.
    public var transport: (any Transport)?
    /// The protocol whose callback threw.
    public var protocolObject: AnyObject?
    /// The handle whose callback threw.
    public var handle: Handle?
    /// The descriptor of the listening socket it happened on (asyncio: `socket`, rule 55).
    public var socket: Int32?

    /// A report for `Loop.callExceptionHandler`.
    public init(
        message: String, error: (any Error)? = nil, transport: (any Transport)? = nil,
        protocolObject: AnyObject? = nil, handle: Handle? = nil, socket: Int32? = nil
    ) {
        self.message = message
        self.error = error
        self.transport = transport
        self.protocolObject = protocolObject
        self.handle = handle
        self.socket = socket
    }
}
