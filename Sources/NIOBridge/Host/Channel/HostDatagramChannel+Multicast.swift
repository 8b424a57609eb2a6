import CAnyloopSystem
import NIOCore

extension HostDatagramChannel: MulticastChannel {
    /// Receives what is sent to `group`, on `device` or the system's choice (NIO: `MulticastChannel.joinGroup`).
    func joinGroup(_ group: SocketAddress, device: NIONetworkDevice?, promise: EventLoopPromise<Void>?) {
        loop.onLoop { self.change(group, device, isJoin: true, promise) }
    }

    /// Ends `joinGroup`.
    func leaveGroup(_ group: SocketAddress, device: NIONetworkDevice?, promise: EventLoopPromise<Void>?) {
        loop.onLoop { self.change(group, device, isJoin: false, promise) }
    }

    @available(*, deprecated, message: "name a device instead")
    func joinGroup(_ group: SocketAddress, interface: NIONetworkInterface?, promise: EventLoopPromise<Void>?) {
        joinGroup(group, device: interface.map { NIONetworkDevice($0) }, promise: promise)
    }

    @available(*, deprecated, message: "name a device instead")
    func leaveGroup(_ group: SocketAddress, interface: NIONetworkInterface?, promise: EventLoopPromise<Void>?) {
        leaveGroup(group, device: interface.map { NIONetworkDevice($0) }, promise: promise)
    }

    private func change(
        _ group: SocketAddress, _ device: NIONetworkDevice?, isJoin: Bool, _ promise: EventLoopPromise<Void>?
    ) {
        do {
            try check(group, device)
            let index = UInt32(device?.interfaceIndex ?? 0)
            let code: Int32
            switch (group.protocol, device?.address) {
            case (.inet, .some(let own)) where own.protocol == .inet:
                code = unsafe group.withSockAddr { group, _ in
                    unsafe own.withSockAddr { own, _ in
                        unsafe anyloop_raw_membership(descriptor, isJoin ? 1 : 0, group, own, index)
                    }
                }
            case (.inet, .none), (.inet6, .none):
                code = unsafe group.withSockAddr { group, _ in
                    unsafe anyloop_raw_membership(descriptor, isJoin ? 1 : 0, group, nil, index)
                }
            case (.inet6, .some(let own)) where own.protocol == .inet6:
                code = unsafe group.withSockAddr { group, _ in
                    unsafe anyloop_raw_membership(descriptor, isJoin ? 1 : 0, group, nil, index)
                }
            default: throw ChannelError.badInterfaceAddressFamily
            }
            try RawSocket.check(code, "setsockopt")
            promise?.succeed(())
        } catch {
            promise?.fail(error)
        }
    }

    private func check(_ group: SocketAddress, _ device: NIONetworkDevice?) throws {
        guard phase == .active || phase == .activating else { throw ChannelError.inappropriateOperationForState }
        if let device, !device.multicastSupported { throw NIOMulticastNotSupportedError(device: device) }
        guard let localAddress else { throw ChannelError.unknownLocalAddress }
        guard localAddress.protocol == group.protocol else { throw ChannelError.badMulticastGroupAddressFamily }
        guard group.isMulticast else { throw ChannelError.illegalMulticastAddress(group) }
    }
}
