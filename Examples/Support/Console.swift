import Synchronization

/// What the examples print: on the terminal, and kept for the tests.
enum Console {
    private static let kept = Mutex<[String]>([])

    /// The lines since the last `take()`.
    static var lines: [String] { kept.withLock { $0 } }

    /// The lines since the last call.
    static func take() -> [String] {
        kept.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    static func add(_ line: String) {
        kept.withLock { $0.append(line) }
        Swift.print(line)
    }
}

/// Stands in the place of Swift's `print` here, so that the tests see what the examples say.
func print(_ line: String) { Console.add(line) }
