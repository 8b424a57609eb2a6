public import Hummingbird
public import Logging
public import NIOCore
public import ServiceLifecycle
import Synchronization

/// Runs a Hummingbird responder on Anyloop's event loops, or on SwiftNIO's.
///
/// The stock `Application.run()` binds with SwiftNIO's `ServerBootstrap`, which traps on any group but SwiftNIO's. This
/// runner takes the same responder (a router with its middleware), the same configuration and HummingbirdCore's child
/// channels, and binds on a `NativeEventLoopGroup` or a `MultiThreadedEventLoopGroup` alike:
///
/// ```swift
/// let group = try NativeEventLoopGroup(numberOfThreads: 4)
/// let server = HummingbirdServer(router: router, eventLoopGroup: group)
/// try await server.run()
/// ```
///
/// It is a `Service`: in a `ServiceGroup` it shuts down gracefully, as Hummingbird's own server does. It runs once.
public final class HummingbirdServer<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    /// Answers the requests.
    public let responder: Responder
    /// What is spoken to connections.
    public let protocols: HummingbirdProtocols
    /// Address, backlog, server name and the delegate for available connections.
    public let configuration: ApplicationConfiguration
    /// What the configuration does not say.
    public let options: HummingbirdServerOptions
    /// The loops that it runs on; whoever made them shuts them down.
    public let eventLoopGroup: any EventLoopGroup
    /// Hears what the server has to say, and is the parent of the requests' loggers.
    public let logger: Logger

    let onServerRunning: @Sendable (any Channel) async -> Void
    let services: [any Service]
    let processesBefore: [@Sendable () async throws -> Void]
    let connections = ServerConnections()
    let date = ResponseDate()
    private let deadline = Mutex<Scheduled<Void>?>(nil)
    private let hasRun = Atomic(false)

    /// A server for `responder`; nothing happens before `run`.
    ///
    /// - Parameter onServerRunning: called once all listeners are bound, with the first of them.
    public convenience init(
        responder: Responder, protocols: HummingbirdProtocols = .http1(),
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        options: HummingbirdServerOptions = HummingbirdServerOptions(), eventLoopGroup: any EventLoopGroup,
        logger: Logger? = nil, onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) {
        self.init(
            responder: responder, protocols: protocols, configuration: configuration, options: options,
            eventLoopGroup: eventLoopGroup, logger: logger, services: [], processesBefore: [],
            onServerRunning: onServerRunning)
    }

    /// A server for `router`, or whatever else builds a responder.
    ///
    /// - Parameter onServerRunning: called once all listeners are bound, with the first of them.
    public convenience init<Builder: HTTPResponderBuilder>(
        router: Builder, protocols: HummingbirdProtocols = .http1(),
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        options: HummingbirdServerOptions = HummingbirdServerOptions(), eventLoopGroup: any EventLoopGroup,
        logger: Logger? = nil, onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) where Builder.Responder == Responder {
        self.init(
            responder: router.buildResponder(), protocols: protocols, configuration: configuration, options: options,
            eventLoopGroup: eventLoopGroup, logger: logger, onServerRunning: onServerRunning)
    }

    /// A server for all that `application` says: responder, configuration, logger, services, what runs before the
    /// start, and, unless `protocols` and `eventLoopGroup` say otherwise, what it serves and the group that it was given.
    ///
    /// - Throws: what the application's responder throws where it is built.
    public convenience init<Application: ApplicationProtocol>(
        application: Application, protocols: HummingbirdProtocols? = nil,
        options: HummingbirdServerOptions = HummingbirdServerOptions(), eventLoopGroup: (any EventLoopGroup)? = nil
    ) async throws where Application.Responder == Responder {
        self.init(
            responder: try await application.responder, protocols: protocols ?? .builder(application.server),
            configuration: application.configuration, options: options,
            eventLoopGroup: eventLoopGroup ?? application.eventLoopGroup, logger: application.logger,
            services: application.services, processesBefore: application.processesRunBeforeServerStart,
            onServerRunning: { await application.onServerRunning($0) })
    }

    private init(
        responder: Responder, protocols: HummingbirdProtocols, configuration: ApplicationConfiguration,
        options: HummingbirdServerOptions, eventLoopGroup: any EventLoopGroup, logger: Logger?,
        services: [any Service], processesBefore: [@Sendable () async throws -> Void],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void
    ) {
        self.responder = responder
        self.protocols = protocols
        self.configuration = configuration
        self.options = options
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger ?? Logger(label: configuration.serverName ?? "Hummingbird")
        self.services = services
        self.processesBefore = processesBefore
        self.onServerRunning = onServerRunning
    }

    /// Connections that are open.
    public var connectionCount: Int { connections.count }

    /// Listens, and serves until the server is shut down: by `shutDown`, by the `ServiceGroup` that it is in, or by
    /// cancelling the task, which closes connections and cancels their handlers at once.
    ///
    /// Returns when every connection has closed and every request's handler has returned.
    ///
    /// - Throws: `HummingbirdServerError`; what binding throws (`IOError`, `SocketAddressError`); TLS errors of the
    ///   protocols; what the application's services throw.
    public func run() async throws {
        try await run(listening: nil)
    }

    /// Serves while `body` runs, which gets the address of the first listener; then shuts down gracefully.
    ///
    /// - Throws: as `run`, `HummingbirdServerError.shutDownBeforeListening`, and what `body` throws.
    public func withRunning<Result: Sendable>(
        _ body: (_ address: SocketAddress) async throws -> Result
    ) async throws -> Result {
        let listening = eventLoopGroup.any().makePromise(of: SocketAddress.self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.run(listening: listening) }
            let result: Result
            do {
                result = try await body(try await listening.futureResult.get())
            } catch {
                shutDown()
                try await group.waitForAll()
                throw error
            }
            shutDown()
            try await group.waitForAll()
            return result
        }
    }

    /// Begins a graceful shutdown: nothing is accepted any more, idle connections close, others when their requests
    /// have been answered, or after `HummingbirdServerOptions.shutdownGrace`. `run` then returns.
    ///
    /// From any thread, at any time; a server that has not run yet will not listen. Later calls do nothing.
    public func shutDown() {
        guard connections.quiesce() else { return }
        logger.debug("Shutting down", metadata: ["connections": "\(connections.count)"])
        guard let grace = options.shutdownGrace else { return }
        let scheduled = eventLoopGroup.any().scheduleTask(in: TimeAmount(grace)) { [connections, logger] in
            guard connections.count > 0 else { return }
            logger.warning("Closing connections after the grace", metadata: ["connections": "\(connections.count)"])
            connections.close()
        }
        deadline.withLock { $0 = scheduled }
    }

    /// Forgets the end of the grace, once nothing is left to close.
    func cancelDeadline() {
        deadline.withLock { $0?.cancel() }
    }

    private func run(listening: EventLoopPromise<SocketAddress>?) async throws {
        do {
            guard !hasRun.exchange(true, ordering: .relaxed) else { throw HummingbirdServerError.alreadyRun }
            if services.isEmpty && processesBefore.isEmpty {
                try await serve(listening)
            } else {
                try await serveWithServices(listening)
            }
        } catch {
            listening?.fail(error)
            throw error
        }
        // It has been told the address, or there is none.
        listening?.fail(HummingbirdServerError.shutDownBeforeListening)
    }

    /// As the stock application: the services first, then what has to be done before the server starts.
    private func serveWithServices(_ listening: EventLoopPromise<SocketAddress>?) async throws {
        let server = ServiceClosure { [self] in
            for process in processesBefore { try await process() }
            try await serve(listening)
        }
        let all =
            services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
            + [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)]
        try await ServiceGroup(configuration: .init(services: all, logger: logger)).run()
    }
}

extension HummingbirdServer: CustomStringConvertible {
    /// What service groups call it.
    public var description: String { "Hummingbird" }
}

/// A service that is one function.
private struct ServiceClosure: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws { try await body() }
}
