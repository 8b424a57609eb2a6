/// A scripted exchange between a subject on a real loop and an independent peer: a cell that needs no fixture.
///
/// The peer (curl, nginx) brings its own eyes: what it saw is what is judged.
public struct LiveScenario: Sendable {
    /// Thrown by `run` where this machine lacks what the scenario needs; the cell is skipped, not failed.
    public struct Unsupported: Error, CustomStringConvertible {
        /// What is missing, and the remedy.
        public let description: String

        /// `text` says what is missing, and the remedy.
        public init(_ text: String) {
            description = text
        }
    }

    /// The name by which globs select it, such as `curl/redirect/post-303`.
    public let id: String
    /// One line of prose.
    public let title: String
    /// The subject that is driven, as `--subject` names it.
    public let subject: String
    /// The peer that drives it, as `--executor` names it: `curl`.
    public let executor: String
    /// The rules of asyncio's contract that it checks; empty for other scenarios.
    public let rules: [Int]
    /// The modes in which there is something to run; the matrix has no cell in others.
    public let modes: Set<Mode>
    /// How long it may take before it counts as hung; nil: the matrix's own deadline.
    public let deadline: Duration?
    /// Runs it on a loop that `provider` makes; one sentence a failure, none if all is well.
    public let run: @Sendable (_ provider: LoopProvider) throws -> [String]

    /// A scenario, by default for every mode.
    public init(
        id: String, title: String, subject: String, executor: String, rules: [Int] = [],
        modes: Set<Mode> = Set(Mode.allCases), deadline: Duration? = nil,
        run: @escaping @Sendable (_ provider: LoopProvider) throws -> [String]
    ) {
        self.id = id
        self.title = title
        self.subject = subject
        self.executor = executor
        self.rules = rules
        self.modes = modes
        self.deadline = deadline
        self.run = run
    }
}
