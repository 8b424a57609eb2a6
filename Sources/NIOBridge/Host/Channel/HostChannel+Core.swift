import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore
import Synchronization

extension HostChannel {
    final func localAddress0() throws -> SocketAddress {
        guard loop.inEventLoop else { throw EventLoopError.unsupportedOperation }
        guard isOpen else { throw ChannelError.ioOnClosedChannel }
        return try RawSocket.localAddress(descriptor)
    }

    final func remoteAddress0() throws -> SocketAddress {
        guard loop.inEventLoop else { throw EventLoopError.unsupportedOperation }
        guard isOpen else { throw ChannelError.ioOnClosedChannel }
        return try RawSocket.remoteAddress(descriptor)
    }

    /// Asks the socket for its addresses.
    final func updateAddresses(local: Bool = true, remote: Bool = true) {
        let ownName = local ? try? RawSocket.localAddress(descriptor) : nil
        let peerName = remote ? try? RawSocket.remoteAddress(descriptor) : nil
        shared.withLock { shared in
            if local { shared.local = ownName }
            if remote { shared.remote = peerName }
        }
    }

    // MARK: Registering

    final func register0(promise: EventLoopPromise<Void>?) {
        guard mayProceed(promise) else { return }
        guard phase == .fresh else {
            promise?.fail(ChannelError.inappropriateOperationForState)
            return
        }
        guard loop.phase == .open else {
            pipeline.syncOperations.fireErrorCaught(EventLoopError.shutdown)
            closeAll(error: EventLoopError.shutdown, promise: nil)
            promise?.fail(EventLoopError.shutdown)
            return
        }
        phase = .registered
        loop.native.attach(watcher)
        watcher.owner = self
        promise?.succeed(())
        pipeline.syncOperations.fireChannelRegistered()
    }

    /// Registers a socket that is bound or connected already, and makes the channel active.
    final func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
        guard mayProceed(promise) else { return }
        guard phase == .fresh else {
            promise?.fail(ChannelError.inappropriateOperationForState)
            return
        }
        let registered = loop.makePromise(of: Void.self)
        registered.futureResult.cascadeFailure(to: promise)
        register0(promise: registered)
        if phase == .registered { becomeActive(promise) }
    }

    // MARK: Activating

    /// Bound, connected or accepted: the promise is told, then `channelActive`; then bytes flow.
    final func becomeActive(_ promise: EventLoopPromise<Void>?) {
        switch phase {
        case .registered, .watched: break
        case .activating where mayReactivate, .active where mayReactivate:
            promise?.succeed(())
            return
        case .fresh, .activating, .active:
            promise?.fail(ChannelError.inappropriateOperationForState)
            return
        case .closed:
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        withOneChange {
            phase = .activating
            activity.store(true, ordering: .relaxed)
            promise?.succeed(())
            // Whoever waited for the promise may have closed the channel.
            guard phase == .activating else { return }
            phase = .active
            pipeline.syncOperations.fireChannelActive()
            guard isOpen else { return }
            watch(.end)
            flushNow()
            readIfNeeded()
        }
    }

    final func connect0(to address: SocketAddress, promise: EventLoopPromise<Void>?) {
        guard mayProceed(promise) else { return }
        guard pendingConnect == nil else {
            promise?.fail(ChannelError.connectPending)
            return
        }
        guard phase >= .registered else {
            promise?.fail(ChannelError.inappropriateOperationForState)
            return
        }
        do {
            if try startConnect(to: address) {
                updateAddresses()
                becomeActive(promise)
            } else {
                updateAddresses(remote: false)
                pendingConnect = promise ?? loop.makePromise(of: Void.self)
                phase = .watched
                watch(.write)
            }
        } catch {
            // Closing fails the promise.
            pendingConnect = promise
            closeAll(error: error, promise: nil)
        }
    }

    /// The socket is writable while a connection comes up, so it is there or it failed.
    private func connected(_ promise: EventLoopPromise<Void>) {
        do { try finishConnect() } catch {
            // Closing fails the promise.
            return closeAll(error: error, promise: nil)
        }
        pendingConnect = nil
        updateAddresses(local: false)
        becomeActive(promise)
    }

    // MARK: Reading and writing

    final func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard mayProceed(promise) else { return }
        add(data, promise)
    }

    final func flush0() {
        guard isOnLoop(nil), isOpen else { return }
        markFlushed()
        // Otherwise the socket's next event sends it.
        if isActiveOnLoop, !interest.contains(.write) { flushNow() }
    }

    private var isActiveOnLoop: Bool { phase == .activating || phase == .active }

    final func startReading() {
        guard isOnLoop(nil), isOpen, mayRead else { return }
        readPending = true
        if phase >= .registered, !hasSeenEnd { watch(.read) }
    }

    /// Asks for a read through the pipeline where reading is automatic; whether one is pending.
    @discardableResult
    final func readIfNeeded() -> Bool {
        guard isActiveOnLoop, mayRead else { return false }
        if !readPending, autoRead { pipeline.syncOperations.read() }
        return readPending
    }

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    final func errorCaught0(error: any Error) {}

    // MARK: Closing

    /// Gives the descriptor back and tells everybody, in NIO's order: writes, connect, promise, inactive, unregistered;
    /// a task later handlers go and `closeFuture` succeeds.
    final func closeAll(error: any Error, promise: EventLoopPromise<Void>?) {
        guard isOpen else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        let wasIn = phase
        phase = .closed
        activity.store(false, ordering: .relaxed)
        if wasIn >= .registered { loop.native.detach(watcher) }
        let code = closeDescriptor()
        failWrites(error)
        if let connecting = pendingConnect {
            pendingConnect = nil
            connecting.fail(error)
        }
        if code < 0 { promise?.fail(IOError(errnoCode: -code, reason: "close")) } else { promise?.succeed(()) }
        if wasIn == .active { pipeline.syncOperations.fireChannelInactive() }
        if wasIn >= .registered { pipeline.syncOperations.fireChannelUnregistered() }
        // Later, because somebody up the stack may still go through the pipeline.
        loop._executeIsolatedUnsafeUnchecked { [self] in
            removeHandlers(pipeline: pipeline)
            closePromise.succeed(())
            shared.withLock { shared in
                shared.local = nil
                shared.remote = nil
            }
            watcher.owner = nil
        }
    }

    // MARK: Events

    /// In NIO's order: hang-up, error, writable, the end, readable.
    final func ready(_ events: Interest) {
        guard isOpen else { return }
        if events.contains(.hangUp) { return hungUp() }
        if events.contains(.error) {
            guard socketFailed(), isOpen else { return }
        }
        if events.contains(.write) {
            writeReady()
            guard isOpen else { return }
        }
        if events.contains(.end) {
            endSeen()
        } else if events.contains(.read) {
            readReady()
        }
    }

    private func writeReady() {
        if let connecting = pendingConnect {
            connected(connecting)
            guard isOpen else { return }
        }
        if isActiveOnLoop { flushNow() }
    }

    /// Both directions are over: what came is delivered, then the channel closes.
    final func hungUp() {
        readToEnd()
        guard isOpen else { return }
        do throws(IOError) {
            let code = try RawSocket.pendingError(descriptor)
            let reason = code != 0 ? "connection reset (error set)" : "connection reset (no error set)"
            close0(
                error: IOError(errnoCode: code != 0 ? code : Errno.connectionReset, reason: reason), mode: .all,
                promise: nil)
        } catch {
            close0(error: error, mode: .all, promise: nil)
        }
    }

    /// The peer sends no more; seen also where nobody reads.
    private func endSeen() {
        hasSeenEnd = true
        readToEnd()
    }

    private func readToEnd() {
        guard phase >= .watched else { return }
        unwatch(.end)
        while isActiveOnLoop, readReady() {}
    }

    /// Reads once; whether there may be more before the end.
    @discardableResult
    private func readReady() -> Bool {
        guard isActiveOnLoop else { return false }
        defer { if isOpen, !readPending { unwatch(.read) } }
        let hasRead: Bool
        do { hasRead = try receive() } catch {
            guard !isEnd(error) else { return false }
            if (error as? ChannelError) != .eof { pipeline.syncOperations.fireErrorCaught(error) }
            guard !endsChannel(error) else {
                close0(error: error, mode: .all, promise: nil)
                return false
            }
            hasRead = true
        }
        // An error that was told already, a refused datagram's, has the socket look readable.
        if hasRead, isActiveOnLoop { pipeline.syncOperations.fireChannelReadComplete() }
        readIfNeeded()
        return hasRead
    }

    /// Whether `error` is the end of the peer's data, and the channel stays open for ours.
    private func isEnd(_ error: any Error) -> Bool {
        guard (error as? ChannelError) == .eof, isActiveOnLoop else { return false }
        // Handlers may change the option in `channelReadComplete`; NIO asked before.
        let staysOpen = staysOpenAtEnd
        pipeline.syncOperations.fireChannelReadComplete()
        guard staysOpen else { return false }
        close0(error: error, mode: .input, promise: nil)
        readPending = false
        return true
    }

    final func loopCloses() { close0(error: EventLoopError.shutdown, mode: .all, promise: nil) }
}
