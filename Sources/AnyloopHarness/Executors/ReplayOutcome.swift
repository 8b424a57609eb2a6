/// What came of one replay over a protocol.
struct ReplayOutcome {
    /// What the application saw until the stream was delivered and nothing moved any more.
    var trace: Trace
    /// What it had seen once the connection was gone.
    var finalTrace: Trace
    /// What the peer got from the subject until then, with what may differ replaced by something fixed.
    var written: [UInt8]
    /// What the peer got, as it came.
    var rawWritten: [UInt8]
    /// Whether the subject had ended its side once the stream was delivered.
    var closed: Bool
    /// Whether the application ended its side itself, at any time.
    var hasEnded = false
    /// Whether the subject gave up what was still to be sent: it aborted or reset the connection.
    var hasAborted = false
    /// The callbacks that the protocol got, from first to last.
    var callbacks: CallbackSequence
    /// How the callbacks broke their grammar.
    var grammarViolation: String?
    /// Errors that reached the loop's exception handler.
    var exceptions: [String] = []
    /// Waits that reached their limits.
    var overdue: [String] = []
    /// What the peer's TLS could not make sense of.
    var tlsFault: String?
}

/// How long a replay may wait.
public struct ReplayLimits: Sendable, Hashable {
    /// For a step on a real loop (a piece taken, an answer sent, the connection gone), in wall-clock time.
    public var stepDeadline: Duration = .seconds(5)
    /// Turns of a memory loop for one step.
    public var memoryTurns = 100_000
    /// How far a memory loop's clock goes at most until a connection is gone.
    public var memoryPatience: Duration = .seconds(600)
    /// A fixture's `!wait` lasts at most so long on a real loop.
    public var waitCap: Duration = .milliseconds(20)
    /// Idle turns in a row after which nothing moves any more.
    public var idleTurns = 3

    /// The defaults.
    public static let standard = ReplayLimits()

    /// The defaults, to be changed.
    public init() {}
}

/// Replays one fixture over a protocol; kept for all cuts of a cell.
protocol ProtocolReplayer: AnyObject {
    /// One replay from connect to `connectionLost`.
    func replay(_ cut: Cut) throws -> ReplayOutcome
    /// Gives back what it holds.
    func finish()
}

/// What a replay does, step by step: the cut applied to one side's stream.
enum ReplayStep {
    /// Sends these bytes of the delivered stream in one piece.
    case piece(Range<Int>)
    /// Something else that the peer does.
    case control(Fixture.Control)
    /// The peer begins to read.
    case open

    /// Whether it is the orderly end of the peer's side.
    var isEnd: Bool { if case .control(.fin) = self { true } else { false } }

    /// The steps of `cut`; controls of the recording come once what preceded them is delivered.
    static func steps(_ cut: Cut, stream: SideStream, deliveredCount: Int) -> [ReplayStep] {
        var steps: [ReplayStep] = []
        var marks = cut.mutation == nil ? stream.marks[...] : stream.marks.filter { $0.control == .fin }[...]
        var blockedUntil = cut.blockedUntil
        func due(_ offset: Int) {
            if let limit = blockedUntil, offset >= limit {
                steps.append(.open)
                blockedUntil = nil
            }
            while let mark = marks.first, mark.offset <= offset, mark.control != .fin, mark.control != .rst {
                steps.append(.control(mark.control))
                marks.removeFirst()
            }
        }
        due(0)
        for piece in cut.pieces(count: deliveredCount) {
            steps.append(.piece(piece))
            due(piece.upperBound)
        }
        switch cut.ending {
        case .recorded: if let last = marks.last { steps.append(.control(last.control)) }
        case .eof: steps.append(.control(.fin))
        case .reset: steps.append(.control(.rst))
        }
        return steps
    }
}
