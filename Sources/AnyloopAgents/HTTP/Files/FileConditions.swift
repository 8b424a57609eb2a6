import AnyloopWire
import HTTPTypes

/// What a request's conditional fields say about a file (RFC 9110 §13), evaluated in the order of §13.2.2.
struct FileConditions {
    /// What to do.
    enum Outcome: Equatable {
        /// Answer as if there were no condition; `honoursRange` is false where If-Range doesn't match.
        case proceed(honoursRange: Bool)
        /// 304.
        case notModified
        /// 412.
        case failed
    }

    /// The file's entity tag, quoted.
    let etag: String
    /// Its last change, in seconds since 1970.
    let modified: Int
    /// The time, for two-digit years.
    let now: Int

    /// Evaluates the fields of a GET or HEAD.
    func outcome(for fields: HTTPFields) -> Outcome {
        if let wanted = fields[.ifMatch] {
            guard matches(wanted, weakly: false) else { return .failed }
        } else if let limit = date(fields[.ifUnmodifiedSince]), modified > limit {
            return .failed
        }
        if let known = fields[.ifNoneMatch] {
            if matches(known, weakly: true) { return .notModified }
        } else if let limit = date(fields[.ifModifiedSince]), modified <= limit {
            return .notModified
        }
        guard let validator = fields[.ifRange] else { return .proceed(honoursRange: true) }
        // A tag must match strongly, a date exactly (§13.1.5).
        let holds = validator.hasPrefix("\"") ? validator == etag : date(validator) == modified
        return .proceed(honoursRange: holds)
    }

    private func date(_ text: String?) -> Int? {
        text.flatMap { HTTP1Date.parse($0, now: now) }
    }

    private func matches(_ list: String, weakly: Bool) -> Bool {
        list.split(separator: ",").contains { item in
            let tag = item.drop { $0 == " " || $0 == "\t" }
            let bare = tag.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            let text = String(bare)
            if text == "*" || text == etag { return true }
            return weakly && text.hasPrefix("W/") && text.dropFirst(2) == etag
        }
    }
}
