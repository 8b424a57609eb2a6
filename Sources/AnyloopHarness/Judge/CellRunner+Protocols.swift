extension CellRunner {
    /// The reference runs of the fixture and subject that were asked for last.
    struct References {
        private var fixture = ""
        private var subject = ""
        private var reference: Reference?

        /// What every run over a protocol of one fixture and subject is compared with.
        struct Reference {
            /// The whole stream over the memory transport.
            var whole: ReplayOutcome
            /// What shortened streams are held against.
            var truncation: TruncationReference
            /// Where the protocol's application and the parser alone differ on the whole stream.
            var parserDifference: CellFailure?
        }

        mutating func reference(
            _ fixture: Fixture, _ subject: Subject, _ make: () throws -> Reference
        ) throws -> Reference {
            if self.fixture == fixture.id, self.subject == subject.name, let reference { return reference }
            let made = try make()
            self.fixture = fixture.id
            self.subject = subject.name
            reference = made
            return made
        }
    }

    func replay(
        _ fixture: Fixture, _ subject: Subject, _ streamProtocol: any ProtocolSubject,
        _ replayer: any ProtocolReplayer, _ cuts: [Cut], liberties: Set<Liberty>, _ tally: inout Tally
    ) throws {
        let reference = try references.reference(fixture, subject) {
            try makeReference(fixture, subject, streamProtocol)
        }
        let count = fixture.stream(for: subject.side).bytes.count
        for cut in cuts {
            let outcome = try replayer.replay(cut)
            var failure = conduct(outcome, cut)
            if failure == nil {
                failure =
                    cut.plan.keepsStream
                    ? compare(outcome, reference, fixture, subject, streamProtocol, cut)
                        ?? compareCallbacks(outcome, reference, liberties, cut)
                    : shortened(outcome, reference, cut, count: count)
            }
            tally.count(failure)
        }
    }

    private func makeReference(
        _ fixture: Fixture, _ subject: Subject, _ streamProtocol: any ProtocolSubject
    ) throws -> References.Reference {
        let replayer = MemoryReplayer(streamProtocol, fixture: fixture, side: subject.side, limits: replayLimits)
        defer { replayer.finish() }
        let stream = fixture.stream(for: subject.side)
        let whole = try replayer.replay(.whole)
        let ended = try replayer.replay(Cut(.eof, ending: .eof(at: stream.bytes.count)))
        var truncation = TruncationReference(
            whole: whole.trace.events, open: whole.trace.events, ended: ended.finalTrace.events)
        var difference: CellFailure?
        if let parser = subject.parser {
            let executor = ParserExecutor(parser, fixture: fixture, side: subject.side)
            let open = executor.trace(.whole, ending: .open)
            truncation = TruncationReference(
                whole: ended.finalTrace.events,
                endsAtClose: open.events.count + 1
                    == executor.trace(.whole, ending: .fin).events.count)
            difference = parserDifference(executor.trace(.whole), whole.trace)
        }
        return References.Reference(whole: whole, truncation: truncation, parserDifference: difference)
    }

    /// Where the parser alone and the application behind the protocol differ; notes are the protocol's own.
    private func parserDifference(_ parser: Trace, _ application: Trace) -> CellFailure? {
        let alone = parser.events.filter { $0.kind != .note }
        let behind = application.events.filter { $0.kind != .note }
        let same = alone.count == behind.count && zip(alone, behind).allSatisfy { $0.tellsAs($1) }
        guard !same else { return nil }
        let (summary, details) = TraceText.difference(alone, "the parser", behind, "the protocol's application")
        return CellFailure(kind: .differential, cut: "whole", summary: summary, details: details)
    }

    /// What no replay may do, whatever was sent.
    private func conduct(_ outcome: ReplayOutcome, _ cut: Cut) -> CellFailure? {
        if let violation = outcome.grammarViolation {
            return CellFailure(kind: .law, cut: cut.name, summary: violation)
        }
        if let overdue = outcome.overdue.first {
            return CellFailure(
                kind: .deadline, cut: cut.name, summary: overdue, details: outcome.overdue.joined(separator: "\n"))
        }
        if let exception = outcome.exceptions.first {
            return CellFailure(
                kind: .law, cut: cut.name, summary: "the loop's exception handler heard: \(exception)")
        }
        if let violation = TraceLaw.violation(in: outcome.finalTrace.events) {
            let lines = outcome.finalTrace.events.map(\.description).joined(separator: "\n")
            return CellFailure(kind: .law, cut: cut.name, summary: violation, details: lines)
        }
        if cut.isReset, !outcome.closed, outcome.callbacks.lostCause == nil {
            return CellFailure(kind: .law, cut: cut.name, summary: "connectionLost gave no cause after a reset")
        }
        if cut.isFaulty {
            guard outcome.hasEnded || outcome.callbacks.lostCause != nil else {
                return CellFailure(
                    kind: .law, cut: cut.name, summary: "connectionLost gave no cause after broken ciphertext")
            }
        } else if let fault = outcome.tlsFault {
            return CellFailure(kind: .wire, cut: cut.name, summary: "the peer's TLS found fault: \(fault)")
        }
        return nil
    }

    private func shortened(
        _ outcome: ReplayOutcome, _ reference: References.Reference, _ cut: Cut, count: Int
    ) -> CellFailure? {
        law(outcome.finalTrace, cut, reference.truncation, count: count)
    }

    private func compare(
        _ outcome: ReplayOutcome, _ reference: References.Reference, _ fixture: Fixture, _ subject: Subject,
        _ streamProtocol: any ProtocolSubject, _ cut: Cut
    ) -> CellFailure? {
        let whole = reference.whole
        if outcome.trace != whole.trace { return difference(outcome.trace, whole.trace, cut, to: "whole in memory") }
        // What a peer that does not read has not taken is lost when the subject aborts; the rest must be right.
        let isCutShort =
            cut.blockedUntil != nil && outcome.hasAborted && whole.written.starts(with: outcome.written)
        if outcome.written != whole.written, !isCutShort {
            return CellFailure(
                kind: .differential, cut: cut.name, summary: "what the subject wrote differs from whole in memory",
                details: writtenDifference(outcome.written, whole.written, cut))
        }
        if outcome.closed != whole.closed {
            let text =
                outcome.closed
                ? "closed the connection, whole in memory leaves it open"
                : "left the connection open, whole in memory closes it"
            return CellFailure(kind: .differential, cut: cut.name, summary: "the subject \(text)")
        }
        if let parserDifference = reference.parserDifference { return parserDifference }
        if !isCutShort, let flaw = streamProtocol.flaw(inWritten: outcome.rawWritten, for: fixture) {
            return CellFailure(kind: .wire, cut: cut.name, summary: flaw)
        }
        let observation = ExpectationMatch.Observation(
            events: outcome.trace.events, written: isCutShort ? nil : outcome.rawWritten, closed: outcome.closed)
        return judge(fixture, subject, observation)?.failure(cut)
    }

    private func compareCallbacks(
        _ outcome: ReplayOutcome, _ reference: References.Reference, _ liberties: Set<Liberty>, _ cut: Cut
    ) -> CellFailure? {
        let seen = outcome.callbacks.normalised(liberties)
        let expected = reference.whole.callbacks.normalised(liberties)
        guard seen != expected else { return nil }
        if liberties.contains(.noHalfClose), outcome.hasEnded, seen.withoutEnd == expected.withoutEnd { return nil }
        return CellFailure(
            kind: .differential, cut: cut.name, summary: "the callbacks differ from whole in memory",
            details: "\(cut.name): \(seen)\nwhole in memory: \(expected)")
    }

    private func writtenDifference(_ left: [UInt8], _ right: [UInt8], _ cut: Cut) -> String {
        let common = zip(left, right).prefix { $0 == $1 }.count
        func around(_ bytes: [UInt8]) -> String {
            let shown = bytes[max(0, common - 80)..<min(bytes.count, common + 80)]
            return "\"" + WireEscapes.escape(shown) + "\" (\(bytes.count) bytes)"
        }
        return "they part at byte \(common)\n\(cut.name): \(around(left))\nwhole: \(around(right))"
    }
}

extension TraceEvent {
    /// Whether it is the same event to an application, which may hear of an error without its place.
    fileprivate func tellsAs(_ other: TraceEvent) -> Bool {
        if kind == .error, other.kind == .error, other.parts.count == 1 { return parts.first == other.parts.first }
        return sameAs(other)
    }
}
