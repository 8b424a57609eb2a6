import AnyloopCore
import CAnyloopSystem

/// epoll(7).
package final class EpollPoller: Poller {
    /// The epoll instance, readable while something that is watched is ready.
    package let descriptor: Int32

    package var kind: PollerKind { .epoll }

    package init() throws(TransportError) {
        descriptor = anyloop_epoll_create()
        guard descriptor >= 0 else { throw .system(-descriptor, "epoll_create1") }
    }

    package func change(_ target: Int32, key: UInt64, from before: Interest, to after: Interest) -> Int32 {
        -anyloop_epoll_control(descriptor, target, key, before.rawValue, after.rawValue)
    }

    package func wait(timeout: Int64, events: UnsafeMutableBufferPointer<anyloop_event>) -> Int32 {
        unsafe anyloop_epoll_wait(descriptor, events.baseAddress, Int32(events.count), timeout)
    }

    package func close() {
        _ = anyloop_close(descriptor)
    }
}
