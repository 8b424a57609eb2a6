import AnyloopCore
import Dispatch
import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore
import NIOPosix

/// SwiftNIO's event loop on the calling thread, on a stack of its own, so that it can be left between two turns.
///
/// SwiftNIO runs its loop in one call that ends with the loop. Here that call takes turns with its thread: `enter` lets
/// it go on, `leave`, which only a task on the loop may call, comes back. Whatever the thread does meanwhile happens, for
/// SwiftNIO, within that task: on the loop's thread, in its event loop.
@safe
final class NIOFiber {
    /// What SwiftNIO's loop takes: an epoll instance, its wake-up and its timer.
    private static let descriptorCount = 3
    /// Address space for the loop's stack; memory is taken as it is used.
    static let stackSize = 8 << 20

    private var fiber: OpaquePointer?
    /// Whether the loop has ended.
    var isOver: Bool { unsafe fiber == nil }
    /// Set by the body before it is first left.
    private var made: (any EventLoop)?
    /// What the loop goes on with when it is entered for the first time.
    var onEntry: (() -> Void)?

    /// A running loop that belongs to the calling thread.
    ///
    /// - Throws: `TransportError.usage` if the thread has one already, `.system` without memory or descriptors.
    init() throws(TransportError) {
        guard MultiThreadedEventLoopGroup.currentEventLoop == nil else {
            throw .usage("this thread has an event loop of SwiftNIO already: close it first, or use NIOLoop(on:)")
        }
        try Self.checkDescriptors()
        let context = unsafe Unmanaged.passUnretained(self)
        unsafe fiber = anyloop_fiber_make(
            Self.stackSize,
            { pointer in
                guard let pointer = unsafe pointer else { return }
                unsafe Unmanaged<NIOFiber>.fromOpaque(pointer).takeUnretainedValue().body()
            }, context.toOpaque())
        guard unsafe fiber != nil else { throw .system(Errno.noMemory, "mmap") }
        enter()
    }

    /// Sees to it that there are as many descriptors as SwiftNIO's loop takes, which ends the process otherwise.
    private static func checkDescriptors() throws(TransportError) {
        var taken: [Int32] = []
        defer { for descriptor in taken { _ = anyloop_close(descriptor) } }
        for _ in 0..<descriptorCount {
            let descriptor = anyloop_eventfd()
            guard descriptor >= 0 else { throw .system(-descriptor, "eventfd") }
            taken.append(descriptor)
        }
    }

    deinit {
        if let fiber = unsafe fiber { unsafe anyloop_fiber_free(fiber) }
    }

    /// The loop.
    var eventLoop: any EventLoop {
        guard let made else { preconditionFailure("the body makes it before `init` returns") }
        return made
    }

    private func body() {
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in
            self.made = loop
            let here = NIOLoopBound(self, eventLoop: loop)
            loop.execute {
                here.value.leave()
                here.value.onEntry?()
            }
        }
    }

    /// Shuts the loop down, and lets it go on until it has ended.
    func end() {
        guard !isOver else { return }
        onEntry = nil
        eventLoop.shutdownGracefully(queue: .global()) { _ in }
        enter()
    }

    /// Lets the loop go on until it is left, or for good if it is shut down.
    func enter() {
        guard let entered = unsafe fiber, unsafe anyloop_fiber_enter(entered) != 0 else { return }
        unsafe anyloop_fiber_free(entered)
        unsafe fiber = nil
    }

    /// Goes back to whoever entered; returns when entered again. Only from a task on the loop.
    func leave() {
        guard let fiber = unsafe fiber else { return }
        unsafe anyloop_fiber_leave(fiber)
    }
}
