import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// One connect to one address.
final class ConnectAttempt: Watcher, Cancellable {
    private let loop: NativeLoop
    private let address: SocketAddress
    private var completion: ((Result<Int32, TransportError>) -> Void)?

    /// Begins to connect; `completion` runs once, later, with the connected socket, unless cancelled before.
    init(
        loop: NativeLoop, address: SocketAddress, from localAddress: SocketAddress?,
        completion: @escaping (Result<Int32, TransportError>) -> Void
    ) {
        self.loop = loop
        self.address = address
        self.completion = completion
        super.init(descriptor: -1)
        do throws(TransportError) { try begin(from: localAddress) } catch { finishSoon(error) }
    }

    private func begin(from localAddress: SocketAddress?) throws(TransportError) {
        var packed = try address.packed()
        descriptor = anyloop_socket(address.family, Int32(ANYLOOP_STREAM))
        guard descriptor >= 0 else { throw .system(-descriptor, "socket") }
        loop.attach(self)
        if let localAddress {
            var local = try localAddress.packed()
            let code = unsafe anyloop_bind(descriptor, &local)
            guard code == 0 else { throw bindError(-code, localAddress, "bind") }
        }
        switch -(unsafe anyloop_connect(descriptor, &packed)) {
        case 0:
            // A Unix socket connects at once; in asyncio no turn passes then.
            if loop.discipline == .asyncio { finish(nil) } else { finishSoon(nil) }
        case Errno.inProgress, Errno.interrupted:
            let code = loop.watch(self, .write)
            guard code == 0 else { throw .system(code, "watching a connection") }
        case let code:
            throw connectError(code)
        }
    }

    private func connectError(_ code: Int32) -> TransportError { .system(code, "connect to \(address)") }

    private func finishSoon(_ error: TransportError?) {
        loop.callSoon { [self] in finish(error) }
    }

    override func ready(_ events: Interest) {
        let code = anyloop_socket_error(descriptor)
        let error = code == 0 ? nil : connectError(abs(code))
        guard loop.discipline == .asyncio else { return finish(error) }
        // There the event completes a future, and what waits for that goes on in the next turn.
        loop.watch(self, [])
        finishSoon(error)
    }

    private func finish(_ error: TransportError?) {
        guard let completion else { return }
        self.completion = nil
        if let error {
            giveUp()
            completion(.failure(error))
        } else {
            loop.detach(self)
            let connected = descriptor
            descriptor = -1
            completion(.success(connected))
        }
    }

    private func giveUp() {
        guard descriptor >= 0 else { return }
        loop.detach(self)
        _ = anyloop_close(descriptor)
        descriptor = -1
    }

    /// Closes the attempt; its completion does not run any more.
    func cancel() {
        completion = nil
        giveUp()
    }

    override func loopCloses() { cancel() }
}
