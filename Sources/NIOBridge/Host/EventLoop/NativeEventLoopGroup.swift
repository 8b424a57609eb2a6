public import AnyloopCore
public import AnyloopNativeLoop
public import Dispatch
public import NIOCore
import Synchronization

/// Event loops for services written for SwiftNIO, each a loop of ours on a thread of its own.
///
/// For servers and clients use `NativeServerBootstrap` and `NativeClientBootstrap`: SwiftNIO's own refuse other groups
/// than its own. To be shut down when it is not needed any more, or its threads stay.
public final class NativeEventLoopGroup: EventLoopGroup {
    private enum Phase {
        case running
        case closing([(queue: DispatchQueue, callback: @Sendable ((any Error)?) -> Void)])
        case closed
    }

    /// What a new thread reports.
    private final class Start: Sendable {
        let result = Mutex<Result<NativeEventLoop, TransportError>?>(nil)
        let isThere = DispatchSemaphore(value: 0)

        func report(_ result: Result<NativeEventLoop, TransportError>) {
            self.result.withLock { $0 = result }
            isThere.signal()
        }
    }

    private let loops: [NativeEventLoop]
    private let threads: [LoopThread]
    private let nextIndex = Atomic(0)
    private let phase = Mutex(Phase.running)

    /// Starts `numberOfThreads` loops.
    ///
    /// - Throws: `TransportError.usage` for none, `.system` if the system gives no threads or descriptors.
    public init(
        numberOfThreads: Int, options: NativeLoopOptions = NativeLoopOptions()
    ) throws(TransportError) {
        guard numberOfThreads > 0 else { throw .usage(.argument("a group needs at least one thread")) }
        var loops: [NativeEventLoop] = []
        var threads: [LoopThread] = []
        do throws(TransportError) {
            for _ in 0..<numberOfThreads {
                let start = Start()
                threads.append(try Self.thread(options, start))
                start.isThere.wait()
                guard let result = start.result.withLock({ $0 }) else { continue }
                loops.append(try result.get())
            }
        } catch {
            for loop in loops { loop.closeChannelsAndStop() }
            for thread in threads { try? thread.join() }
            throw error
        }
        self.loops = loops
        self.threads = threads
        for loop in loops { loop.execute { loop.group = self } }
    }

    private static func thread(_ options: NativeLoopOptions, _ start: Start) throws(TransportError) -> LoopThread {
        try LoopThread(options: options, failed: { start.report(.failure($0)) }) { native in
            let loop = NativeEventLoop(native: native, isOfGroup: true)
            start.report(.success(loop))
            try native.run()
            loop.end()
            native.guest = nil
        }
    }

    /// The loops in turn (NIO: `next`).
    public func next() -> any EventLoop { nextLoop() }

    func nextLoop() -> NativeEventLoop {
        let index = nextIndex.wrappingAdd(1, ordering: .relaxed).oldValue
        return loops[Int(UInt(bitPattern: index) % UInt(loops.count))]
    }

    /// The calling thread's loop if it is of this group, else the next one (NIO: `any`).
    public func any() -> any EventLoop {
        if let current = NativeEventLoop.current, current.group === self { return current }
        return nextLoop()
    }

    /// The loops of this group.
    public func makeIterator() -> EventLoopIterator { EventLoopIterator(loops) }

    /// Closes all channels, fails all timers and ends the threads (NIO: `shutdownGracefully`); any number of times.
    ///
    /// `callback` runs on `queue` once the threads have ended.
    public func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        let isFirst = phase.withLock { phase in
            switch phase {
            case .running:
                phase = .closing([(queue, callback)])
                return true
            case .closing(let waiting):
                phase = .closing(waiting + [(queue, callback)])
            case .closed:
                queue.async { callback(nil) }
            }
            return false
        }
        guard isFirst else { return }
        for loop in loops { loop.closeChannelsAndStop() }
        // Joining blocks, so not on the caller's queue, nor on one that a loop's last tasks might need.
        DispatchQueue.global().async { [self] in
            for thread in threads { try? thread.join() }
            let waiting = phase.withLock { phase in
                defer { phase = .closed }
                if case .closing(let waiting) = phase { return waiting }
                return []
            }
            for (queue, callback) in waiting { queue.async { callback(nil) } }
        }
    }

    /// Traps on a loop's thread, which would wait for itself.
    public func _preconditionSafeToSyncShutdown(file: StaticString, line: UInt) {
        for loop in loops { loop.preconditionNotInEventLoop(file: file, line: line) }
    }
}
