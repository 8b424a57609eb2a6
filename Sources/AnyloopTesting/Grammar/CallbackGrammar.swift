/// The callbacks a transport may make, stream and datagram ones together.
public enum Callback: String, Hashable, Sendable, CaseIterable {
    /// `connectionMade`
    case made
    /// `dataReceived`
    case data
    /// `pauseWriting`
    case pause
    /// `resumeWriting`
    case resume
    /// `eofReceived`
    case eof
    /// `connectionLost`
    case lost
    /// `datagramReceived`
    case datagram
    /// `errorReceived`
    case error
}

/// What a transport did that the callback grammar forbids.
public struct GrammarViolation: Error, Hashable, Sendable, CustomStringConvertible {
    /// The callback that came.
    public let callback: Callback
    /// How many callbacks were reported before it.
    public let index: Int
    /// What was wrong with it, as one clause.
    public let reason: String

    /// One sentence: which callback, the how manyth, why.
    public var description: String { "\(callback.rawValue) as callback \(index): \(reason)" }
}

/// The law every transport keeps, on every loop, as a state machine that callbacks are reported to.
///
///     stream    made (data | pause | resume)* eof? (data-free, may still write) lost
///     datagram  made (datagram | error | pause | resume)* lost
///
/// `pause` and `resume` alternate. Only `pause` and `error` may come inside another callback, because a write or
/// a send in there brings them about (asyncio rules 87 and 111). Only the first violation is kept.
public struct CallbackGrammar: Sendable {
    /// Which of the two grammars holds.
    public enum Kind: Sendable {
        /// For `StreamProtocol`.
        case stream
        /// For `DatagramProtocol`.
        case datagram
    }

    private enum State: UInt8, Sendable {
        case fresh, open, halfClosed, lost
    }

    private enum Verdict {
        case go(State)
        case pauses, resumes
        case no(String)
    }

    private let kind: Kind
    private var state = State.fresh
    private var isPaused = false
    private var depth = 0
    private var count = 0

    /// The first violation; nil while the law holds.
    public private(set) var violation: GrammarViolation?

    /// A checker that has seen nothing yet.
    public init(_ kind: Kind = .stream) {
        self.kind = kind
    }

    /// Whether `lost` came: nothing is owed any more.
    public var isComplete: Bool { state == .lost }

    /// Whether `made` came and `lost` did not.
    public var isOpen: Bool { state == .open || state == .halfClosed }

    /// Whether the last of `pause` and `resume` was `pause`.
    public var isWritingPaused: Bool { isPaused }

    /// Reports that `callback` begins; `leave` must follow when it returns.
    public mutating func enter(_ callback: Callback) {
        defer {
            depth += 1
            count += 1
        }
        if depth > 0, callback != .pause, callback != .error {
            fail(callback, "it ran inside another callback of the same protocol")
            return
        }
        switch verdict(on: callback) {
        case .go(let next): state = next
        case .pauses:
            if isPaused { fail(callback, "writing was paused already") }
            isPaused = true
        case .resumes:
            if !isPaused { fail(callback, "writing was not paused") }
            isPaused = false
        case .no(let reason): fail(callback, reason)
        }
    }

    /// Reports that the innermost callback returned.
    public mutating func leave() { depth -= 1 }

    /// Reports a callback without what it does inside.
    public mutating func note(_ callback: Callback) {
        enter(callback)
        leave()
    }

    private func verdict(on callback: Callback) -> Verdict {
        switch (state, callback, kind) {
        case (.fresh, .made, _): .go(.open)
        case (.fresh, _, _): .no("it came before made")
        case (.lost, _, _): .no("it came after lost")
        case (_, .made, _): .no("made had come already")
        case (_, .lost, _): .go(.lost)
        case (_, .pause, _): .pauses
        case (_, .resume, _): .resumes
        case (.open, .data, .stream): .go(.open)
        case (.open, .eof, .stream): .go(.halfClosed)
        case (.halfClosed, .data, .stream): .no("data came after eof")
        case (.halfClosed, .eof, .stream): .no("eof had come already")
        case (.open, .datagram, .datagram), (.open, .error, .datagram): .go(.open)
        case (_, .datagram, .stream), (_, .error, .stream): .no("a stream has no such callback")
        case (_, .data, .datagram), (_, .eof, .datagram): .no("a datagram endpoint has no such callback")
        case (.halfClosed, .datagram, .datagram), (.halfClosed, .error, .datagram): .go(state)
        }
    }

    private mutating func fail(_ callback: Callback, _ reason: String) {
        guard violation == nil else { return }
        violation = GrammarViolation(callback: callback, index: count, reason: reason)
    }
}
