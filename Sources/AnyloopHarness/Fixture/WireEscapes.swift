/// How bytes are written between quotes in a fixture.
enum WireEscapes {
    /// `bytes` as they stand between quotes: printable ASCII as it is, the rest escaped.
    static func escape(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\r"): text += "\\r"
            case UInt8(ascii: "\n"): text += "\\n"
            case UInt8(ascii: "\t"): text += "\\t"
            case 0: text += "\\0"
            case UInt8(ascii: "\\"): text += "\\\\"
            case UInt8(ascii: "\""): text += "\\\""
            case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + hexadecimal(byte)
            }
        }
        return text
    }

    /// `bytes` as a bare word where that is possible, otherwise between quotes.
    static func word(_ bytes: [UInt8]) -> String {
        let plain = bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        let bare = plain && !bytes.isEmpty && bytes.first != UInt8(ascii: "#") && bytes.last != UInt8(ascii: ";")
        return bare ? String(decoding: bytes, as: UTF8.self) : "\"" + escape(bytes) + "\""
    }

    /// Two lower-case digits.
    static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}
