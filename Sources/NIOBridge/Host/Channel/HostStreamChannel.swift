import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore
import Synchronization

/// A connection of TCP or of a Unix socket: `ByteBuffer`s in, `IOData` out.
// Unchecked as `HostChannel` is: touched on the loop's thread only.
final class HostStreamChannel: HostChannel, @unchecked Sendable {
    /// The way out.
    private enum Output {
        case open
        /// `close(mode: .output)` waits for what is queued.
        case draining(EventLoopPromise<Void>?)
        case closed
    }

    private var writes = PendingWrites()
    private var output = Output.open
    private var isInputClosed = false
    private var allowsHalfClosure = false
    private var connectTimeout: TimeAmount?
    private var connectTimer: Scheduled<Void>?

    /// A channel that is to connect.
    convenience init(loop: NativeEventLoop, family: NIOBSDSocket.ProtocolFamily) throws {
        let descriptor = try RawSocket.make(family, kind: RawSocket.stream)
        self.init(loop: loop, descriptor: descriptor, parent: nil, remote: nil)
    }

    /// A channel of a connected socket, which it owns from here on.
    convenience init(loop: NativeEventLoop, adopting descriptor: Int32) throws {
        try RawSocket.adopt(descriptor, kind: RawSocket.stream)
        self.init(
            loop: loop, descriptor: descriptor, parent: nil, remote: try? RawSocket.remoteAddress(descriptor))
    }

    init(loop: NativeEventLoop, descriptor: Int32, parent: (any Channel)?, remote: SocketAddress?) {
        super.init(
            loop: loop, descriptor: descriptor, parent: parent, remote: remote,
            receiving: AdaptiveRecvByteBufferAllocator())
    }

    // MARK: Connecting

    override func startConnect(to address: SocketAddress) throws -> Bool {
        if try RawSocket.connect(descriptor, to: address) { return true }
        if let connectTimeout {
            connectTimer = loop.scheduleTask(in: connectTimeout) { [self] in
                guard pendingConnect != nil else { return }
                closeAll(error: ChannelError.connectTimeout(connectTimeout), promise: nil)
            }
        }
        return false
    }

    override func finishConnect() throws {
        stopConnectTimer()
        let code = try RawSocket.pendingError(descriptor)
        guard code == 0 else { throw IOError(errnoCode: code, reason: "finishing a non-blocking connect failed") }
    }

    private func stopConnectTimer() {
        connectTimer?.cancel()
        connectTimer = nil
    }

    // MARK: Reading

    override var mayRead: Bool { !isInputClosed }

    override var staysOpenAtEnd: Bool { allowsHalfClosure }

    override func receive() throws -> Bool {
        var hasRead = false
        for _ in 0..<maxMessagesPerRead {
            guard isOpen, !isInputClosed else { throw ChannelError.eof }
            let (buffer, count) = received.buffer(allocator: loopAllocator) { buffer in
                receive(into: &buffer)
            }
            guard count > 0 else {
                if Errno.isTransient(Int32(-count)) { return hasRead }
                throw count == 0 ? ChannelError.eof : IOError(errnoCode: Int32(-count), reason: "recv")
            }
            received.record(actualReadBytes: count)
            readPending = false
            pipeline.syncOperations.fireChannelRead(NIOAny(buffer))
            hasRead = true
            // A buffer that is not full has taken all there was.
            guard buffer.writableBytes == 0 else { return true }
        }
        return hasRead
    }

    /// Bytes received, 0 at the end, or a negated `errno`.
    private func receive(into buffer: inout ByteBuffer) -> Int {
        var result = 0
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 0) { room in
            result = Int(unsafe anyloop_receive(descriptor, room.baseAddress, room.count))
            return max(0, result)
        }
        return result
    }

    // MARK: Writing

    override var hasFlushedWrites: Bool { writes.flushedCount > 0 }

    override func add(_ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        if case .closed = output {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        guard let data = tryUnwrapData(data, as: IOData.self) else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        writes.append(data, promise)
        writesGrew(to: writes.byteCount)
    }

    override func markFlushed() { writes.markFlushed() }

    override func sendFlushed() throws -> Bool {
        var progress = PendingWrites.Progress.sent
        while progress == .sent, isOpen, writes.flushedCount > 0 {
            var done = SentPromises()
            progress = try unsafe writes.send(to: descriptor, flat: loop.flat, done: &done)
            writesShrank(to: writes.byteCount)
            done.succeed()
        }
        tellIfWritable()
        guard progress == .sent, isOpen, writes.flushedCount == 0 else { return progress == .sent }
        if case .draining = output { close0(error: ChannelError.outputClosed, mode: .output, promise: nil) }
        return true
    }

    override func failWrites(_ error: any Error) {
        stopConnectTimer()
        let former = output
        output = .closed
        for promise in writes.removeAll() { promise.fail(error) }
        if case .draining(let promise) = former { promise?.fail(error) }
    }

    // MARK: Closing

    override func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isOnLoop(promise) else { return }
        guard isOpen else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        switch mode {
        case .all: closeAll(error: error, promise: promise)
        case .output: closeOutput(error, promise)
        case .input: closeInput(error, promise)
        }
    }

    private func closeOutput(_ error: any Error, _ promise: EventLoopPromise<Void>?) {
        let waiting: EventLoopPromise<Void>?
        switch output {
        case .closed:
            promise?.fail(ChannelError.outputClosed)
            return
        case .open, .draining:
            // With the other half closed nothing would be left.
            guard !isInputClosed else { return closeAll(error: error, promise: promise) }
            waiting = joined(promise)
        }
        guard writes.isEmpty else {
            output = .draining(waiting)
            return
        }
        let code = anyloop_shutdown_write(descriptor)
        // As with NIO's, what cannot be shut down is not closed: the next flush or close tries again.
        output = code < 0 ? .draining(nil) : .closed
        if code < 0 { waiting?.fail(IOError(errnoCode: -code, reason: "shutdown")) } else { waiting?.succeed(()) }
        unwatch(.write)
        pipeline.fireUserInboundEventTriggered(ChannelEvent.outputClosed)
    }

    /// The promise that waits for the output's end already, with `promise` in tow.
    private func joined(_ promise: EventLoopPromise<Void>?) -> EventLoopPromise<Void>? {
        guard case .draining(let waiting?) = output else { return promise }
        if let promise { waiting.futureResult.cascade(to: promise) }
        return waiting
    }

    private func closeInput(_ error: any Error, _ promise: EventLoopPromise<Void>?) {
        guard !isInputClosed else {
            promise?.fail(ChannelError.inputClosed)
            return
        }
        if case .closed = output { return closeAll(error: error, promise: promise) }
        if (error as? ChannelError) != .eof {
            let code = anyloop_shutdown_read(descriptor)
            guard code >= 0 else {
                promise?.fail(IOError(errnoCode: -code, reason: "shutdown"))
                return
            }
        }
        isInputClosed = true
        unwatch(.read)
        promise?.succeed(())
        pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    // MARK: Options

    override func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        try checkOptionsAllowed()
        switch (option, value) {
        case (is ChannelOptions.Types.AllowRemoteHalfClosureOption, let value as Bool): allowsHalfClosure = value
        case (is ChannelOptions.Types.ConnectTimeoutOption, let value as TimeAmount?): connectTimeout = value
        default: try setCommonOption(option, value: value)
        }
    }

    override func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        try checkOptionsAllowed()
        switch option {
        case is ChannelOptions.Types.AllowRemoteHalfClosureOption: return try Self.cast(allowsHalfClosure)
        case is ChannelOptions.Types.ConnectTimeoutOption: return try Self.cast(connectTimeout as Any)
        case is ChannelOptions.Types.BufferedWritableBytesOption: return try Self.cast(writes.byteCount)
        default: return try commonOption(option)
        }
    }
}

extension HostStreamChannel: CustomStringConvertible {
    var description: String {
        "HostStreamChannel { active = \(isActive), localAddress = \(String(describing: localAddress)),"
            + " remoteAddress = \(String(describing: remoteAddress)) }"
    }
}
