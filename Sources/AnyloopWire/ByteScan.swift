/// Finding bytes in a span, eight at a time.
extension Span where Element == UInt8 {
    /// Eight bytes from `index` on, the first in the lowest bits; `index + 8` must not be past the end.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        // In bounds by the caller's test; a UInt64 may be made of any bytes.
        unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
    }

    /// Four bytes from `index` on, the first in the lowest bits; `index + 4` must not be past the end.
    @inline(__always)
    func halfWord(at index: Int) -> UInt32 {
        // In bounds by the caller's test; a UInt32 may be made of any bytes.
        unsafe UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt32.self))
    }

    /// The byte at `index`, which the caller has tested to be in bounds.
    @inline(__always)
    func byte(at index: Int) -> UInt8 {
        // In bounds by the caller's test.
        unsafe self[unchecked: index]
    }

    /// The first byte from `start` on that is below 0x20 (but not a tab) or 0x7F; `count` if there is none.
    @inline(__always)
    func firstControl(from start: Int) -> Int {
        var index = start
        while index &+ 16 <= count {
            let place = ByteBlock(self, at: index).controls.first
            index &+= place
            guard place < 16 else { continue }
            guard byte(at: index) == ASCII.tab else { return index }
            index &+= 1
        }
        while index < count {
            let byte = byte(at: index)
            guard byte >= 0x20 && byte != 0x7F || byte == ASCII.tab else { return index }
            index &+= 1
        }
        return count
    }

    /// The first byte from `start` on that is neither a letter nor within `first...last`, or one before that.
    @inline(__always)
    func skipLetters(and first: UInt8, _ last: UInt8, from start: Int) -> Int {
        var index = start
        while index &+ 16 <= count {
            let place = ByteBlock(self, at: index).others(thanLettersAnd: first, last).first
            index &+= place
            guard place == 16 else { return index }
        }
        return index
    }

    /// The first `byte` in `start..<end`; `end` if there is none.
    @inline(__always)
    func first(_ byte: UInt8, from start: Int, to end: Int) -> Int {
        let pattern = 0x0101_0101_0101_0101 &* UInt64(byte)
        var index = start
        while index &+ 8 <= end {
            let difference = word(at: index) ^ pattern
            let hits = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            guard hits == 0 else { return index &+ hits.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end {
            if self[index] == byte { return index }
            index &+= 1
        }
        return end
    }

    /// The first byte in `start..<end` outside `set`; `end` if there is none.
    @inline(__always)
    func first(notIn set: ByteClass, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, set.contains(self[index]) { index &+= 1 }
        return index
    }

    /// Whether the span is exactly `text`.
    func equals(_ text: StaticString) -> Bool {
        guard text.hasPointerRepresentation, text.utf8CodeUnitCount == count else { return false }
        let other = unsafe Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// Whether the span is `text`, ASCII letters compared without their case.
    func equalsIgnoringCase(_ text: borrowing Span<UInt8>) -> Bool {
        guard text.count == count else { return false }
        for index in indices where ASCII.lowercased(self[index]) != ASCII.lowercased(text[index]) { return false }
        return true
    }

    /// The part of `range` without blanks at either end.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, ASCII.isBlank(self[start]) { start &+= 1 }
        while end > start, ASCII.isBlank(self[end &- 1]) { end &-= 1 }
        return start..<end
    }

    /// The bytes of `range` as text; bytes that aren't UTF-8 become U+FFFD.
    func string(_ range: Range<Int>) -> String {
        let part = extracting(range)
        return unsafe part.withUnsafeBufferPointer { buffer in unsafe String(decoding: buffer, as: UTF8.self) }
    }
}
