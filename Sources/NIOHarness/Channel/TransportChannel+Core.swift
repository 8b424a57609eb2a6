import AnyloopCore
public import NIOCore

extension TransportChannel: ChannelCore {
    /// Our address; throws `ChannelError.operationUnsupported` where there is none.
    public func localAddress0() throws -> NIOCore.SocketAddress {
        guard let localAddress else { throw ChannelError.operationUnsupported }
        return localAddress
    }

    /// The peer's address; throws `ChannelError.operationUnsupported` where there is none.
    public func remoteAddress0() throws -> NIOCore.SocketAddress {
        guard let remoteAddress else { throw ChannelError.operationUnsupported }
        return remoteAddress
    }

    /// Fails: the protocol that hosts the channel has registered it.
    public func register0(promise: EventLoopPromise<Void>?) {
        promise?.fail(stage == .closed ? ChannelError.ioOnClosedChannel : .inappropriateOperationForState)
    }

    /// Fails: it is bound.
    public func bind0(to address: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(stage == .closed ? ChannelError.ioOnClosedChannel : .inappropriateOperationForState)
    }

    /// Fails: it is connected.
    public func connect0(to address: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(stage == .closed ? ChannelError.ioOnClosedChannel : .inappropriateOperationForState)
    }

    /// Queues bytes or a file until the next flush.
    public func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard stage != .closed else { return fail(promise, ChannelError.ioOnClosedChannel) }
        guard case .open = output else { return fail(promise, ChannelError.outputClosed) }
        guard let bytes = tryUnwrapData(data, as: IOData.self) else {
            return fail(promise, ChannelError.operationUnsupported)
        }
        writes.add(bytes, promise)
        updateWritability()
    }

    private func fail(_ promise: EventLoopPromise<Void>?, _ error: ChannelError) { promise?.fail(error) }

    /// Gives the transport what is queued.
    public func flush0() {
        guard stage == .active, let transport else { return }
        writes.flush(to: transport) { [weak self] _ in
            self?.writes.fileEnded()
            self?.settleWrites()
        }
        settleWrites()
    }

    /// Asks for one read.
    public func read0() {
        guard stage == .active, isInputOpen else { return }
        isReadPending = true
        if !isDelivering { readIfWanted() }
    }

    /// Closes the input, the output once it is flushed, or everything; what is not on its way then is dropped.
    public func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard stage != .closed else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        switch mode {
        case .output: closeOutput(error, promise)
        case .input: closeInput(error, promise)
        case .all: closeAll(error, promise)
        }
    }

    private func closeOutput(_ error: any Error, _ promise: EventLoopPromise<Void>?) {
        guard let transport, transport.canWriteEOF else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        switch output {
        case .ended: promise?.fail(ChannelError.outputClosed)
        case .ending(var earlier):
            earlier.setOrCascade(to: promise)
            output = .ending(earlier)
        case .open where !isInputOpen: closeAll(error, promise)
        case .open:
            output = .ending(promise)
            settleWrites()
        }
    }

    private func closeInput(_ error: any Error, _ promise: EventLoopPromise<Void>?) {
        guard isInputOpen else {
            promise?.fail(ChannelError.inputClosed)
            return
        }
        if case .ended = output { return closeAll(error, promise) }
        isInputOpen = false
        isReadPending = false
        if error as? ChannelError != .eof, !isTransportPaused { transport?.pauseReading() }
        promise?.succeed(())
        pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private func closeAll(_ error: any Error, _ promise: EventLoopPromise<Void>?) {
        let wasActive = stage == .active
        let closing = transport
        transport = nil
        stage = .closed
        if writes.isEmpty(closing) { closing?.close() } else { closing?.abort() }
        let dropped = writes.takeAll()
        for promise in dropped { promise.fail(error) }
        if case .ending(let promise) = output { promise?.fail(error) }
        output = .ended
        promise?.succeed(())
        if wasActive { pipeline.syncOperations.fireChannelInactive() }
        pipeline.syncOperations.fireChannelUnregistered()
        // A turn later, since handlers may still be at work in the pipeline. A loop that is closed has no more turns.
        if case TransportError.loopClosed? = error as? TransportError { return finish() }
        eventLoop.execute { self.finish() }
    }

    private func finish() {
        removeHandlers(pipeline: pipeline)
        closePromise.succeed(())
    }

    /// Fails with `ChannelError.operationUnsupported`: it has no events of its own.
    public func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    /// Drops what no handler has taken.
    public func channelRead0(_ data: NIOAny) {}

    /// Reports an error that no handler has kept.
    public func errorCaught0(error: any Error) { onError(error) }
}

extension TransportError {
    /// As a handler of NIO's knows it: `IOError` where the system gave an `errno`.
    var forChannels: any Error {
        guard case .system(let error) = self else { return self }
        return IOError(errnoCode: error.errno, reason: error.operation)
    }
}
