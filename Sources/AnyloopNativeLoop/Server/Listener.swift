import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// A bound socket that is to listen.
package struct BoundSocket {
    /// -1 once it is given away.
    package var descriptor: Int32
    /// What it is bound to.
    package let address: SocketAddress

    /// The file of a Unix socket that goes with it (rule 62): its number in the file system, 0 for none.
    private let file: UInt64

    /// A socket that is bound already.
    package init(descriptor: Int32, options: ServerOptions) {
        self.descriptor = descriptor
        var packed = anyloop_address()
        if unsafe anyloop_socket_name(descriptor, &packed) != 0 { packed.family = UInt8(ANYLOOP_NONE) }
        address = SocketAddress(packed) ?? .unix(path: "")
        file = options.cleanUpSocket ? unsafe anyloop_socket_file(&packed) : 0
    }

    /// A bound socket, not listening yet.
    package static func bound(to address: SocketAddress, options: ServerOptions) throws(TransportError) -> BoundSocket {
        var packed = try address.packed()
        let descriptor = anyloop_socket(address.family, Int32(ANYLOOP_STREAM))
        guard descriptor >= 0 else { throw .system(-descriptor, "socket") }
        do throws(TransportError) {
            let code = try prepare(descriptor, address, options, &packed)
            guard code == 0 else { throw bindError(-code, address, "bind") }
            return BoundSocket(descriptor: descriptor, options: options)
        } catch {
            _ = anyloop_close(descriptor)
            throw error
        }
    }

    private static func prepare(
        _ descriptor: Int32, _ address: SocketAddress, _ options: ServerOptions, _ packed: inout anyloop_address
    ) throws(TransportError) -> Int32 {
        func set(_ option: Int32) throws(TransportError) {
            let code = anyloop_set_option(descriptor, option, 1)
            guard code == 0 else { throw .system(-code, "setsockopt") }
        }
        if address.isUnix {
            let code = unsafe anyloop_remove_stale_socket(&packed)
            guard code != -Errno.exists else { throw notASocket(address) }
            guard code == 0 else { return code }
        } else {
            if options.reuseAddress { try set(Int32(ANYLOOP_OPTION_REUSE_ADDRESS)) }
            if options.reusePort { try set(Int32(ANYLOOP_OPTION_REUSE_PORT)) }
            if case .v6 = address { try set(Int32(ANYLOOP_OPTION_V6_ONLY)) }
            // Accepted sockets inherit them (rule 50).
            try set(Int32(ANYLOOP_OPTION_NO_DELAY))
            if options.keepAlive { try set(Int32(ANYLOOP_OPTION_KEEP_ALIVE)) }
        }
        return unsafe anyloop_bind(descriptor, &packed)
    }

    /// One bound socket for each address, or none.
    package static func bound(
        to addresses: [SocketAddress], options: ServerOptions
    ) throws(TransportError) -> [BoundSocket] {
        guard !addresses.isEmpty else { throw .usage(.argument("a server needs at least one address")) }
        var sockets: [BoundSocket] = []
        do throws(TransportError) {
            for address in addresses { sockets.append(try bound(to: address, options: options)) }
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
        return sockets
    }

    /// Listens.
    package func listen(backlog: Int) throws(TransportError) {
        let code = anyloop_listen(descriptor, Int32(clamping: backlog))
        guard code == 0 else { throw bindError(-code, address, "listen") }
    }

    /// Closes the descriptor, unless it was given away.
    package func close() {
        if descriptor >= 0 { _ = anyloop_close(descriptor) }
    }

    /// Removes the file of a Unix socket, if it is still the one that was bound (rule 62).
    package func removeFile(_ loop: NativeLoop) {
        guard file != 0, var packed = try? address.packed() else { return }
        let code = unsafe anyloop_remove_socket_file(&packed, file)
        if code != 0 {
            let text = SystemError(-code, "unlink").description
            loop.log(.error, "Unable to clean up listening UNIX socket '\(address.host)': \(text)")
        }
    }
}

/// One listening socket.
final class Listener: Watcher {
    /// The server that owns this listener and its socket; nil once it is shut.
    var server: NativeServer?

    override func ready(_ events: Interest) {
        guard let server else { return }
        var peer = anyloop_address()
        for _ in 0..<server.account.acceptBudget {
            let accepted = unsafe anyloop_accept(descriptor, &peer)
            if accepted >= 0 {
                server.accepted(accepted, peer: SocketAddress(peer))
                guard server.account.mayAccept else { return }
                continue
            }
            let code = -accepted
            if code == Errno.again { return }
            // What befell that one connection does not concern the next; anything else would come again at once.
            guard Errno.isOfOneConnection(code) else { return server.acceptFailed(code, descriptor) }
        }
    }

    func shut(_ loop: NativeLoop) {
        server = nil
        loop.detach(self)
        descriptor = -1
    }

    override func loopCloses() { server?.close() }
}

/// There is a file that is no socket where one was to be bound (rule 62).
func notASocket(_ address: SocketAddress) -> TransportError {
    var error = SystemError(Errno.addressInUse, "bind on \(address)")
    error.text = "Address '\(address.host)' is already in use by what is no socket; remove it or choose another path"
    return .system(error)
}

/// The failure to listen on `address`, in a sentence.
package func bindError(_ code: Int32, _ address: SocketAddress, _ operation: String) -> TransportError {
    var error = SystemError(code, "\(operation) on \(address)")
    if code == Errno.addressInUse { error.text += "; stop the other server or choose another port" }
    return .system(error)
}
