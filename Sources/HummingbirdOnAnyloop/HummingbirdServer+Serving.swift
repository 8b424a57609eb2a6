import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOBridge
import NIOCore
import NIOHTTP1
import ServiceLifecycle

extension HummingbirdServer {
    /// Listens and serves to the end; tells `listening` the first address.
    func serve(_ listening: EventLoopPromise<SocketAddress>?) async throws {
        defer { cancelDeadline() }
        let childChannel = try protocols.childChannel(respond, eventLoopGroup, logger)
        try await withGracefulShutdownHandler {
            try await serve(childChannel, listening)
        } onGracefulShutdown: {
            self.shutDown()
        }
    }

    private func serve<Child: ServerChildChannel>(
        _ child: Child, _ listening: EventLoopPromise<SocketAddress>?
    ) async throws {
        guard connections.isOpen else { return }
        let listeners: [NIOAsyncChannel<Child.Value, Never>]
        do {
            listeners = try await listen(child)
        } catch {
            // Those that were bound before the one that failed.
            connections.close()
            throw error
        }
        if let channel = listeners.first?.channel {
            if let address = channel.localAddress { listening?.succeed(address) }
            logger.info("Server started", metadata: ["address": "\(channel.localAddress.map { "\($0)" } ?? "unknown")"])
            await onServerRunning(channel)
        }
        // Cancelling must not end the listeners' sequences before what they accepted has been taken from them, so the
        // accepting is a task of its own, which is cancelled, and handlers with it, once the listeners have closed.
        let accepting = Task { await accept(listeners, child) }
        connections.whenClosing { [eventLoopGroup] in
            EventLoopFuture.andAllComplete(listeners.map(\.channel.closeFuture), on: eventLoopGroup.any())
                .whenComplete { _ in accepting.cancel() }
        }
        await withTaskCancellationHandler {
            await accepting.value
            await connections.drained()
        } onCancel: { [connections] in
            connections.close()
        }
    }

    private func accept<Child: ServerChildChannel>(
        _ listeners: [NIOAsyncChannel<Child.Value, Never>], _ child: Child
    ) async {
        let executors =
            options.execution == .loop ? EventLoopTaskExecutors(of: eventLoopGroup) : EventLoopTaskExecutors()
        await withDiscardingTaskGroup { group in
            for listener in listeners {
                group.addTask { await self.accept(listener, child, executors) }
            }
        }
    }

    private func accept<Child: ServerChildChannel>(
        _ listener: NIOAsyncChannel<Child.Value, Never>, _ child: Child, _ executors: EventLoopTaskExecutors
    ) async {
        await withDiscardingTaskGroup { group in
            do {
                try await listener.executeThenClose { inbound in
                    for try await value in inbound {
                        connections.isSetUp(value.channel)
                        group.addTask(executorPreference: executors[value.channel.eventLoop]) { [logger] in
                            await child.handle(value: value, logger: logger)
                        }
                    }
                }
            } catch {
                logger.error("Accepting connections ended", metadata: ["error": "\(error)"])
            }
        }
    }

    /// The listeners that the options ask for, all on one port.
    private func listen<Child: ServerChildChannel>(
        _ child: Child
    ) async throws -> [NIOAsyncChannel<Child.Value, Never>] {
        var address = try options.address ?? HummingbirdServerOptions.Address(configuration.address)
        guard options.listening == .onEachLoop else {
            return [try await listen(on: eventLoopGroup, at: address, child, sharesPort: false)]
        }
        guard configuration.availableConnectionsDelegate == nil else {
            throw HummingbirdServerError.delegateNeedsOneListener
        }
        guard case .hostname(let host, _) = address else { throw HummingbirdServerError.unixSocketNeedsOneListener }
        var listeners: [NIOAsyncChannel<Child.Value, Never>] = []
        for loop in eventLoopGroup.makeIterator() {
            let listener = try await listen(on: loop, at: address, child, sharesPort: true)
            // Port 0 is the system's choice once.
            if let port = listener.channel.localAddress?.port { address = .hostname(host, port: port) }
            listeners.append(listener)
        }
        return listeners
    }

    private func listen<Child: ServerChildChannel>(
        on group: any EventLoopGroup, at address: HummingbirdServerOptions.Address, _ child: Child, sharesPort: Bool
    ) async throws -> NIOAsyncChannel<Child.Value, Never> {
        let bootstrap = prepared(try serverBootstrap(for: group), sharesPort: sharesPort)
        let logger = logger
        let initializer: @Sendable (any Channel) -> EventLoopFuture<Child.Value> = {
            [connections, mayBeHTTP2 = Child.Value.self != HTTP1Channel.Value.self] channel in
            child.setup(channel: channel, logger: logger).flatMapThrowing { value in
                if mayBeHTTP2 { try FlushBeforeClose.add(to: channel) }
                // A listener that closes meanwhile never hands it over, and before this there was nobody to hear of it.
                connections.isSetUp(channel)
                return value
            }
        }
        let listener: NIOAsyncChannel<Child.Value, Never> =
            switch address {
            case .hostname(let host, let port):
                try await bootstrap.bind(
                    host: host, port: port, serverBackPressureStrategy: nil, childChannelInitializer: initializer)
            case .unixDomainSocket(let path):
                try await bootstrap.bind(
                    unixDomainSocketPath: path, cleanupExistingSocketFile: true, serverBackPressureStrategy: nil,
                    childChannelInitializer: initializer)
            }
        connections.add(listener: listener.channel)
        return listener
    }

    /// What Hummingbird's own server asks of its bootstrap, and SO_REUSEPORT.
    private func prepared(_ bootstrap: some ServerBootstrapping, sharesPort: Bool) -> any ServerBootstrapping {
        let delegate = configuration.availableConnectionsDelegate
        let connections = connections
        var bootstrap =
            bootstrap
            .serverChannelOption(ChannelOptions.backlog, value: numericCast(configuration.backlog))
            .serverChannelOption(
                ChannelOptions.socketOption(.so_reuseaddr), value: configuration.reuseAddress ? 1 : 0
            )
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let delegate { try channel.pipeline.syncOperations.addHandler(Self.handler(for: delegate)) }
                    try channel.pipeline.syncOperations.addHandler(ConnectionCollector(connections))
                }
            }
        if sharesPort {
            bootstrap = bootstrap.serverChannelOption(
                ChannelOptions.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1)
        }
        return bootstrap
    }

    private static func handler(for delegate: some AvailableConnectionsDelegate) -> any ChannelHandler {
        AvailableConnectionsChannelHandler(delegate: delegate)
    }

    // MARK: Requests

    /// Answers one request as the stock application does: a context with a logger of its own, `Date`, `Server`, and 500
    /// for errors that the responder lets through.
    @Sendable private func respond(
        _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel
    ) async throws {
        var logger = logger
        logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
        let response: Response = try await withLogger(logger) { (logger: Logger) async throws -> Response in
            try await self.response(to: request, channel, logger)
        }
        do {
            try await writer.write(response: response.head, body: response.body)
        } catch is HTTPParserError {
            // Thrown on, it would have a second response written.
            throw RequestBodyMalformed()
        }
    }

    private func response(to request: Request, _ channel: any Channel, _ logger: Logger) async throws -> Response {
        let context = Responder.Context(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        var response: Response
        do {
            response = try await responder.respond(to: request, context: context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            logger.debug("Unrecognised error", metadata: ["error.type": "\(error)"])
            response = Response(status: .internalServerError, body: ResponseBody())
        }
        response.headers[.date] = date.text
        if let name = configuration.serverName { response.headers[.server] = name }
        return response
    }
}

/// The request's body broke HTTP's rules while the response to it was being written.
private struct RequestBodyMalformed: Error {}
