import Dispatch
import NIOCore

/// The handler of a connection that shows when its loop has looked at its sockets.
final class ProgramBeacon: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    let far: FarSocket
    private let seen = DispatchSemaphore(value: 0)

    init(_ far: FarSocket) { self.far = far }

    /// Sends a byte to the loop; whether it was received in time, in seconds.
    func lit(within time: Double) -> Bool {
        far.send(1, 1) == 0 && seen.wait(timeout: .now() + time) == .success
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { seen.signal() }
}
