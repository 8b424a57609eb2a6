import CAnyloopSystem

/// poll(2), with an entry for each watched descriptor; removing moves the last entry into the gap.
final class PollPoller: Poller {
    private var entries: [anyloop_poll_entry] = []
    private var keys: [UInt64] = []
    /// Where a descriptor's entry is, by descriptor; -1 for none.
    private var indexes: [Int32] = []
    /// Where the next look begins: at the first descriptor, unless the list of events was full; so it starves nobody.
    private var start = 0

    var kind: PollerKind { .poll }

    func change(_ descriptor: Int32, key: UInt64, from before: Interest, to after: Interest) -> Int32 {
        let slot = Int(descriptor)
        if slot >= indexes.count {
            indexes.append(contentsOf: repeatElement(-1, count: slot + 1 - indexes.count))
        }
        let index = Int(indexes[slot])
        if after.isEmpty {
            guard index >= 0 else { return 0 }
            let last = entries.count - 1
            entries.swapAt(index, last)
            keys.swapAt(index, last)
            indexes[Int(entries[index].descriptor)] = Int32(index)
            entries.removeLast()
            keys.removeLast()
            indexes[slot] = -1
        } else if index >= 0 {
            entries[index].events = anyloop_poll_events(after.rawValue)
        } else {
            indexes[slot] = Int32(entries.count)
            entries.append(
                anyloop_poll_entry(descriptor: descriptor, events: anyloop_poll_events(after.rawValue), ready: 0))
            keys.append(key)
        }
        return 0
    }

    func wait(timeout: Int64, events: UnsafeMutableBufferPointer<anyloop_event>) -> Int32 {
        let count = Int32(entries.count)
        if start >= entries.count { start = 0 }
        let seen = unsafe anyloop_poll(
            &entries, keys, count, Int32(start), events.baseAddress, Int32(events.count), timeout)
        start = seen < events.count ? 0 : start + 1
        return seen
    }

    func close() {
        entries = []
        keys = []
        indexes = []
    }
}
