import AnyloopNativeLoop
import NIOCore
import Synchronization

extension HostChannel {
    final func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        guard loop.inEventLoop else { return loop.submit { try self.setOption0(option, value: value) } }
        do {
            try setOption0(option, value: value)
            return loop.makeSucceededVoidFuture()
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    final func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        guard loop.inEventLoop else { return loop.submit { try self.getOption0(option) } }
        do { return loop.makeSucceededFuture(try getOption0(option)) } catch { return loop.makeFailedFuture(error) }
    }

    final var syncOptions: (any NIOSynchronousChannelOptions)? { HostOptions(channel: self) }

    /// Buffers that a channel keeps for receiving, at most, however many messages a read may bring.
    private static var receiveBufferLimit: UInt { 64 }

    /// Options are for the loop's thread, and for channels that are not closed.
    final func checkOptionsAllowed() throws {
        guard loop.inEventLoop else { throw EventLoopError.unsupportedOperation }
        guard isOpen else { throw ChannelError.ioOnClosedChannel }
    }

    /// Sets an option that every channel has.
    ///
    /// - Throws: `ChannelError.operationUnsupported` for one that it has not, where NIO traps.
    final func setCommonOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        try checkOptionsAllowed()
        switch (option, value) {
        case (let option as ChannelOptions.Types.SocketOption, let value as SocketOptionValue):
            try setSocketOption(option.optionLevel, option.optionName, value)
        case (is ChannelOptions.Types.AllocatorOption, let value as ByteBufferAllocator):
            loopAllocator = value
            shared.withLock { $0.allocator = value }
        case (is ChannelOptions.Types.RecvAllocatorOption, let value as any RecvByteBufferAllocator):
            received.recvAllocator = value
        case (is ChannelOptions.Types.AutoReadOption, let value as Bool):
            setAutoRead(value)
        case (is ChannelOptions.Types.WriteSpinOption, let value as UInt) where mayWrite: writeSpinCount = value
        case (
            is ChannelOptions.Types.WriteBufferWaterMarkOption, let value as ChannelOptions.Types.WriteBufferWaterMark
        )
        where mayWrite:
            waterMark = value
        case (is ChannelOptions.Types.MaxMessagesPerReadOption, let value as UInt) where value > 0:
            maxMessagesPerRead = value
            received.updateCapacity(to: Int(min(value, Self.receiveBufferLimit)))
        default:
            throw ChannelError.operationUnsupported
        }
    }

    /// Sets an option of the socket's; `TCP_NODELAY`, which every bootstrap sets, is passed over on Unix sockets.
    final func setSocketOption<Value>(
        _ level: NIOBSDSocket.OptionLevel, _ name: NIOBSDSocket.Option, _ value: Value
    ) throws {
        do { try RawSocket.setOption(descriptor, level, name, value) } catch {
            guard level == .tcp, name == .tcp_nodelay, error.errnoCode == Errno.notSupported else { throw error }
        }
    }

    private func setAutoRead(_ isOn: Bool) {
        let wasOn = autoRead
        autoRead = isOn
        guard phase >= .registered, wasOn != isOn else { return }
        if isOn { read0() } else { unwatch(.read) }
    }

    /// The value of an option that every channel has.
    final func commonOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        try checkOptionsAllowed()
        let value: Any =
            switch option {
            case let option as ChannelOptions.Types.SocketOption:
                try RawSocket.option(
                    descriptor, option.optionLevel, option.optionName, as: SocketOptionValue.self)
            case is ChannelOptions.Types.AllocatorOption: loopAllocator
            case is ChannelOptions.Types.RecvAllocatorOption: received.recvAllocator
            case is ChannelOptions.Types.AutoReadOption: autoRead
            case is ChannelOptions.Types.MaxMessagesPerReadOption: maxMessagesPerRead
            case is ChannelOptions.Types.WriteSpinOption where mayWrite: writeSpinCount
            case is ChannelOptions.Types.WriteBufferWaterMarkOption where mayWrite: waterMark
            default: throw ChannelError.operationUnsupported
            }
        return try Self.cast(value)
    }

    /// `value` as the type that its option names.
    static func cast<Value>(_ value: Any) throws -> Value {
        guard let value = value as? Value else { throw ChannelError.operationUnsupported }
        return value
    }
}

/// A channel's options without futures.
struct HostOptions: NIOSynchronousChannelOptions {
    let channel: HostChannel

    /// Sets `option`.
    ///
    /// - Throws: `ChannelError.operationUnsupported` for one that the channel has not, `.ioOnClosedChannel`;
    ///   `EventLoopError.unsupportedOperation` on another thread than the loop's.
    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        try channel.setOption0(option, value: value)
    }

    /// The value of `option`; throws as `setOption`.
    func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        try channel.getOption0(option)
    }
}
