import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore

/// A listening socket: channels of the connections it accepts in, nothing out.
// Unchecked as `HostChannel` is: touched on the loop's thread only.
final class HostServerChannel: HostChannel, @unchecked Sendable {
    private let childGroup: any EventLoopGroup
    /// Whether the socket is of our making, and with it the file that one of the Unix domain is bound to.
    private let ownsFile: Bool
    private var backlog: Int32 = 128

    /// A channel that is to be bound.
    convenience init(
        loop: NativeEventLoop, childGroup: any EventLoopGroup, family: NIOBSDSocket.ProtocolFamily
    ) throws {
        let descriptor = try RawSocket.make(family, kind: RawSocket.stream)
        self.init(loop: loop, childGroup: childGroup, descriptor: descriptor, ownsFile: true)
    }

    /// A channel of a bound socket, which it owns from here on.
    convenience init(loop: NativeEventLoop, childGroup: any EventLoopGroup, adopting descriptor: Int32) throws {
        try RawSocket.adopt(descriptor, kind: RawSocket.stream)
        self.init(loop: loop, childGroup: childGroup, descriptor: descriptor, ownsFile: false)
        try RawSocket.check(anyloop_listen(descriptor, backlog), "listen")
    }

    private init(loop: NativeEventLoop, childGroup: any EventLoopGroup, descriptor: Int32, ownsFile: Bool) {
        self.childGroup = childGroup
        self.ownsFile = ownsFile
        // A listening socket is never writable.
        super.init(
            loop: loop, descriptor: descriptor, parent: nil, remote: nil,
            receiving: AdaptiveRecvByteBufferAllocator(), isWritable: false)
    }

    override var mayWrite: Bool { false }

    override func bind0(to address: SocketAddress, promise: EventLoopPromise<Void>?) {
        guard mayProceed(promise) else { return }
        guard phase >= .registered else {
            promise?.fail(ChannelError.inappropriateOperationForState)
            return
        }
        do {
            try RawSocket.bind(descriptor, to: address)
            updateAddresses(remote: false)
            try RawSocket.check(anyloop_listen(descriptor, backlog), "listen")
        } catch {
            promise?.fail(error)
            return
        }
        becomeActive(promise)
    }

    /// With the socket goes its file, as NIO's does; a file that is no socket is left and told as an error.
    override func closeDescriptor() -> Int32 {
        let code = super.closeDescriptor()
        guard code >= 0, ownsFile, let path = localAddress?.pathname, !path.isEmpty else { return code }
        return unsafe anyloop_raw_remove_socket_file(path)
    }

    override func receive() throws -> Bool {
        var hasAccepted = false
        for _ in 0..<maxMessagesPerRead {
            guard isOpen else { throw ChannelError.eof }
            var address = RawAddress()
            let accepted = unsafe address.fill { unsafe anyloop_raw_accept(descriptor, $0, $1) }
            if accepted == -Errno.again { break }
            try RawSocket.check(accepted, "accept")
            readPending = false
            hasAccepted = true
            guard let loop = childGroup.next() as? NativeEventLoop else {
                _ = anyloop_close(accepted)
                throw EventLoopError.unsupportedOperation
            }
            let child = HostStreamChannel(
                loop: loop, descriptor: accepted, parent: self, remote: try? address.address())
            pipeline.syncOperations.fireChannelRead(NIOAny(child))
        }
        return hasAccepted
    }

    /// Not for what befell one connection, nor for want of something that comes back.
    override func endsChannel(_ error: any Error) -> Bool {
        guard let code = (error as? IOError)?.errnoCode else { return true }
        return code != Errno.connectionAborted && !Errno.isOutOfResources(code)
    }

    /// A child whose initializers have run begins its life on its own loop.
    override func channelRead0(_ data: NIOAny) {
        guard let child = tryUnwrapData(data, as: HostStreamChannel.self) else { return }
        child.loop.execute {
            child.register().flatMapThrowing {
                guard child.isOpen else { throw ChannelError.ioOnClosedChannel }
                child.becomeActive(nil)
            }.whenFailure { _ in
                child.close(promise: nil)
            }
        }
    }

    override func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        try checkOptionsAllowed()
        guard option is ChannelOptions.Types.BacklogOption, let value = value as? Int32 else {
            return try setCommonOption(option, value: value)
        }
        backlog = value
    }

    override func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        try checkOptionsAllowed()
        guard option is ChannelOptions.Types.BacklogOption else { return try commonOption(option) }
        return try Self.cast(backlog)
    }
}

extension HostServerChannel: CustomStringConvertible {
    var description: String {
        "HostServerChannel { active = \(isActive), localAddress = \(String(describing: localAddress)) }"
    }
}
