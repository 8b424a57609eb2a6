/// IP addresses to text and back, without the system's help.
enum IPLiteral {
    /// Four decimal octets without leading zeros (RFC 3986 §3.2.2, `IPv4address`).
    static func v4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let octet = number(part, base: 10, digits: 3), octet <= 255 else { return nil }
            guard part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            address = address << 8 | octet
        }
        return address
    }

    /// The forms of RFC 4291 §2.2, with an optional numeric `%scope` (RFC 4007 §11.2).
    static func v6(_ text: String) -> (high: UInt64, low: UInt64, scope: UInt32)? {
        let halves = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var scope: UInt32 = 0
        if halves.count == 2 {
            guard let value = UInt32(halves[1]) else { return nil }
            scope = value
        }
        var groups: [UInt16] = []
        var gap: Int?
        var parts = halves[0].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.count <= 9 else { return nil }
        if parts[0].isEmpty {
            guard parts[1].isEmpty else { return nil }
            parts.removeFirst()
        }
        if let last = parts.last, last.isEmpty {
            guard parts.count >= 2, parts[parts.count - 2].isEmpty else { return nil }
            parts.removeLast()
        }
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                guard gap == nil else { return nil }
                gap = groups.count
            } else if index == parts.count - 1, part.contains("."), let address = v4(part) {
                groups += [UInt16(address >> 16), UInt16(address & 0xFFFF)]
            } else {
                guard let group = number(part.utf8, base: 16, digits: 4) else { return nil }
                groups.append(UInt16(group))
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let high = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let low = groups[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        return (high, low, scope)
    }

    /// Dotted decimal.
    static func text(v4 address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }

    /// The canonical text of RFC 5952: lower case, no leading zeros, the longest run of zeros as `::`.
    static func text(high: UInt64, low: UInt64, scope: UInt32) -> String {
        let groups = [high, low].flatMap { half in
            stride(from: 48, through: 0, by: -16).map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
        }
        var best = 0..<0
        var start = 0
        while start < 8 {
            guard groups[start] == 0 else {
                start += 1
                continue
            }
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count { best = start..<end }
            start = end
        }
        let suffix = scope == 0 ? "" : "%\(scope)"
        func join(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        if high == 0, low >> 32 == 0xFFFF { return "::ffff:" + text(v4: UInt32(truncatingIfNeeded: low)) + suffix }
        guard best.count >= 2 else { return join(0..<8) + suffix }
        return join(0..<best.lowerBound) + "::" + join(best.upperBound..<8) + suffix
    }

    private static func number(_ text: some Collection<UInt8>, base: UInt32, digits: Int) -> UInt32? {
        guard !text.isEmpty, text.count <= digits else { return nil }
        var value: UInt32 = 0
        for byte in text {
            let digit: UInt32
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = UInt32(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
            guard digit < base else { return nil }
            value = value * base + digit
        }
        return value
    }
}
