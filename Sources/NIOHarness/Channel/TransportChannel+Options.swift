public import NIOCore

extension TransportChannel {
    /// The options by synchronous calls, as NIOSSL and others use them.
    public var syncOptions: (any NIOSynchronousChannelOptions)? { Options(channel: self) }

    /// Sets an option that `syncOptions` knows.
    public func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.submit { try Options(channel: self).setOption(option, value: value) }
    }

    /// Reads an option that `syncOptions` knows.
    public func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        eventLoop.submit { try Options(channel: self).getOption(option) }
    }

    /// `autoRead`, `allowRemoteHalfClosure`, `writeBufferWaterMark`, `bufferedWritableBytes`.
    ///
    /// The others are a socket's or an allocator's, of which there is none here: `ChannelError.operationUnsupported`.
    struct Options: NIOSynchronousChannelOptions {
        let channel: TransportChannel

        func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
            guard channel.stage != .closed else { throw ChannelError.ioOnClosedChannel }
            switch (option, value) {
            case (is ChannelOptions.Types.AutoReadOption, let value as Bool):
                guard value != channel.autoRead else { return }
                channel.autoRead = value
                if !value { channel.isReadPending = false }
                if !channel.isDelivering { channel.readIfWanted() }
            case (is ChannelOptions.Types.AllowRemoteHalfClosureOption, let value as Bool):
                channel.allowsHalfClosure = value
            case (
                is ChannelOptions.Types.WriteBufferWaterMarkOption,
                let value as ChannelOptions.Types.WriteBufferWaterMark
            ):
                channel.writes.marks = value
                channel.updateWritability()
            default: throw ChannelError.operationUnsupported
            }
        }

        func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
            guard channel.stage != .closed else { throw ChannelError.ioOnClosedChannel }
            let value: Any =
                switch option {
                case is ChannelOptions.Types.AutoReadOption: channel.autoRead
                case is ChannelOptions.Types.AllowRemoteHalfClosureOption: channel.allowsHalfClosure
                case is ChannelOptions.Types.WriteBufferWaterMarkOption: channel.writes.marks
                case is ChannelOptions.Types.BufferedWritableBytesOption: channel.writes.queued(channel.transport)
                default: throw ChannelError.operationUnsupported
                }
            guard let value = value as? Option.Value else { throw ChannelError.operationUnsupported }
            return value
        }
    }
}
