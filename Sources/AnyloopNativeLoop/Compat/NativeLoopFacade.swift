import AnyloopCore

/// A loop on top of a native one: what it does not do itself, the native one does.
///
/// `CompatLoop` gives it asyncio's order, `NIOLoop` (NIOBridge) SwiftNIO's sockets.
public protocol NativeLoopFacade: DebugLoop, DescriptorLoop, PipeLoop, ProcessLoop, ResolvingLoop, SendFileLoop,
    SignalLoop, SocketLoop, TaskLoop
{
    /// The loop below.
    var native: NativeLoop { get }
}

extension NativeLoopFacade {
    /// The executor of actors that live on this loop.
    public var executor: NativeExecutor { native.executor }

    /// What Swift tasks prefer so that they run on this loop, as the body of `runUntilComplete` does.
    public var taskExecutor: NativeTaskExecutor { native.taskExecutor }

    /// The poller in use.
    public var pollerKind: PollerKind { native.pollerKind }

    /// The time on the monotonic clock.
    public var now: LoopInstant { native.now }

    /// The one handle that other threads may hold.
    public var remote: any LoopRemote { native.remote }

    /// Runs `callback` in the next turn (rules 1, 2); on a closed loop the handle comes back cancelled.
    @discardableResult
    public func callSoon(_ callback: @escaping () throws -> Void) -> Handle { native.callSoon(callback) }

    /// Runs `callback` at `when` or later (rules 22 to 27); on a closed loop the handle comes back cancelled.
    @discardableResult
    public func callAt(_ when: LoopInstant, _ callback: @escaping () throws -> Void) -> TimerHandle {
        native.callAt(when, callback)
    }

    // MARK: Errors

    /// Told of errors that nobody waits for; nil restores the default handler (rule 16).
    public var exceptionHandler: ((LoopException) throws -> Void)? {
        get { native.exceptionHandler }
        set { native.exceptionHandler = newValue }
    }

    /// Gives `exception` to the handler (asyncio: `call_exception_handler`).
    public func callExceptionHandler(_ exception: LoopException) { native.callExceptionHandler(exception) }

    // MARK: Running

    /// Whether a turn runs or the loop waits in `runForever`.
    public var isRunning: Bool { native.isRunning }

    /// Whether `close` was called.
    public var isClosed: Bool { native.isClosed }

    /// Runs until `stop`.
    public func run() throws(TransportError) { try native.run() }

    /// Runs one turn, waiting at most `timeout`.
    public func runOnce(timeout: Duration?) throws(TransportError) { try native.runOnce(timeout: timeout) }

    /// Ends `runForever` once the current turn is over (rules 7, 8).
    public func stop() { native.stop() }

    /// Closes the loop; while it runs this is reported to the exception handler and does nothing.
    public func closeLoop() {
        native.closeLoop()
    }

    // MARK: Callback-style networking

    /// Connects and makes a protocol; `completion` runs on the loop after `connectionMade` (rule 48).
    @discardableResult
    public func createConnection(
        to endpoint: Endpoint, options: ConnectOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol,
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        native.createConnection(
            to: endpoint, options: options, protocolFactory: protocolFactory, completion: completion)
    }

    /// Listens on `addresses`; all of them or none (rule 51).
    public func createServer(
        on addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        try native.createServer(on: addresses, options: options, protocolFactory: protocolFactory)
    }

    /// Opens a datagram endpoint (rule 114).
    public func createDatagramEndpoint(
        local: SocketAddress?, remote: SocketAddress?, options: DatagramOptions,
        protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport {
        try native.createDatagramEndpoint(
            local: local, remote: remote, options: options, protocolFactory: protocolFactory)
    }

    /// Takes over a connected stream socket (asyncio: `connect_accepted_socket`, rule 61).
    @discardableResult
    public func adoptConnection(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any StreamTransport {
        try native.adoptConnection(descriptor: descriptor, protocolFactory: protocolFactory)
    }

    /// The addresses of `host`; `completion` runs later on the loop.
    @discardableResult
    public func resolve(
        host: String, port: UInt16, completion: @escaping (Result<[SocketAddress], TransportError>) -> Void
    ) -> any Cancellable {
        native.resolve(host: host, port: port, completion: completion)
    }
}

extension NativeLoopFacade {
    /// Listens on sockets of the application's that are bound (rules 51, 52).
    public func createServer(
        descriptors: [Int32], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        try native.createServer(descriptors: descriptors, options: options, protocolFactory: protocolFactory)
    }

    /// Sends and receives on a datagram socket of the application's (rule 114).
    public func createDatagramEndpoint(
        descriptor: Int32, protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport {
        try native.createDatagramEndpoint(descriptor: descriptor, protocolFactory: protocolFactory)
    }
}

extension NativeLoopFacade {
    /// Whether callbacks are timed and the calling thread is checked (rules 19 to 21).
    public var isDebug: Bool {
        get { native.isDebug }
        set { native.isDebug = newValue }
    }

    /// In debug mode, callbacks that take as long or longer are logged (rule 20).
    public var slowCallbackDuration: Duration {
        get { native.slowCallbackDuration }
        set { native.slowCallbackDuration = newValue }
    }

    /// Told what asyncio tells its logger; nil prints warnings and errors to standard error.
    public var logHandler: ((LoopLogRecord) -> Void)? {
        get { native.logHandler }
        set { native.logHandler = newValue }
    }

    /// Tells the log handler; without one, warnings and errors are a line each on standard error.
    public func log(_ record: LoopLogRecord) { native.log(record) }
}
