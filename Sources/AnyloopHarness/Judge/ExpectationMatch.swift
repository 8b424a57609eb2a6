/// Holds a trace and what was written against what a fixture expects.
enum ExpectationMatch {
    /// What was observed on one side of a conversation.
    struct Observation {
        var events: [TraceEvent]
        /// What the subject wrote; nil where it cannot write.
        var written: [UInt8]?
        /// Whether the subject closed; nil where there is nothing to close.
        var closed: Bool?
        /// Whose names its errors have.
        var errorCodes = Subject.ErrorCodes.fixtures
    }

    /// Why none of the alternatives holds, best first; nil if one does.
    static func mismatch(_ observation: Observation, _ expectation: Expectation) -> Mismatch? {
        var best: Mismatch?
        for alternative in expectation.alternatives {
            guard let mismatch = mismatch(observation, alternative) else { return nil }
            if best.map({ mismatch.progress > $0.progress }) ?? true { best = mismatch }
        }
        return best
    }

    /// Where an alternative and what was observed part.
    struct Mismatch {
        /// What it is about.
        var aspect: KnownDifference.Aspect
        /// How many events agreed.
        var progress: Int
        /// One sentence.
        var summary: String
        /// What was expected and what came, in lines.
        var details: String
    }

    private static func mismatch(
        _ observation: Observation, _ alternative: Expectation.Alternative
    ) -> Mismatch? {
        if let expected = alternative.events,
            let mismatch = mismatch(
                observation.events.filter { $0.kind != .note }, expected, errorCodes: observation.errorCodes)
        {
            return mismatch
        }
        if let pattern = alternative.wire, let written = observation.written, !WirePattern(pattern).matches(written) {
            let text = "expected  " + WirePattern(pattern).description + "\nwritten   " + quoted(written)
            return Mismatch(
                aspect: .reply, progress: observation.events.count,
                summary: "what was written is not what line \(alternative.line) says",
                details: text)
        }
        if let closes = alternative.closes, let closed = observation.closed, closes != closed {
            let summary =
                closes ? "the connection should be closed and is open" : "the connection should be open and is closed"
            return Mismatch(
                aspect: .closing, progress: observation.events.count, summary: summary, details: "")
        }
        return nil
    }

    private static func mismatch(
        _ events: [TraceEvent], _ expected: [ExpectedEvent], errorCodes: Subject.ErrorCodes
    ) -> Mismatch? {
        var walk = Walk(events: events, errorCodes: errorCodes)
        for (index, item) in expected.enumerated() {
            let next = index + 1 < expected.count ? expected[index + 1] : nil
            guard walk.take(item, next: next) else {
                return describe(walk, expected, at: index, "expected '\(item)'")
            }
        }
        walk.skipUnjudged()
        guard walk.index == events.count else {
            return describe(walk, expected, at: expected.count, "expected nothing more")
        }
        return nil
    }

    private static func describe(
        _ walk: Walk, _ expected: [ExpectedEvent], at index: Int, _ text: String
    ) -> Mismatch {
        let came = walk.index < walk.events.count ? "'\(walk.events[walk.index])'" : "nothing more"
        let details = TraceText.sideBySide(
            left: expected.map(\.description), at: index, leftName: "expected", right: walk.events.map(\.description),
            at: walk.index, rightName: "seen")
        return Mismatch(
            aspect: .events, progress: walk.index, summary: "\(text), came \(came)", details: details)
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        let shown = WireEscapes.escape(bytes.prefix(512))
        return bytes.count > 512 ? "\"\(shown)\"… (\(bytes.count) bytes)" : "\"\(shown)\""
    }

    /// Goes through a trace beside the expected events.
    private struct Walk {
        let events: [TraceEvent]
        let errorCodes: Subject.ErrorCodes
        var index = 0
        /// Whether the current message's fields are judged.
        private var judgesFields = true

        init(events: [TraceEvent], errorCodes: Subject.ErrorCodes) {
            self.events = events
            self.errorCodes = errorCodes
        }

        private var current: TraceEvent? { index < events.count ? events[index] : nil }

        mutating func take(_ item: ExpectedEvent, next: ExpectedEvent?) -> Bool {
            switch item {
            case .head(let words):
                skipUnjudged()
                guard let event = current, event.kind == .head, event.parts.starts(with: words) else { return false }
                index += 1
                if case .field = next { judgesFields = true } else { judgesFields = false }
                return true
            case .field(let line): return takeLine(.field, line)
            case .trailer(let line):
                skip(.field)
                return takeLine(.trailer, line)
            case .body(let bytes):
                skip(.field)
                return takeBytes(.body, bytes)
            case .surplus(let bytes): return takeBytes(.surplus, bytes)
            case .end:
                skipUnjudged()
                return takeKind(.end)
            case .upgrade:
                skipUnjudged()
                return takeKind(.upgrade)
            case .error(let code, let offsets):
                skipUnjudged()
                guard let event = current, event.kind == .error,
                    errorCodes == .own || event.parts.first == Array(code.utf8)
                else { return false }
                if let offsets, event.parts.count > 1, errorCodes == .fixtures {
                    guard event.parts[1] == Array("\(offsets.lowerBound)..\(offsets.upperBound)".utf8) else {
                        return false
                    }
                }
                index += 1
                return true
            }
        }

        /// Fields and trailers that the fixture leaves open.
        mutating func skipUnjudged() {
            skip(.field)
            skip(.trailer)
        }

        private mutating func skip(_ kind: TraceKind) {
            while !judgesFields, current?.kind == kind { index += 1 }
        }

        private mutating func takeKind(_ kind: TraceKind) -> Bool {
            guard current?.kind == kind else { return false }
            index += 1
            return true
        }

        private mutating func takeLine(_ kind: TraceKind, _ line: [UInt8]) -> Bool {
            guard let event = current, event.kind == kind, event.parts.count == 2 else { return false }
            guard event.parts[0] + [0x3A, 0x20] + event.parts[1] == line else { return false }
            index += 1
            return true
        }

        private mutating func takeBytes(_ kind: TraceKind, _ expected: ExpectedBytes) -> Bool {
            guard expected.count > 0 else { return current?.kind != kind }
            guard let event = current, event.kind == kind, event.count == expected.count else { return false }
            if let bytes = expected.bytes {
                var hash = BodyHash()
                hash.update(bytes.span)
                guard hash.value == event.digest else { return false }
            }
            if let digest = expected.sha256 {
                guard let bytes = event.parts.first, SHA256.hexadecimal(of: bytes) == digest else { return false }
            }
            index += 1
            return true
        }
    }
}

extension ExpectedEvent: CustomStringConvertible {
    /// As the fixture has it, with long bodies by their length.
    public var description: String {
        func bytes(_ expected: ExpectedBytes) -> String {
            guard let bytes = expected.bytes, bytes.count <= 64 else { return "\(expected.count)" }
            return "\"" + WireEscapes.escape(bytes) + "\""
        }
        switch self {
        case .head(let words): return "head " + words.map(WireEscapes.word).joined(separator: " ")
        case .field(let line): return "field \"" + WireEscapes.escape(line) + "\""
        case .trailer(let line): return "trailer \"" + WireEscapes.escape(line) + "\""
        case .body(let expected): return "body " + bytes(expected)
        case .surplus(let expected): return "surplus " + bytes(expected)
        case .end: return "end"
        case .upgrade: return "upgrade"
        case .error(let code, nil): return "error \(code)"
        case .error(let code, let offsets?): return "error \(code) @\(offsets.lowerBound)..\(offsets.upperBound)"
        }
    }
}
