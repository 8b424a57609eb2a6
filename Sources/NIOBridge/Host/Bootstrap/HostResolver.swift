import AnyloopCore
import AnyloopNativeLoop
import NIOCore
import NIOPosix
import Synchronization

/// The loop's own resolver as NIO's: one look-up answers both queries.
struct HostResolver: Resolver, Sendable {
    private let loop: NativeEventLoop
    private let v4: EventLoopPromise<[NIOCore.SocketAddress]>
    private let v6: EventLoopPromise<[NIOCore.SocketAddress]>

    init(loop: NativeEventLoop) {
        self.loop = loop
        v4 = loop.makePromise()
        v6 = loop.makePromise()
    }

    /// The IPv4 addresses, once the query for IPv6 ones has been made.
    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[NIOCore.SocketAddress]> { v4.futureResult }

    /// Looks `host` up, and tells its IPv6 addresses.
    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[NIOCore.SocketAddress]> {
        loop.onLoop { lookUp(host, port) }
        return v6.futureResult
    }

    /// The answer comes all the same.
    func cancelQueries() {}

    private func lookUp(_ host: String, _ port: Int) {
        guard let number = UInt16(exactly: port) else {
            return fail(TransportError.usage(.argument("\(port) is no port; 0 to 65535 are")))
        }
        loop.native.resolve(host: host, port: number) { result in
            switch result {
            case .success(let addresses):
                let converted = addresses.compactMap { try? $0.forNIO() }
                v4.succeed(converted.filter { $0.protocol == .inet })
                v6.succeed(converted.filter { $0.protocol == .inet6 })
            case .failure(.loopClosed): fail(EventLoopError.shutdown)
            case .failure(let error): fail(error)
            }
        }
    }

    private func fail(_ error: any Error) {
        v4.fail(error)
        v6.fail(error)
    }
}
