import AnyloopCore
import AnyloopNativeLoop
public import Dispatch
import NIOCore
import Synchronization

extension NativeEventLoop {
    /// Rounds in which the last tasks may queue more of them: NIO's limit, after which NIO traps; here the rest is
    /// dropped.
    static let lastRounds = 1000

    /// Closes the channels, fails the timers and leaves the loop below as it is (NIO: `shutdownGracefully`).
    ///
    /// `callback` hears `EventLoopError.unsupportedOperation` for a loop of a group, which is shut down as a whole. Any
    /// number of times; each callback runs on `queue`, once the loop below has run.
    public func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        guard !isOfGroup else { return queue.async { callback(EventLoopError.unsupportedOperation) } }
        execute { [self] in
            guard phase != .closed else { return queue.async { callback(nil) } }
            shutdownCallbacks.append { queue.async { callback(nil) } }
            closeChannels { self.isOver = true }
        }
    }

    /// Takes no more channels and closes those there are; `completion` runs once all have told their handlers.
    func closeChannels(_ completion: @escaping @Sendable () -> Void) {
        phase = .closing
        let channels = native.ownedDescriptors.compactMap { $0 as? HostChannel }.filter { $0.loop === self }
        let closed = channels.map { channel in
            channel.close(promise: nil)
            return channel.closeFuture
        }
        EventLoopFuture.andAllComplete(closed, on: self).whenComplete { _ in completion() }
    }

    /// As `closeChannels`, from any thread; then the loop below stops.
    func closeChannelsAndStop() {
        execute { [self] in
            guard phase != .closed else { return }
            closeChannels { self.native.stop() }
        }
    }

    /// The end of a loop that is no group's: the loop below goes on without it.
    func endByItself() {
        isOver = false
        end()
        native.guest = nil
        tellShutdown()
    }

    private func tellShutdown() {
        let callbacks = shutdownCallbacks
        shutdownCallbacks = []
        for callback in callbacks { callback() }
    }

    /// The end: what is queued runs, timers fail, and from here on tasks run where they are brought.
    func end() {
        guard phase != .closed else { return }
        phase = .closing
        succeededVoid.withLock { $0 = nil }
        isEnding = true
        var rounds = 0
        var isClosed = false
        while !isClosed {
            let isQuiet = !runBatch()
            rounds += 1
            isClosed = inbox.withLock { inbox in
                guard isQuiet && inbox.tasks.isEmpty || rounds >= Self.lastRounds else { return false }
                phase = .closed
                succeededVoidHere = nil
                inbox.phase = .closed
                threadToken.store(0, ordering: .relaxed)
                return true
            }
        }
        tasks.removeAll()
    }

    /// The loop below is being closed, whether or not this one was shut down before.
    func endWithLoop() {
        guard phase != .closed else { return }
        phase = .closing
        for channel in native.ownedDescriptors { (channel as? HostChannel)?.loopCloses() }
        end()
        tellShutdown()
    }
}
