import AnyloopWire
import Foundation
import Synchronization

/// The value of `Date` (RFC 9110 §6.6.1), made anew once a second at most.
final class ResponseDate: Sendable {
    private let cached = Mutex((second: Int.min, text: ""))

    /// Now.
    var text: String { text(at: Int(Date().timeIntervalSince1970.rounded(.down))) }

    /// `second`, counted from 1970 on.
    func text(at second: Int) -> String {
        cached.withLock { cached in
            if cached.second != second { cached = (second, HTTP1Date.string(second)) }
            return cached.text
        }
    }
}
