import AnyloopCore
import CAnyloopSystem

/// The directions in which a descriptor is watched, or ready.
package struct Interest: OptionSet {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let read = Interest(rawValue: UInt32(ANYLOOP_READ))
    package static let write = Interest(rawValue: UInt32(ANYLOOP_WRITE))
    /// The peer sends no more, whether or not what it sent was read; select(2) cannot tell.
    package static let end = Interest(rawValue: UInt32(ANYLOOP_END))
    /// The socket has an error, apart from both directions; select(2) cannot tell.
    package static let error = Interest(rawValue: UInt32(ANYLOOP_ERROR))
    /// Both directions are over; select(2) cannot tell.
    package static let hangUp = Interest(rawValue: UInt32(ANYLOOP_HANG_UP))
}

/// One way for the loop to wait for descriptors. Level-triggered.
///
/// An event carries the key that was given with the descriptor; errors and hang-ups come as both directions, so
/// that whoever watches one finds out by the call that fails. A descriptor with no interest is not watched at all.
package protocol Poller: AnyObject {
    /// Which one this is.
    var kind: PollerKind { get }

    /// Changes what `descriptor` is watched for; 0 or an `errno`. `before` is what the last call left.
    func change(_ descriptor: Int32, key: UInt64, from before: Interest, to after: Interest) -> Int32

    /// Waits at most `timeout` nanoseconds (negative: for ever) and fills in events; the number, or a negated errno.
    func wait(timeout: Int64, events: UnsafeMutableBufferPointer<anyloop_event>) -> Int32

    /// Gives back what the poller holds of the system's.
    func close()
}

/// The pollers that this build knows.
public enum PollerKind: String, CaseIterable, Sendable {
    /// Linux's epoll(7): cost by what is ready, not by what is watched.
    case epoll
    /// poll(2): everywhere, cost by what is watched.
    case poll
    /// select(2): as poll, with bit sets.
    case select

    /// What a loop uses unless told otherwise.
    public static let standard = PollerKind.epoll

    /// The poller called `name`.
    ///
    /// - Throws: `TransportError.usage` that lists the names there are.
    public init(named name: String) throws(TransportError) {
        guard let kind = PollerKind(rawValue: name) else {
            let names = PollerKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw .usage(.argument("unknown poller '\(name)': this build has \(names)"))
        }
        self = kind
    }

    /// A poller of this kind.
    func make() throws(TransportError) -> any Poller {
        switch self {
        case .epoll: try EpollPoller()
        case .poll: PollPoller()
        case .select: SelectPoller()
        }
    }
}
