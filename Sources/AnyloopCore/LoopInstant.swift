/// A point on a loop's monotonic clock.
///
/// Nanoseconds since a zero that only the loop knows; instants of different loops do not compare.
/// (asyncio: `loop.time()`, rule 22.)
public struct LoopInstant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock's zero.
    public var nanoseconds: Int64

    /// The instant that many nanoseconds after the clock's zero.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Orders two instants of one clock.
    @inlinable
    public static func < (left: LoopInstant, right: LoopInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant `duration` later, or the last one there is where that overflows.
    @inlinable
    public static func + (instant: LoopInstant, duration: Duration) -> LoopInstant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.saturatingNanoseconds)
        guard overflow else { return LoopInstant(nanoseconds: sum) }
        return LoopInstant(nanoseconds: duration < .zero ? .min : .max)
    }

    /// The time from `earlier` to `later`; negative if they are the other way round.
    @inlinable
    public static func - (later: LoopInstant, earlier: LoopInstant) -> Duration {
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return .nanoseconds(overflow ? (later < earlier ? .min : .max) : difference)
    }
}

extension Duration {
    /// This duration in whole nanoseconds, held to what an `Int64` can carry (292 years).
    @inlinable
    public var saturatingNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard overflow || carry else { return sum }
        return seconds < 0 ? .min : .max
    }
}
