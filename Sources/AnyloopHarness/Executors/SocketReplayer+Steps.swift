import AnyloopCore

/// The steps of a replay over real sockets: sending, waiting, reading, leaving.
extension SocketReplayer {
    /// Where the subject is looked at: its application, and what stands on the loop's own transport.
    struct Ends {
        let application: ObservedConnection
        /// The application too, or the subject's TLS below it.
        let outer: ObservedConnection

        /// How callbacks broke their grammar, above TLS or below.
        var violation: String? { application.violation ?? outer.violation }

        /// Callbacks and calls so far.
        var activity: Int {
            outer === application ? application.activity : application.activity + outer.activity
        }
    }

    /// What the subject wrote, decrypted where it goes through TLS.
    var answer: [UInt8] { secure?.received ?? received }

    private var answerCount: Int { secure?.received.count ?? received.count }

    func close(_ peer: RawSocket) {
        guard !isPeerClosed else { return }
        isPeerClosed = true
        peer.resetOnClose()
        peer.close()
    }

    private func reset(_ peer: RawSocket) {
        sawEnd = true
        close(peer)
    }

    func perform(_ step: ReplayStep, _ bytes: [UInt8], _ peer: RawSocket, _ ends: Ends) throws {
        if case .piece(let range) = step {
            guard let secure else { return try send(bytes[range], to: peer, ends) }
            return try send(secure.seal(bytes.span.extracting(range)), to: peer, ends)
        }
        // A close_notify may share the last records' segment.
        if let secure, !step.isEnd { try send(secure.flush(), to: peer, ends) }
        switch step {
        case .piece: break
        case .open, .control(.resume): blocked = false
        case .control(.pause): blocked = true
        case .control(.fin):
            try end(peer, ends)
            try awaitEnd(peer, ends)
        case .control(.rst):
            reset(peer)
            try awaitEnd(peer, ends)
        case .control(.wait(let duration)): try turn(min(duration, limits.waitCap))
        }
    }

    /// Ends the peer's side where the cut says that the ciphertext breaks off.
    func breakOff(_ peer: RawSocket, _ ends: Ends) throws {
        guard let secure else { return }
        try send(secure.flush(), to: peer, ends)
        guard secure.endsWithoutNotice, !isPeerClosed else { return }
        peer.shutdownWrite()
        try awaitEnd(peer, ends)
    }

    /// Ends the peer's side: over TLS with a close_notify first, unless it is to be missing.
    private func end(_ peer: RawSocket, _ ends: Ends) throws {
        if let secure { try send(secure.end(), to: peer, ends) }
        if !isPeerClosed { peer.shutdownWrite() }
    }

    private func send(_ segments: [[UInt8]], to peer: RawSocket, _ ends: Ends) throws {
        for segment in segments { try send(segment[...], to: peer, ends) }
    }

    /// Sends a piece, and turns the loop until the subject has taken it or takes no more.
    func send(_ bytes: ArraySlice<UInt8>, to peer: RawSocket, _ ends: Ends) throws {
        var rest = bytes
        let goal = ends.outer.receivedCount + bytes.count
        let deadline = clock.now + limits.stepDeadline
        while !rest.isEmpty, !ends.outer.isLost, !isPeerClosed {
            guard let sent = peer.send(rest.span) else { return }
            rest = rest.dropFirst(sent)
            if sent == 0 {
                let before = ends.activity
                try turn(.milliseconds(1))
                try readAvailable(peer)
                // A subject that takes no more while its own answers are stuck cannot go on: the window opens.
                if ends.activity == before { blocked = false }
            }
            guard clock.now < deadline else {
                overdue.append("sending a piece took longer than \(limits.stepDeadline)")
                return
            }
        }
        while ends.outer.receivedCount < goal, takesMore(ends.outer) {
            try turn(.milliseconds(1))
            try readAvailable(peer)
            guard clock.now < deadline else {
                overdue.append("the subject took a piece no sooner than in \(limits.stepDeadline)")
                return
            }
        }
    }

    /// Turns the loop until the subject has met the end of the stream, or reads no more.
    private func awaitEnd(_ peer: RawSocket, _ ends: Ends) throws {
        let deadline = clock.now + limits.stepDeadline
        while !ends.outer.sawEnd, takesMore(ends.outer) {
            try turn(.milliseconds(1))
            try readAvailable(peer)
            guard clock.now < deadline else {
                overdue.append("the subject met the end of the stream no sooner than in \(limits.stepDeadline)")
                return
            }
        }
    }

    private func takesMore(_ observed: ObservedConnection) -> Bool {
        guard !observed.isLost, let transport = observed.transport else { return false }
        return transport.isReading
    }

    /// Turns the loop until nothing moves.
    func settle(_ peer: RawSocket, _ ends: Ends) throws {
        var idle = 0
        let deadline = clock.now + limits.stepDeadline
        while idle < limits.idleTurns {
            let before = (ends.activity, answerCount)
            try turn(.zero)
            try readAvailable(peer)
            idle = before == (ends.activity, answerCount) ? idle + 1 : 0
            guard clock.now < deadline else {
                overdue.append("coming to rest took longer than \(limits.stepDeadline)")
                return
            }
        }
    }

    /// Reads until the peer has all that the subject wrote, and its end if it ended.
    func readAnswer(_ peer: RawSocket, _ ends: Ends) throws {
        guard let transport = ends.application.transport else { return }
        let deadline = clock.now + limits.stepDeadline
        while !sawEnd, !isPeerClosed, !transport.hasAborted,
            answerCount < transport.writtenCount || transport.hasEnded
        {
            try turn(.zero)
            try settle(peer, ends)
            if !sawEnd, answerCount < transport.writtenCount || transport.hasEnded { peer.waitReadable() }
            guard clock.now < deadline else {
                overdue.append("the subject's answer took longer than \(limits.stepDeadline)")
                return
            }
        }
    }

    func readAvailable(_ peer: RawSocket) throws {
        guard !blocked, !sawEnd else { return }
        if peer.receive(into: &received, scratch: &scratch) { sawEnd = true }
        guard let secure else { return }
        secure.take(received)
        received.removeAll(keepingCapacity: true)
        if secure.sawEnd { sawEnd = true }
    }

    /// Ends the peer's side and turns the loop until the connection is gone.
    func depart(_ peer: RawSocket, _ ends: Ends) throws {
        try end(peer, ends)
        var deadline = clock.now + limits.stepDeadline
        var resets = false
        while !ends.application.isLost {
            try turn(.milliseconds(1))
            try readAvailable(peer)
            guard clock.now >= deadline else { continue }
            guard !resets else {
                overdue.append("connectionLost did not come within \(limits.stepDeadline) of the peer's end of stream")
                return
            }
            resets = true
            reset(peer)
            deadline = clock.now + limits.stepDeadline
        }
        try turn(.zero)
    }
}
