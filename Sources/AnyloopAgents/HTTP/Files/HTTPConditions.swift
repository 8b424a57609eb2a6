import AnyloopWire
import HTTPTypes

/// The validators of a representation, and what a request's conditions make of them (RFC 9110 §8.8, §13).
struct HTTPConditions {
    enum Outcome {
        case proceed
        case notModified
        case failed
    }

    /// A strong entity tag, with its quotes.
    let entityTag: String
    /// Seconds since 1970.
    let modified: Int64

    /// The outcome, in the order of §13.2.2.
    func outcome(_ fields: HTTPFields) -> Outcome {
        if let tags = fields[.ifMatch] {
            // Strong comparison: weak tags never match.
            if !matches(tags, weakly: false) { return .failed }
        } else if let date = date(fields[.ifUnmodifiedSince]), modified > date {
            return .failed
        }
        if let tags = fields[.ifNoneMatch] {
            return matches(tags, weakly: true) ? .notModified : .proceed
        }
        if let date = date(fields[.ifModifiedSince]), modified <= date { return .notModified }
        return .proceed
    }

    /// Whether a `Range` counts, given `If-Range` (§13.1.5): the same strong tag, or exactly the same date.
    func allowsRange(_ fields: HTTPFields) -> Bool {
        guard let condition = fields[.ifRange] else { return true }
        if condition.hasPrefix("\"") || condition.hasPrefix("W/") { return condition == entityTag }
        return date(condition) == modified
    }

    private func date(_ text: String?) -> Int64? {
        text.flatMap { HTTP1Date.parse($0, now: Int(WallClock.nanoseconds() / 1_000_000_000)) }.map(Int64.init)
    }

    private func matches(_ tags: String, weakly: Bool) -> Bool {
        if tags == "*" { return true }
        return tags.split(separator: ",").contains { element in
            let tag = element.drop { $0 == " " || $0 == "\t" }
            let trimmed = tag.prefix { $0 != " " && $0 != "\t" }
            return trimmed == entityTag || (weakly && trimmed.hasPrefix("W/") && trimmed.dropFirst(2) == entityTag)
        }
    }
}
