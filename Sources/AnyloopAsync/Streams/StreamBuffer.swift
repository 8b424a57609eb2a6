/// Bytes that came and wait to be read: appended at the end, taken from the front.
struct StreamBuffer {
    private var storage: [UInt8] = []
    private var head = 0

    /// Bytes that wait.
    var count: Int { storage.count - head }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ bytes: Span<UInt8>) {
        // What was taken is let go once it is the larger half, so that each byte is moved once on average.
        if head > storage.count / 2 {
            storage.removeFirst(head)
            head = 0
        }
        unsafe bytes.withUnsafeBufferPointer { unsafe storage.append(contentsOf: $0) }
    }

    /// Takes the first `length` bytes, or all there are.
    mutating func take(_ length: Int) -> [UInt8] {
        guard length < count else { return takeAll() }
        let bytes = Array(storage[head..<head + length])
        head += length
        return bytes
    }

    mutating func takeAll() -> [UInt8] {
        defer {
            storage = []
            head = 0
        }
        if head > 0 { storage.removeFirst(head) }
        return storage
    }

    /// Where `pattern` begins, at `offset` or later; nil if it is not there.
    func firstIndex(of pattern: [UInt8], from offset: Int) -> Int? {
        let bytes = storage.span
        let last = bytes.count - pattern.count
        var start = head + offset
        let first = pattern[0]
        while start <= last {
            guard bytes[start] == first else {
                start += 1
                continue
            }
            var matched = 1
            while matched < pattern.count, bytes[start + matched] == pattern[matched] { matched += 1 }
            if matched == pattern.count { return start - head }
            start += 1
        }
        return nil
    }

    /// Whether `pattern` stands at `offset`.
    func has(_ pattern: [UInt8], at offset: Int) -> Bool {
        offset + pattern.count <= count && pattern.indices.allSatisfy { storage[head + offset + $0] == pattern[$0] }
    }
}
