/// A running digest of bytes that come in any portions: the same bytes give the same digest.
///
/// Not cryptographic; it tells traces of one run apart, at eight bytes a step.
struct BodyHash {
    private(set) var count = 0
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325
    private var pending: UInt64 = 0
    private var pendingCount: UInt64 = 0

    /// The digest of what came so far.
    var value: UInt64 {
        var copy = self
        copy.mix(pending ^ (pendingCount << 56) ^ UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15)
        return copy.state
    }

    mutating func update(_ bytes: Span<UInt8>) {
        count &+= bytes.count
        var index = 0
        while pendingCount != 0, index < bytes.count {
            push(bytes[index])
            index += 1
        }
        unsafe bytes.withUnsafeBytes { buffer in
            while index &+ 8 <= buffer.count {
                let word = unsafe buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                mix(UInt64(littleEndian: word))
                index &+= 8
            }
        }
        while index < bytes.count {
            push(bytes[index])
            index += 1
        }
    }

    private mutating func push(_ byte: UInt8) {
        pending |= UInt64(byte) << (8 * pendingCount)
        pendingCount += 1
        if pendingCount == 8 {
            mix(pending)
            pending = 0
            pendingCount = 0
        }
    }

    private mutating func mix(_ word: UInt64) {
        state = (state ^ word) &* 0x9FB2_1C65_1E98_DF25
        state ^= state >> 32
    }
}
