/// What every trace must obey, whatever was sent.
enum TraceLaw {
    private enum State { case between, head, body, trailers, switched, failed }

    /// The first way in which `events` break the order of events; nil if they keep it.
    ///
    ///     (head field* body? trailer* end)* (upgrade surplus?)? error?
    ///
    /// An upgrade may come in place of a message's end or after it. Notes may stand anywhere but after an error.
    static func violation(in events: [TraceEvent]) -> String? {
        var state = State.between
        for (index, event) in events.enumerated() {
            let next: State? =
                switch (state, event.kind) {
                case (.failed, _): nil
                case (_, .note): state
                case (_, .error): .failed
                case (.between, .head): .head
                case (.head, .field): .head
                case (.head, .body): .body
                case (.head, .trailer), (.body, .trailer), (.trailers, .trailer): .trailers
                case (.head, .end), (.body, .end), (.trailers, .end): .between
                case (.between, .upgrade), (.head, .upgrade): .switched
                case (.switched, .surplus): .switched
                default: nil
                }
            guard let next else { return "event \(index + 1), '\(event)', may not come there" }
            state = next
        }
        return nil
    }

    /// Whether `events` stop within a message, without an error.
    static func endsWithinMessage(_ events: [TraceEvent]) -> Bool {
        switch events.last(where: { $0.kind != .note })?.kind {
        case .head, .field, .body, .trailer: true
        default: false
        }
    }

    /// The first way in which the trace of a shortened stream goes beyond that of the whole one; nil if it doesn't.
    ///
    /// It must be a prefix, in which the last body may be shorter; then an error may follow, and, where the whole
    /// stream's last message lasts until the close (`endsAtClose`), that message's end.
    static func violation(ofTruncated truncated: [TraceEvent], whole: [TraceEvent], endsAtClose: Bool) -> String? {
        let lastHead = whole.lastIndex { $0.kind == .head } ?? 0
        var partial = false
        for (index, event) in truncated.enumerated() {
            let isLast = index == truncated.count - 1
            if !partial, index < whole.count {
                if event.sameAs(whole[index]) { continue }
                if event.isBeginning(of: whole[index]) {
                    partial = true
                    continue
                }
            }
            if event.kind == .error, isLast { continue }
            if event.kind == .end, isLast || truncated[index + 1].kind == .error, endsAtClose, index > lastHead {
                partial = true
                continue
            }
            return "event \(index + 1), '\(event)', is not what the whole stream gives there"
        }
        return nil
    }
}

extension TraceEvent {
    /// Whether it is the same event, however its bytes were kept.
    func sameAs(_ other: TraceEvent) -> Bool {
        guard kind == other.kind else { return false }
        guard kind == .body || kind == .surplus else { return parts == other.parts }
        return count == other.count && digest == other.digest
    }

    /// Whether it has the first bytes of `other`'s body.
    func isBeginning(of other: TraceEvent) -> Bool {
        guard kind == other.kind, kind == .body || kind == .surplus, count <= other.count else { return false }
        guard let bytes = other.parts.first, bytes.count >= count else { return false }
        var hash = BodyHash()
        hash.update(bytes.span.extracting(..<count))
        return hash.value == digest
    }
}
