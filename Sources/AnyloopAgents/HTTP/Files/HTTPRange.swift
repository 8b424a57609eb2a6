/// A request for a part of a representation (RFC 9110 §14).
enum HTTPRange: Equatable {
    /// There is no range to honour: the whole is sent.
    case whole
    /// These bytes.
    case part(Range<Int64>)
    /// None of the range's bytes exist: 416.
    case unsatisfiable

    /// What the `Range` value `text` asks of `size` bytes.
    ///
    /// Malformed values, other units and sets of several ranges are ignored, as §14.2 allows.
    init(_ text: String, size: Int64) {
        self = .whole
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return }
        let bounds = parts[1].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard bounds.count == 2, !parts[1].contains(",") else { return }
        if bounds[0].isEmpty {
            guard let suffix = HTTPRange.number(bounds[1]) else { return }
            self = suffix == 0 || size == 0 ? .unsatisfiable : .part(max(0, size - suffix)..<size)
            return
        }
        guard let first = HTTPRange.number(bounds[0]) else { return }
        var end = size
        if !bounds[1].isEmpty {
            guard let last = HTTPRange.number(bounds[1]), last >= first else { return }
            end = min(size, last == .max ? last : last + 1)
        }
        self = first < size ? .part(first..<end) : .unsatisfiable
    }

    /// Digits alone; more than an `Int64` holds is its greatest.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text) ?? .max
    }
}
