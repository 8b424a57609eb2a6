/// Sixteen bytes that are tested at once.
///
/// Built from additions and masks on whole vectors, which compile to one instruction each; comparisons of SIMD types
/// do not (Swift 6.3).
@safe
struct ByteBlock {
    private let bytes: SIMD16<UInt8>

    /// The bytes of `span` from `index` on; `index + 16` must not be past its end.
    @inline(__always)
    init(_ span: borrowing Span<UInt8>, at index: Int) {
        // In bounds by the caller's test; a vector of bytes may be made of any bytes.
        bytes = unsafe span.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
    }

    /// The bytes below 0x20, and 0x7F.
    @inline(__always)
    var controls: Hits {
        let belowSpace = (bytes &- SIMD16(repeating: 0x20)) & ~bytes
        let delete = bytes ^ SIMD16(repeating: 0x7F)
        let isDelete = (delete &- SIMD16(repeating: 1)) & ~delete
        return Hits(highBits: belowSpace | isDelete)
    }

    /// The bytes that are neither letters nor within `first...last`.
    @inline(__always)
    func others(thanLettersAnd first: UInt8, _ last: UInt8) -> Hits {
        // A distance from the range's start that is past its length, or 0x80 and more, sets the high bit.
        let letter = (bytes | SIMD16(repeating: 0x20)) &- SIMD16(repeating: UInt8(ascii: "a"))
        let noLetter = (letter &+ SIMD16(repeating: 0x80 - 26)) | letter
        let place = bytes &- SIMD16(repeating: first)
        let outside = (place &+ SIMD16(repeating: 0x7F &- (last &- first))) | place
        return Hits(highBits: noLetter & outside)
    }

    /// Which of the sixteen bytes passed a test.
    struct Hits {
        private let low: UInt64
        private let high: UInt64

        /// Those whose high bit is set.
        @inline(__always)
        fileprivate init(highBits: SIMD16<UInt8>) {
            // Both types are sixteen bytes of any value.
            let words = unsafe unsafeBitCast(highBits, to: SIMD2<UInt64>.self)
            low = UInt64(littleEndian: words[0]) & 0x8080_8080_8080_8080
            high = UInt64(littleEndian: words[1]) & 0x8080_8080_8080_8080
        }

        /// The place of the first that passed; 16 if none did.
        @inline(__always)
        var first: Int {
            if low != 0 { return low.trailingZeroBitCount >> 3 }
            return high != 0 ? 8 &+ high.trailingZeroBitCount >> 3 : 16
        }
    }
}
