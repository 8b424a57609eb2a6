import CAnyloopSystem

/// select(2) over bit sets that grow with the highest descriptor, beyond the C library's 1024.
final class SelectPoller: Poller {
    private var read: [UInt] = []
    private var write: [UInt] = []
    private var keys: [UInt64] = []
    /// One more than the highest descriptor ever watched.
    private var limit = 0
    /// The sets handed to the system, which overwrites them.
    private var readyRead: [UInt] = []
    private var readyWrite: [UInt] = []
    /// Where the next look begins, so that a short list of events starves nobody.
    private var start = 0

    var kind: PollerKind { .select }

    func change(_ descriptor: Int32, key: UInt64, from before: Interest, to after: Interest) -> Int32 {
        let slot = Int(descriptor)
        if slot >= keys.count {
            keys.append(contentsOf: repeatElement(0, count: slot + 1 - keys.count))
            let words = slot / UInt.bitWidth + 1
            read.append(contentsOf: repeatElement(0, count: words - read.count))
            write.append(contentsOf: repeatElement(0, count: words - write.count))
            limit = slot + 1
        }
        keys[slot] = key
        let word = slot / UInt.bitWidth
        let bit = UInt(1) << UInt(slot % UInt.bitWidth)
        if after.contains(.read) { read[word] |= bit } else { read[word] &= ~bit }
        if after.contains(.write) { write[word] |= bit } else { write[word] &= ~bit }
        return 0
    }

    func wait(timeout: Int64, events: UnsafeMutableBufferPointer<anyloop_event>) -> Int32 {
        readyRead = read
        readyWrite = write
        let ready = unsafe anyloop_select(Int32(limit), &readyRead, &readyWrite, nil, timeout)
        guard ready > 0 else { return ready }
        // From `start` to the end, then from the beginning: the first word is looked at twice, half each time.
        let words = read.count
        start = start < limit ? start : 0
        let firstWord = start / UInt.bitWidth
        let upper = ~UInt(0) << UInt(start % UInt.bitWidth)
        var listed = 0
        for step in 0...words {
            let word = (firstWord + step) % words
            var left = readyRead[word] | readyWrite[word]
            if step == 0 { left &= upper } else if step == words { left &= ~upper }
            while left != 0 {
                guard listed < events.count else { return Int32(listed) }
                let place = left.trailingZeroBitCount
                left &= left - 1
                unsafe events[listed] = event(word, place)
                listed += 1
                start = word * UInt.bitWidth + place + 1
            }
        }
        // All are listed: the next wait begins with the lowest again, as asyncio's selectors do.
        start = 0
        return Int32(listed)
    }

    private func event(_ word: Int, _ place: Int) -> anyloop_event {
        let bit = UInt(1) << UInt(place)
        var seen: Interest = []
        if readyRead[word] & bit != 0 { seen.insert(.read) }
        if readyWrite[word] & bit != 0 { seen.insert(.write) }
        return anyloop_event(key: keys[word * UInt.bitWidth + place], ready: seen.rawValue)
    }

    func close() {
        read = []
        write = []
        keys = []
        limit = 0
    }
}
