import AnyloopCore
import AnyloopTLS
import AnyloopWire
import HTTPTypes
import Logging

/// What all connections of one HTTP server share: options, handler, and the means to encode a response.
///
/// Confined to one loop's thread. `makeProtocol` is the protocol factory to give to a loop.
public final class HTTPService {
    /// What is called with each request, once its head is complete.
    ///
    /// An error thrown before the response began is answered with 500, later it aborts the connection.
    public typealias Handler = (HTTPServerExchange) throws -> Void

    /// The options in force.
    public let options: HTTPServerOptions
    let handler: Handler
    let timing: HTTPServerTiming

    /// Told of each request that the parser refuses, in its head or behind it; for logs, counters and tests.
    public var onRefusal: ((HTTP1Error) -> Void)?

    /// Told of each TLS connection that did not get as far as a request, with the peer's address; for logs, counters
    /// and tests.
    public var onHandshakeFailure: ((SocketAddress?, TransportError) -> Void)?

    /// Whether connections are being wound up: see `shutDown`.
    public private(set) var isShuttingDown = false

    private var connections: [ObjectIdentifier: HTTPServerProtocol] = [:]
    private var onEmpty: [() -> Void] = []

    /// The `Date` line, and until when it is right.
    private var dateLine: [UInt8] = []
    private var dateLineValidUntil = LoopInstant(nanoseconds: .min)
    private let serverLine: [UInt8]

    private var spareOutput: HTTPOutput?

    /// A service that answers with `handler`.
    public init(options: HTTPServerOptions = HTTPServerOptions(), handler: @escaping Handler) {
        self.options = options
        self.handler = handler
        timing = HTTPServerTiming(options)
        serverLine = HTTPService.serverLine(options)
    }

    /// A protocol for one connection.
    public func makeProtocol() -> HTTPServerProtocol {
        HTTPServerProtocol(service: self)
    }

    /// Connections that are open.
    public var connectionCount: Int { connections.count }

    /// Closes connections as they finish what is in flight: idle ones now, the others with their next response,
    /// which says `Connection: close`. Connections that come later get one request each. Idempotent.
    public func shutDown() {
        isShuttingDown = true
        for connection in Array(connections.values) { connection.shutDown() }
    }

    /// Aborts every connection.
    public func abortAll() {
        for connection in Array(connections.values) { connection.abort() }
    }

    /// Calls `callback` once no connection is open; on `loop`, never inside this call.
    public func whenEmpty(on loop: any Loop, _ callback: @escaping () -> Void) {
        guard connections.isEmpty else {
            onEmpty.append(callback)
            return
        }
        loop.callSoon(callback)
    }

    func add(_ connection: HTTPServerProtocol) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: HTTPServerProtocol) {
        connections[ObjectIdentifier(connection)] = nil
        guard connections.isEmpty, !onEmpty.isEmpty else { return }
        let callbacks = onEmpty
        onEmpty.removeAll()
        for callback in callbacks { callback() }
    }

    // MARK: TLS

    /// A handshake failed: the client's affair, worth one line.
    func handshakeFailed(_ peer: SocketAddress?, _ error: TransportError) {
        options.logger?.info("no TLS with \(peer.map { "\($0)" } ?? "a client"): \(error)")
        onHandshakeFailure?(peer, error)
    }

    /// How connections begin and end unless told otherwise: after `HTTPServerOptions`.
    var tlsOptions: TLSConnectionOptions {
        var tls = TLSConnectionOptions()
        tls.handshakeTimeout = options.headerTimeout
        tls.shutdownTimeout = options.lingerTimeout
        tls.plainTextAnswer = plainTextAnswer
        return tls
    }

    /// The answer to a plain request on a TLS port; it must have no `Date`, being made long before.
    private var plainTextAnswer: [UInt8] {
        let text = "400 Bad Request: a plain HTTP request was sent to a port that speaks HTTPS; use https://\n"
        let output = takeOutput()
        defer { giveBack(output) }
        output.appendStatusLine(.badRequest)
        appendServer(to: output)
        output.append("Content-Type: text/plain; charset=utf-8\r\nContent-Length: ")
        output.append(decimal: Int64(text.utf8.count))
        output.append("\r\nConnection: close\r\n\r\n")
        output.append(text)
        return output.withBytes { [UInt8](copying: $0) }
    }

    // MARK: What is reused

    func takeOutput() -> HTTPOutput {
        guard let output = spareOutput else { return HTTPOutput(capacity: 4096) }
        spareOutput = nil
        return output
    }

    func giveBack(_ output: HTTPOutput) {
        output.removeAll()
        if output.capacity <= HTTPOutput.keptCapacity { spareOutput = output }
    }

    // MARK: Date

    /// Appends the `Date` line (RFC 9110 §6.6.1), made anew when its second is over.
    func appendDate(to output: HTTPOutput, now: LoopInstant) {
        if now >= dateLineValidUntil { renewDate(now: now) }
        let line = dateLine
        output.append(line.span)
    }

    /// Appends the `Server` line.
    func appendServer(to output: HTTPOutput) {
        let line = serverLine
        output.append(line.span)
    }

    private func renewDate(now: LoopInstant) {
        guard options.sendsDate else {
            dateLineValidUntil = LoopInstant(nanoseconds: .max)
            return
        }
        let second = options.wallClock().quotientAndRemainder(dividingBy: 1_000_000_000)
        dateLine = Array("Date: \(HTTP1Date.string(Int(second.quotient)))\r\n".utf8)
        dateLineValidUntil = now + .nanoseconds(1_000_000_000 - second.remainder)
    }

    /// The `Server` line of `options`; the field's type makes its value safe for the wire.
    private static func serverLine(_ options: HTTPServerOptions) -> [UInt8] {
        options.serverName.map { Array("Server: \(HTTPField(name: .server, value: $0).value)\r\n".utf8) } ?? []
    }
}

/// The options' durations in nanoseconds, so that the hot path need not convert them.
struct HTTPServerTiming {
    let idle: Int64
    let header: Int64
    let body: Int64
    let write: Int64
    let linger: Int64
    let handler: Int64?

    init(_ options: HTTPServerOptions) {
        idle = options.idleTimeout.saturatingNanoseconds
        header = options.headerTimeout.saturatingNanoseconds
        body = options.bodyTimeout.saturatingNanoseconds
        write = options.writeTimeout.saturatingNanoseconds
        linger = options.lingerTimeout.saturatingNanoseconds
        handler = options.handlerTimeout?.saturatingNanoseconds
    }
}
