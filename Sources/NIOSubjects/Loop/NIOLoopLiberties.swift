import AnyloopHarness
import AnyloopSubjects
import NIOBridge

/// What `NIOLoop` may do otherwise than asyncio's recordings.
enum NIOLoopLiberties {
    /// Native mode's, for callbacks come straight from the events in both, and NIO's own.
    ///
    /// But for one: what a close had to flush is told of as asyncio does it, because `resumeWriting` is queued as well.
    static let all: [AsyncioLiberty] =
        LoopLiberty.taken(byNative: true).filter { $0.id != "lost-after-flush-queued" } + own

    /// Those of `NIOLiberty.all`, with what each may change in a trace.
    static let own: [AsyncioLiberty] = NIOLiberty.all.map { liberty in
        AsyncioLiberty(
            id: liberty.id, rules: liberty.rules, asyncio: liberty.native, ours: liberty.ours,
            reason: liberty.reason, effects: table[liberty.id]?.effects ?? [])
    }

    /// A scenario that differs without the liberty; nil where no trace shows it (a test does, `NIOLibertyTests`).
    static func scenario(_ id: String) -> String? { table[id]?.scenario }

    private static let table: [String: (effects: [AsyncioLiberty.Effect], scenario: String)] = [
        "looks-after-the-queue": (
            [
                // Who hears of that byte, the protocol before or after `set_protocol`, and before or after a pause.
                .omits(["C data_received \"x\"", "T data_received \"x\""]),
                .adds(["C data_received \"x\"", "T data_received \"x\""]),
            ], "asyncio/orders/set-protocol"
        ),
        "socket-closed-at-once": ([.adds(["p.send !EPIPE"])], "asyncio/ending/lost-is-last"),
        "resets-by-one-name": (
            [.replaces("C connection_lost EPIPE", by: "C connection_lost ECONNRESET")],
            "asyncio/ending/peer-closes-while-flushing"
        ),
        "read-before-the-buffer": (
            [.replaces("p received nothing then ECONNRESET", by: "p received nothing then eof")],
            "asyncio/errors/get-buffer-raises"
        ),
        "portions-of-swiftnio": (
            [
                .omits(["C data_received * bytes sha256:*"]), .adds(["C data_received * bytes sha256:*"]),
                .once(["mark call"]),
            ], "asyncio/reading/chunk-max"
        ),
        "failed-file-ends": (
            [
                .omits(["S0 eof_received"]),
                .replaces("S0 connection_lost", by: "S0 connection_lost ECONNRESET"),
            ], "asyncio/sendfile/transport-peer-gone"
        ),
    ]
}
