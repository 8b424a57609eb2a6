/// A point in which `NIOLoop` does otherwise than `NativeLoop`, and why.
///
/// The liberties of native mode (`NativeLiberty`) are SwiftNIO's mode's, too, for the callbacks of both come straight
/// from the events. `NIOLiberty.all` is the whole list of what comes on top: whatever else differs is a fault. Each has
/// a test that shows it, and ARCHITECTURE.md prints the list.
public struct NIOLiberty: Sendable, CustomStringConvertible {
    /// A short name, unique in the list and among native mode's.
    public let id: String
    /// The rules of asyncio's contract that it touches.
    public let rules: [Int]
    /// What asyncio and `NativeLoop` do.
    public let native: String
    /// What `NIOLoop` does.
    public let ours: String
    /// Why.
    public let reason: String

    /// The id.
    public var description: String { id }

    /// Every liberty there is.
    public static let all: [NIOLiberty] = [
        NIOLiberty(
            id: "looks-after-the-queue", rules: [3, 68, 101],
            native: "a turn looks at the sockets, runs what was queued before, and then delivers what it saw",
            ours: "it runs what was queued before, then looks and delivers: also what came while the queue ran",
            reason: "SwiftNIO delivers as it looks; who pauses in a later turn pauses what comes after that"),
        NIOLiberty(
            id: "socket-closed-at-once", rules: [95, 97],
            native: "the socket stays open until connectionLost has been called",
            ours: "it is closed at once, and connectionLost comes in the next turn",
            reason: "to hold a channel back from reading what it is about to drop costs a system call"),
        NIOLiberty(
            id: "resets-by-one-name", rules: [84, 94],
            native: "what breaks a connection while its bytes wait is named as send does: EPIPE after the peer's end",
            ours: "it is ECONNRESET",
            reason: "SwiftNIO finds it by the poller, not by sending, and names it so"),
        NIOLiberty(
            id: "read-before-the-buffer", rules: [105, 106],
            native: "a buffered protocol is asked for its buffer before anything is read",
            ours: "it is asked when something has been read: if it fails, the peer sees an end instead of a reset",
            reason: "SwiftNIO reads into buffers of its own; one copy more than on our loop"),
        NIOLiberty(
            id: "portions-of-swiftnio", rules: [65],
            native: "dataReceived brings what one receive of up to 256 KiB did",
            ours: "SwiftNIO chooses the sizes, by what came before",
            reason: "its buffers grow and shrink with a connection's traffic; a stream has no portions"),
        NIOLiberty(
            id: "failed-file-ends", rules: [93],
            native: "a file that cannot be sent is the completion's error; reading goes on until it fails, or ends",
            ours: "connectionLost follows with the same error",
            reason: "SwiftNIO closes a channel that it cannot write to"),
        NIOLiberty(
            id: "one-loop-a-thread", rules: [11],
            native: "a thread may have several loops, of which one runs at a time",
            ours: "a thread has one NIOLoop at most until that is closed; making a second throws TransportError.usage",
            reason: "SwiftNIO has one current event loop for each thread"),
    ]

    /// The list as a table in Markdown.
    public static var table: String {
        let head = "| id | rules | asyncio and native | nio | why |\n|---|---|---|---|---|\n"
        return head
            + all.map { liberty in
                let rules = liberty.rules.map(String.init).joined(separator: ", ")
                return "| \(liberty.id) | \(rules) | \(liberty.native) | \(liberty.ours) | \(liberty.reason) |\n"
            }.joined()
    }
}
