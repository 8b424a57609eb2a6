import AnyloopCore
import AnyloopSystem

/// The account that a server keeps, whoever accepts for it: its sockets, its connections, what keeps it from accepting,
/// and who waits for its end.
package final class ServerAccount {
    fileprivate enum Phase {
        case bound
        case serving
        case closed
    }

    fileprivate let loop: NativeLoop
    package let options: ServerOptions
    /// What is listened on; empty once the server is closed.
    package var sockets: [BoundSocket]
    fileprivate var phase = Phase.bound
    fileprivate var connectionCount = 0
    fileprivate var retryTimer: TimerHandle?
    /// Nil once the server is closed: what it captured is let go.
    fileprivate var protocolFactory: (() throws -> any StreamProtocol)?
    private var closedCallbacks: [() -> Void] = []

    package init(
        loop: NativeLoop, sockets: [BoundSocket], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) {
        self.loop = loop
        self.sockets = sockets
        self.options = options
        self.protocolFactory = protocolFactory
    }

    package var isClosed: Bool { phase == .closed }

    /// Whether another connection may be taken now.
    package var mayAccept: Bool { phase == .serving && !isAtLimit && retryTimer == nil }

    /// Accepts that a socket may do in one turn.
    package var acceptBudget: Int {
        // asyncio takes a whole backlog (rule 53).
        max(1, loop.discipline == .asyncio ? options.backlog : min(options.backlog, loop.options.acceptBudget))
    }

    fileprivate var isAtLimit: Bool {
        guard let limit = options.connectionLimit else { return false }
        return connectionCount >= max(1, limit)
    }

    fileprivate func whenEnded(_ callback: @escaping () -> Void) {
        closedCallbacks.append(callback)
        tellEnd()
    }

    /// Tells who waits for it that the server is closed and its last connection gone, once that is so.
    fileprivate func tellEnd() {
        guard isClosed, connectionCount == 0 else { return }
        let callbacks = closedCallbacks
        closedCallbacks = []
        for callback in callbacks { callback() }
    }
}

/// A server with such an account; what it has of its own is how it accepts.
package protocol AccountedServer: Server {
    var account: ServerAccount { get }

    /// The sockets listen now: accepting begins, as far as the account allows.
    func beginAccepting()

    /// Brings accepting in line with `account.mayAccept`.
    func adjustAccepting()

    /// Watches the sockets no more, which are closed then.
    func endAccepting()
}

extension AccountedServer {
    package var addresses: [SocketAddress] { account.sockets.map(\.address) }
    package var isServing: Bool { account.phase == .serving }
    package var connectionCount: Int { account.connectionCount }

    package func startServing() throws(TransportError) {
        switch account.phase {
        case .closed: throw .usage("this server is closed; make another")
        case .serving: return
        case .bound:
            for socket in account.sockets { try socket.listen(backlog: account.options.backlog) }
            account.phase = .serving
            beginAccepting()
        }
    }

    package func close() {
        guard !account.isClosed else { return }
        account.phase = .closed
        account.retryTimer?.cancel()
        account.retryTimer = nil
        endAccepting()
        let loop = account.loop
        for socket in account.sockets {
            socket.close()
            socket.removeFile(loop)
        }
        account.sockets = []
        // Sockets that are accepted already have their turn first (asyncio's discipline).
        if loop.discipline == .native || loop.isClosed {
            account.protocolFactory = nil
        } else {
            loop.callSoon { [account] in account.protocolFactory = nil }
        }
        account.tellEnd()
    }

    package func whenClosed(_ callback: @escaping () -> Void) { account.whenEnded(callback) }

    // MARK: Connections

    /// Counts a connection; `heedLimit` has to follow.
    package func connectionBegan() { account.connectionCount += 1 }

    /// Stops accepting if no other connection is allowed for now.
    package func heedLimit() {
        if account.isAtLimit { adjustAccepting() }
    }

    /// The protocol for an accepted connection; what is thrown belongs to `connectionFailed`.
    package func makeProtocol() throws -> any StreamProtocol {
        guard let protocolFactory = account.protocolFactory else { throw TransportError.cancelled }
        let made = try protocolFactory()
        // asyncio refuses to attach it then.
        guard !account.isClosed else { throw TransportError.cancelled }
        return made
    }

    /// An accepted connection did not come to have a transport.
    package func connectionFailed(_ error: any Error) {
        let loop = account.loop
        if loop.discipline == .native || loop.isDebug {
            loop.report("Error on transport creation for incoming connection", error)
        }
        connectionEnded()
    }

    /// A connection of this server is over.
    package func connectionEnded() {
        let wasAtLimit = account.isAtLimit
        account.connectionCount -= 1
        if wasAtLimit { adjustAccepting() }
        account.tellEnd()
    }

    /// Accepting on `descriptor` failed with the `errno` `code`, out of resources or worse: it pauses and comes back
    /// (asyncio rule 55).
    package func acceptFailed(_ code: Int32, _ descriptor: Int32) {
        guard account.retryTimer == nil, isServing else { return }
        let message =
            Errno.isOutOfResources(code) ? "socket.accept() out of system resource" : "socket.accept() failed"
        let loop = account.loop
        loop.callExceptionHandler(
            LoopException(message: message, error: SystemError(code, "accept"), socket: descriptor))
        guard isServing else { return }
        account.retryTimer = loop.callLater(loop.options.acceptRetryDelay) { [weak self] in
            self?.account.retryTimer = nil
            self?.adjustAccepting()
        }
        adjustAccepting()
    }
}
