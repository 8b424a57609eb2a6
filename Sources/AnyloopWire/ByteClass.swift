/// A set of ASCII bytes as 128 bits; bytes from 0x80 are never in it.
struct ByteClass: Sendable {
    private let low: UInt64
    private let high: UInt64

    /// The set with these bits: `low` for 0x00 to 0x3F, `high` for 0x40 to 0x7F.
    @inline(__always)
    init(low: UInt64 = 0, high: UInt64 = 0) {
        self.low = low
        self.high = high
    }

    /// Whether `byte` is in the set.
    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte & 0x40 == 0 ? low : high
        return byte < 0x80 && word >> UInt64(byte & 0x3F) & 1 == 1
    }

    /// `tchar` of RFC 9110 §5.6.2.
    @inline(__always)
    static var token: ByteClass { ByteClass(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }
    /// `pchar` of RFC 3986 §3.3 and `/`, without `%`.
    @inline(__always)
    static var path: ByteClass { ByteClass(low: 0x2FFF_FFD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF) }
    /// `query` of RFC 3986 §3.4, without `%`.
    @inline(__always)
    static var query: ByteClass { ByteClass(low: 0xAFFF_FFD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF) }
    /// `reg-name` of RFC 3986 §3.2.2, without `%`.
    @inline(__always)
    static var regName: ByteClass { ByteClass(low: 0x2BFF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE) }
    /// What may stand between the brackets of an IP literal (RFC 3986 §3.2.2).
    @inline(__always)
    static var ipLiteral: ByteClass { ByteClass(low: 0x2FFF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE) }
    /// What follows the first letter of a `scheme` (RFC 3986 §3.1).
    @inline(__always)
    static var scheme: ByteClass { ByteClass(low: 0x03FF_6800_0000_0000, high: 0x07FF_FFFE_07FF_FFFE) }
    /// Visible ASCII without `#` and `?`.
    @inline(__always)
    static var visiblePath: ByteClass { ByteClass(low: 0x7FFF_FFF6_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF) }
    /// Visible ASCII without `#`: a target that RFC 3986 would want percent-encoded.
    @inline(__always)
    static var visible: ByteClass { ByteClass(low: 0xFFFF_FFF6_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF) }
}

/// Bytes that the grammars name often.
enum ASCII {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")
    static let semicolon = UInt8(ascii: ";")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let slash = UInt8(ascii: "/")
    static let zero = UInt8(ascii: "0")
    static let nine = UInt8(ascii: "9")

    /// Whether `byte` is a space or a tab (`OWS` of RFC 9110 §5.6.3 is a run of these).
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    /// Whether `byte` is a digit.
    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }

    /// Whether `byte` is a letter.
    @inline(__always)
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- zero < 10 { return byte &- zero }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }

    /// `byte` with an ASCII capital made small.
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }
}
