import Foundation
import Synchronization

/// A value that one thread sets and another waits for.
final class Shared<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func set(_ value: Value) { self.value.withLock { $0 = value } }

    /// The value, waited for for at most 10 s.
    func wait() throws -> Value {
        for _ in 0..<2000 {
            if let found = value.withLock({ $0 }) { return found }
            usleep(5000)
        }
        throw Background.TookTooLong()
    }
}
