/// Putting text and numbers into a byte buffer without strings in between.
extension Array where Element == UInt8 {
    /// Appends all bytes of `span`.
    @inline(__always)
    mutating func append(_ span: borrowing Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { buffer in unsafe append(contentsOf: buffer) }
    }

    /// Appends the bytes of `text`.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { buffer in unsafe append(contentsOf: buffer) }
    }

    /// Appends `number` in decimal digits; negative ones as 0.
    mutating func append(decimal number: Int) {
        var digits: UInt64 = 0
        var rest = Swift.max(number, 0)
        guard rest > 9_999_999 else {
            // Up to eight digits fit in a word, the first in its lowest byte.
            var count = 0
            repeat {
                let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
                digits = digits << 8 | UInt64(remainder) | 0x30
                rest = quotient
                count += 1
            } while rest > 0
            for _ in 0..<count {
                append(UInt8(truncatingIfNeeded: digits))
                digits >>= 8
            }
            return
        }
        append(decimal: rest / 10_000_000)
        rest %= 10_000_000
        var place = 1_000_000
        while place > 0 {
            append(UInt8(truncatingIfNeeded: rest / place % 10) | 0x30)
            place /= 10
        }
    }

    /// Appends `number` in small hexadecimal digits, without leading zeros; negative ones as 0.
    mutating func append(hexadecimal number: Int) {
        let value = UInt64(Swift.max(number, 0))
        var shift = Swift.max((63 - value.leadingZeroBitCount) / 4 * 4, 0)
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift) & 15)
            append(digit < 10 ? digit + 0x30 : digit + 0x57)
            shift -= 4
        }
    }
}
