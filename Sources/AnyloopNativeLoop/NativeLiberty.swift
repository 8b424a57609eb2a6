/// A point in which our loops do otherwise than asyncio's contract says, and why.
///
/// `NativeLiberty.all` is the whole list: whatever else differs is a fault. Each has a test that shows it, by its
/// id, and ARCHITECTURE.md prints the list.
public struct NativeLiberty: Sendable, CustomStringConvertible {
    /// Who takes the liberty.
    public enum Scope: String, Sendable {
        /// `NativeLoop` only; `CompatLoop` does as asyncio.
        case native
        /// Both loops: a matter of the language, of safety, or of what CPython itself changed later.
        case both
    }

    /// A short name, unique in the list.
    public let id: String
    /// The rules of asyncio's contract that it touches.
    public let rules: [Int]
    /// Who takes it.
    public let scope: Scope
    /// What asyncio does.
    public let asyncio: String
    /// What we do.
    public let ours: String
    /// Why.
    public let reason: String

    /// The id.
    public var description: String { id }

    /// Every liberty there is.
    public static let all: [NativeLiberty] = [
        NativeLiberty(
            id: "made-at-once", rules: [3, 48, 49, 61, 63, 64, 101], scope: .native,
            asyncio: "connectionMade comes from the ready queue, a turn after the transport is made",
            ours: "connectionMade is called where the connection comes up: in the accept's or the connect's event, "
                + "inside adoptConnection",
            reason: "saves every connection two or three queued callbacks"),
        NativeLiberty(
            id: "accept-in-pairs", rules: [53], scope: .native,
            asyncio: "of a batch of accepts all factories run first, then every connectionMade",
            ours: "factory and connectionMade of one connection, then of the next",
            reason: "follows from made-at-once; no order between two connections is promised"),
        NativeLiberty(
            id: "connect-in-one-turn", rules: [48], scope: .native,
            asyncio: "factory in the turn after the connect's event, connectionMade in the one after that",
            ours: "factory, connectionMade and completion in the connect's event",
            reason: "follows from made-at-once; their order is the same"),
        NativeLiberty(
            id: "lost-after-flush-queued", rules: [94], scope: .native,
            asyncio: "connectionLost after a close that had to flush comes straight from the write event",
            ours: "it comes from the ready queue, like every other connectionLost",
            reason: "one way to end; what resumeWriting queues in that event still runs before"),
        NativeLiberty(
            id: "no-datagrams-after-close", rules: [113], scope: .native,
            asyncio: "sendto after close sends as long as the socket is open",
            ours: "the datagram is dropped and counted",
            reason: "whether a late datagram arrives must not depend on how full the socket was"),
        NativeLiberty(
            id: "datagrams-by-budget", rules: [107], scope: .native,
            asyncio: "one datagram for each readable event",
            ours: "up to NativeLoopOptions.datagramBudget of them",
            reason: "a wait for each datagram would halve the rate"),
        NativeLiberty(
            id: "factory-errors-reported", rules: [54], scope: .native,
            asyncio: "a server's factory that raises is reported in debug mode only",
            ours: "it is always reported to the exception handler",
            reason: "an error that nobody hears of helps nobody"),
        NativeLiberty(
            id: "posted-once-a-turn", rules: [18], scope: .native,
            asyncio: "callSoonThreadsafe and callSoon share one queue from the first moment",
            ours: "what is posted joins the queue at the start of the next turn",
            reason: "one look at the lock a turn instead of one for each callback"),
        NativeLiberty(
            id: "equal-deadlines-in-order", rules: [23], scope: .native,
            asyncio: "timers of the same deadline run in the order of a heap",
            ours: "they run in the order in which they were set",
            reason: "asyncio promises no order; this one can be predicted"),
        NativeLiberty(
            id: "closing-ends-transports", rules: [12, 96], scope: .both,
            asyncio: "closing the loop forgets what is open",
            ours: "every protocol gets connectionLost with TransportError.loopClosed",
            reason: "the grammar: after connectionMade, connectionLost comes once"),
        NativeLiberty(
            id: "closing-kills-processes", rules: [12, 118], scope: .both,
            asyncio: "closing the loop leaves child processes running until their transports are collected",
            ours: "it kills them, reaps them and calls connectionLost with TransportError.loopClosed",
            reason: "no process outlives whoever hears of its end, and none is left a zombie"),
        NativeLiberty(
            id: "closed-loop-takes-nothing", rules: [12], scope: .both,
            asyncio: "call_soon and call_later raise on a closed loop",
            ours: "they return a cancelled handle; calls that may throw throw TransportError.loopClosed",
            reason: "scheduling stays free of try"),
        NativeLiberty(
            id: "late-write-reported", rules: [81, 93, 109], scope: .both,
            asyncio: "write after write_eof or during sendfile, and sendto to a wrong address, raise",
            ours: "the bytes are dropped, and the exception handler hears asyncio's error before the call returns",
            reason: "write and send stay free of try"),
        NativeLiberty(
            id: "datagram-misuse-reported", rules: [109, 110], scope: .native,
            asyncio: "sendto raises for a wrong address, and without one on an unconnected endpoint ends it",
            ours: "errorReceived gets TransportError.usage; the endpoint stays open",
            reason: "one bad datagram is no reason to lose the endpoint"),
        NativeLiberty(
            id: "end-told-once", rules: [70, 71, 72, 73], scope: .native,
            asyncio: "after a kept end of stream, pauseReading and resumeReading have eofReceived called again",
            ours: "eofReceived comes once",
            reason: "the grammar; a stream ends once"),
        NativeLiberty(
            id: "tls-alert-sent", rules: [120], scope: .both,
            asyncio: "a TLS handshake that fails drops the connection, and with it the alert that says why",
            ours: "the alert is sent, and the peer has a second to read it",
            reason: "the peer's error names the reason instead of an end or a reset"),
        NativeLiberty(
            id: "tls-application-protocol-required", rules: [122], scope: .both,
            asyncio: "without an application protocol in common the handshake goes on, and none is chosen",
            ours: "a server with application protocols refuses (no_application_protocol)",
            reason: "RFC 7301 says so; protocols cannot be confused with each other (ALPACA)"),
        NativeLiberty(
            id: "tls-name-required", rules: [122, 130], scope: .both,
            asyncio: "start_tls without a name, or with an empty one, checks none, whatever the context says",
            ours: "TransportError.usage, unless the context does not check names",
            reason: "a check that was asked for must not be left out in silence"),
        NativeLiberty(
            id: "tls-buffers-counted-whole", rules: [125], scope: .both,
            asyncio: "bytes that the transport below TLS holds do not count against the watermarks",
            ours: "they count, so that one large write may call pauseWriting",
            reason: "the limits are about memory, wherever it is"),
        NativeLiberty(
            id: "tls-late-bytes-dropped", rules: [126], scope: .both,
            asyncio: "bytes that come after close end the connection with APPLICATION_DATA_AFTER_CLOSE_NOTIFY",
            ours: "they are dropped until the peer's close_notify",
            reason: "a peer that was still sending has done nothing wrong"),
        NativeLiberty(
            id: "tls-clients-closed-in-order", rules: [126], scope: .both,
            asyncio: "Server.close_clients closes TCP under TLS, without close_notify",
            ours: "it closes the TLS connections",
            reason: "peers must not take it for a truncation"),
        NativeLiberty(
            id: "tls-truncation-told", rules: [128], scope: .both,
            asyncio: "an end without close_notify is an end like any other",
            ours:
                "connectionLost gets TransportError.tls (.truncated); TLSConnectionOptions.truncation is asyncio's way",
            reason: "whoever cuts a connection must not be able to shorten a message unnoticed"),
    ]

    /// The list as a table in Markdown.
    public static var table: String {
        let head = "| id | who | rules | asyncio | ours | why |\n|---|---|---|---|---|---|\n"
        return head
            + all.map { liberty in
                let rules = liberty.rules.map(String.init).joined(separator: ", ")
                return "| \(liberty.id) | \(liberty.scope) | \(rules) | \(liberty.asyncio) | \(liberty.ours) "
                    + "| \(liberty.reason) |\n"
            }.joined()
    }
}
