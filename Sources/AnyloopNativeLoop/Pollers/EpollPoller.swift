import AnyloopCore
import CAnyloopSystem

/// epoll(7).
final class EpollPoller: Poller {
    private let descriptor: Int32

    var kind: PollerKind { .epoll }

    init() throws(TransportError) {
        descriptor = anyloop_epoll_create()
        guard descriptor >= 0 else { throw .system(-descriptor, "epoll_create1") }
    }

    func change(_ target: Int32, key: UInt64, from before: Interest, to after: Interest) -> Int32 {
        -anyloop_epoll_control(descriptor, target, key, before.rawValue, after.rawValue)
    }

    func wait(timeout: Int64, events: UnsafeMutableBufferPointer<anyloop_event>) -> Int32 {
        unsafe anyloop_epoll_wait(descriptor, events.baseAddress, Int32(events.count), timeout)
    }

    func close() {
        _ = anyloop_close(descriptor)
    }
}
