/// What a subject makes of one fixture where that is known to differ from the fixture's expectation.
///
/// Listed, it is what the subject is held to there, as strictly as to an expectation: a subject that does as the
/// fixture says, or differs otherwise, fails.
public struct KnownDifference: Sendable, Hashable {
    /// What an expectation speaks of.
    public enum Aspect: String, Sendable, Hashable, CaseIterable {
        /// What the application sees.
        case events
        /// What the subject writes.
        case reply
        /// Whether the connection is closed at the end.
        case closing
    }

    /// The fixture's id.
    public var fixture: String
    /// In what it differs.
    public var aspect: Aspect
    /// What comes instead: the events, what was written, or `open` or `closed`; long ones are cut off and have a digest.
    public var seen: String
    /// Whether something else comes where the stream is cut, which is a fault in itself: only the plan `whole` is run.
    public var dependsOnCuts: Bool

    /// A difference.
    public init(fixture: String, aspect: Aspect, seen: String, dependsOnCuts: Bool = false) {
        self.fixture = fixture
        self.aspect = aspect
        self.seen = seen
        self.dependsOnCuts = dependsOnCuts
    }

    /// Characters of `seen` from which on a digest stands for the rest.
    static let textLimit = 400

    init(_ fixture: String, _ mismatch: ExpectationMatch.Mismatch, _ observation: ExpectationMatch.Observation) {
        self.init(
            fixture: fixture, aspect: mismatch.aspect, seen: Self.text(of: observation, mismatch.aspect))
    }

    /// What is wrong where this difference is listed; nil if the subject differs as listed.
    func judge(
        _ mismatch: ExpectationMatch.Mismatch?, _ observation: ExpectationMatch.Observation
    ) -> ExpectationMatch.Mismatch? {
        let isObserved =
            switch aspect {
            case .events: true
            case .reply: observation.written != nil
            case .closing: observation.closed != nil
            }
        guard let mismatch else {
            guard isObserved else { return nil }
            return ExpectationMatch.Mismatch(
                aspect: aspect, progress: 0,
                summary: "listed as a known difference, but as expected: take it off the list", details: seen)
        }
        var found = KnownDifference(fixture, mismatch, observation)
        found.dependsOnCuts = dependsOnCuts
        if found == self { return nil }
        return ExpectationMatch.Mismatch(
            aspect: mismatch.aspect, progress: mismatch.progress,
            summary: "differs otherwise than the list of known differences says: \(mismatch.summary)",
            details: "listed  \(aspect.rawValue) \(seen)\nseen    \(found.aspect.rawValue) \(found.seen)")
    }

    private static func text(of observation: ExpectationMatch.Observation, _ aspect: Aspect) -> String {
        switch aspect {
        case .events:
            let events = observation.events.filter { $0.kind != .note }
            return events.isEmpty ? "nothing" : shortened(events.map(\.description).joined(separator: "; "))
        case .reply:
            let written = observation.written ?? []
            return written.isEmpty ? "nothing" : shortened("\"" + WireEscapes.escape(written) + "\"")
        case .closing: return observation.closed == true ? "closed" : "open"
        }
    }

    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > textLimit else { return text }
        var hash = BodyHash()
        let bytes = Array(text.utf8)
        hash.update(bytes.span)
        return text.prefix(textLimit - 20) + "… #" + String(hash.value, radix: 16)
    }
}

/// Known differences by fixture: a list that cannot rot, as each entry is checked in each run.
///
/// Written, it has a line for each: the fixture, the aspect (with `,cuts` where it depends on them), what comes instead.
public struct KnownDifferences: Sendable, Hashable {
    /// The differences in the order of the fixtures' ids.
    public let entries: [KnownDifference]
    private let byFixture: [String: KnownDifference]

    /// No differences.
    public static let none = KnownDifferences([])

    /// The given differences, at most one for a fixture; of several the last counts.
    public init(_ entries: [KnownDifference]) {
        byFixture = Dictionary(entries.map { ($0.fixture, $0) }) { _, last in last }
        self.entries = byFixture.values.sorted { $0.fixture < $1.fixture }
    }

    /// Reads a list as `text` writes it; empty lines count for nothing.
    ///
    /// - Throws: `SettingsError` with the line that is none.
    public init(file: String, text: String) throws(SettingsError) {
        var entries: [KnownDifference] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            let words = line.split(separator: " ", maxSplits: 2)
            let isCut = words.count == 3 && words[1].hasSuffix(cutsMark)
            guard words.count == 3,
                let aspect = KnownDifference.Aspect(
                    rawValue: String(words[1].dropLast(isCut ? cutsMark.count : 0)))
            else {
                throw SettingsError(
                    file: file, line: index + 1, column: 1,
                    text: "expected a fixture, one of events, reply and closing, and what is seen; found "
                        + "'\(line.prefix(60))'")
            }
            entries.append(
                KnownDifference(
                    fixture: String(words[0]), aspect: aspect, seen: String(words[2]), dependsOnCuts: isCut))
        }
        self.init(entries)
    }

    /// The difference of that fixture; nil if none is known.
    public subscript(_ fixture: String) -> KnownDifference? { byFixture[fixture] }

    /// The list as it is written.
    public var text: String {
        entries.map { entry in
            "\(entry.fixture) \(entry.aspect.rawValue)\(entry.dependsOnCuts ? cutsMark : "") \(entry.seen)\n"
        }.joined()
    }
}

/// What stands behind the aspect of a difference that depends on cuts.
private let cutsMark = ",cuts"

extension CellRunner {
    /// Where `subject` differs from what `fixture` expects, whatever is listed; nil where it does not.
    ///
    /// The stream is replayed in memory, over the protocol or through the parser of a subject without one: whole, and
    /// where that differs, byte by byte, at most `byteLimit` bytes.
    ///
    /// - Throws: what kept the replays from being made.
    public func difference(_ fixture: Fixture, _ subject: Subject, byteLimit: Int = 16384) throws -> KnownDifference? {
        guard let expectation = fixture.expectation(subject.side) else { return nil }
        let bytes = fixture.stream(for: subject.side).bytes.count
        let everyByte = Cut(.everyByte, boundaries: bytes < 2 ? [] : Array(1..<bytes))
        var observations: [(trace: Trace, observation: ExpectationMatch.Observation)] = []
        func observe(_ cut: Cut, _ replayer: (any ProtocolReplayer)?) throws {
            if let outcome = try replayer?.replay(cut) {
                observations.append(
                    (
                        outcome.trace,
                        .init(
                            events: outcome.trace.events, written: outcome.rawWritten, closed: outcome.closed,
                            errorCodes: subject.errorCodes)
                    ))
            } else if let parser = subject.parser {
                let trace = ParserExecutor(parser, fixture: fixture, side: subject.side).trace(cut)
                observations.append((trace, .init(events: trace.events, errorCodes: subject.errorCodes)))
            }
        }
        let replayer = subject.streamProtocol.map {
            MemoryReplayer($0, fixture: fixture, side: subject.side, limits: replayLimits)
        }
        defer { replayer?.finish() }
        try observe(.whole, replayer)
        guard let whole = observations.first, let mismatch = ExpectationMatch.mismatch(whole.observation, expectation)
        else { return nil }
        if bytes <= byteLimit { try observe(everyByte, replayer) }
        var difference = KnownDifference(fixture.id, mismatch, whole.observation)
        difference.dependsOnCuts = observations.contains { $0.trace != whole.trace }
        return difference
    }
}
