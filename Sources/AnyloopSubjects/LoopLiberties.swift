package import AnyloopHarness
import AnyloopNativeLoop

/// What our loops' liberties may change in a trace, and a scenario that needs each.
package struct LoopLiberty: Sendable {
    /// As it is documented.
    let liberty: NativeLiberty
    /// What may differ in a trace; empty where the languages' difference is met by the player.
    let effects: [AsyncioLiberty.Effect]
    /// A scenario that differs without it; nil where no trace shows it (a test does, `LibertyTests`).
    let scenario: String?

    /// All of `NativeLiberty.all`.
    static let all: [LoopLiberty] = NativeLiberty.all.map { liberty in
        let entry = table[liberty.id]
        return LoopLiberty(liberty: liberty, effects: entry?.effects ?? [], scenario: entry?.scenario)
    }

    /// Those that a loop of native mode takes, or else one of compat mode.
    package static func taken(byNative isNative: Bool) -> [AsyncioLiberty] {
        all.filter { isNative || $0.liberty.scope == .both }.map(\.asyncio)
    }

    private var asyncio: AsyncioLiberty {
        AsyncioLiberty(
            id: liberty.id, rules: liberty.rules, asyncio: liberty.asyncio, ours: liberty.ours, reason: liberty.reason,
            effects: effects)
    }

    private static let table: [String: (effects: [AsyncioLiberty.Effect], scenario: String)] = [
        "made-at-once": ([.turns, .actors], "asyncio/reading/data-before-made"),
        "accept-in-pairs": ([.turns, .actors], "asyncio/orders/accepts"),
        "connect-in-one-turn": ([.turns, .actors], "asyncio/connecting/two-at-once"),
        "lost-after-flush-queued": ([.turns], "asyncio/orders/close-flushes"),
        "no-datagrams-after-close": (
            [
                .replaces("u received [\"late\" from D]", by: "u received []"),
                .replaces("u received [16 times * from D]", by: "u received [6 times * from D]"),
            ], "asyncio/datagrams/sendto-after-close"
        ),
        "datagrams-by-budget": ([.turns, .actors], "asyncio/datagrams/one-a-turn"),
        "factory-errors-reported": (
            [.adds(["handler \"Error on transport creation for incoming connection\" *"])],
            "asyncio/errors/factory-raises-serve"
        ),
        "posted-once-a-turn": ([.anyOrder(["mark *"])], "asyncio/threads/same-queue"),
        "equal-deadlines-in-order": ([.anyOrder(["mark *"])], "asyncio/timers/equal-deadlines"),
        "end-told-once": (
            [.once(["* eof_received", "*.pause_reading"])], "asyncio/reading/resume-after-kept-eof"
        ),
        "datagram-misuse-reported": (
            [
                .replaces(
                    "D.sendto (inside: 1)",
                    by: "D.sendto !RuntimeError \"this endpoint has no peer; name an address to send to\""),
                .omits(["handler \"Fatal write error on datagram transport\" *", "D connection_lost TypeError *"]),
                .replaces("D.is_closing = true", by: "D.is_closing = false"),
            ], "asyncio/datagrams/unconnected-without-address"
        ),
    ]
}
