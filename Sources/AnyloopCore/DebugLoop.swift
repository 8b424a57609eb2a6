/// A loop that can watch its own use (asyncio: debug mode, rules 17, 19 to 21).
///
/// In debug mode `callSoon` and `callAt` of another thread while the loop runs are refused: the handle comes back
/// cancelled, and the exception handler hears of it on the loop's thread (rule 19; asyncio raises).
public protocol DebugLoop: Loop {
    /// Whether callbacks are timed and the calling thread is checked (asyncio: `get_debug`, `set_debug`).
    ///
    /// On from the start where the environment has a non-empty `ANYLOOP_DEBUG`.
    var isDebug: Bool { get set }

    /// In debug mode, callbacks that take as long or longer are logged (asyncio: `slow_callback_duration`); 100 ms.
    var slowCallbackDuration: Duration { get set }

    /// Told what asyncio tells its logger; nil prints warnings and errors to standard error, and the rest nowhere.
    var logHandler: ((LoopLogRecord) -> Void)? { get set }

    /// Writes a line to the log: tells `logHandler`, or does what happens without one (asyncio: its logger).
    func log(_ record: LoopLogRecord)
}

extension DebugLoop {
    /// Tells `logHandler`.
    public func log(_ record: LoopLogRecord) { logHandler?(record) }
}

/// A line for the log, in asyncio's words where asyncio logs in the same case.
public struct LoopLogRecord: Hashable, Sendable {
    /// How grave it is.
    public enum Level: String, Sendable, Comparable {
        /// For those who look for a fault.
        case debug = "DEBUG"
        /// What happened.
        case info = "INFO"
        /// What should not happen, and did no harm yet.
        case warning = "WARNING"
        /// What went wrong.
        case error = "ERROR"

        /// By gravity.
        public static func < (left: Level, right: Level) -> Bool { left.gravity < right.gravity }

        private var gravity: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }
    }

    /// How grave it is.
    public let level: Level
    /// What happened; further lines, where there are any, say to whom.
    public let message: String

    /// A line for the log.
    public init(level: Level, message: String) {
        self.level = level
        self.message = message
    }
}
