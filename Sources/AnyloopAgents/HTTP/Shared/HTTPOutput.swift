/// A reusable buffer in which the bytes of one send are collected.
///
/// Raw memory rather than an array: a response's head is a dozen short appends, and this is the hot path.
@safe
final class HTTPOutput {
    private var base: UnsafeMutablePointer<UInt8>
    private(set) var capacity: Int
    private(set) var count = 0

    /// A buffer that grew beyond this is not kept for reuse.
    static let keptCapacity = 131_072

    init(capacity: Int) {
        unsafe base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit {
        unsafe base.deallocate()
    }

    /// Calls `body` with what was collected.
    func withBytes<R>(_ body: (Span<UInt8>) -> R) -> R {
        body(unsafe Span(_unsafeStart: base, count: count))
    }

    func removeAll() {
        count = 0
    }

    func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            reserve(source.count)
            unsafe (base + count).update(from: start, count: source.count)
            count += source.count
        }
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        unsafe (base + count).update(from: start, count: bytes.count)
        count += bytes.count
    }

    func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        unsafe (base + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    func append(_ text: String) {
        append(text.utf8.span)
    }

    func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[count] = byte
        count += 1
    }

    /// `value` in decimal; negative values as 0.
    func append(decimal value: Int64) {
        reserve(20)
        var rest = UInt64(max(0, value))
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20, rest >= bound {
            digits += 1
            bound = bound &* 10
        }
        var index = count + digits
        repeat {
            index -= 1
            unsafe base[index] = UInt8(truncatingIfNeeded: rest % 10 + 48)
            rest /= 10
        } while index > count
        count += digits
    }

    /// `value` in hexadecimal, as a chunk's size has it (RFC 9112 §7.1).
    func append(hexadecimal value: Int) {
        reserve(16)
        let value = UInt64(max(0, value))
        let digits = max(1, (64 - value.leadingZeroBitCount + 3) / 4)
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(4 * (digits - 1 - index)) & 15)
            unsafe base[count + index] = digit < 10 ? digit + 48 : digit + 87
        }
        count += digits
    }

    private func reserve(_ extra: Int) {
        if extra > capacity - count { grow(extra) }
    }

    private func grow(_ extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        unsafe moved.moveInitialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = moved
        capacity = larger
    }
}
