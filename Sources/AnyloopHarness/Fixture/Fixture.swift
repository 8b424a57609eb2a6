/// One recorded or written conversation, with what must come of it (a `.wire` file).
///
/// Made by `Fixture.parse`; the format is described in `WireParser`.
public struct Fixture: Sendable {
    /// Whose place the subject takes: the reader of the client's bytes, or the reader of the server's.
    public enum Side: String, Sendable, Hashable, CaseIterable, Codable {
        /// Reads what the client sent (`>`).
        case server
        /// Reads what the server sent (`<`).
        case client

        /// The direction of the bytes that this side reads.
        public var reads: Direction { self == .server ? .fromClient : .fromServer }
    }

    /// Who sent something.
    public enum Direction: Character, Sendable, Hashable {
        /// The client, written `>`.
        case fromClient = ">"
        /// The server, written `<`.
        case fromServer = "<"
    }

    /// What a peer does apart from sending bytes.
    public enum Control: Sendable, Hashable {
        /// Ends its side of the stream (`!fin`).
        case fin
        /// Resets the connection (`!rst`).
        case rst
        /// Stops reading, so that our writes back up (`!pause`).
        case pause
        /// Reads again (`!resume`).
        case resume
        /// Lets time pass (`!wait(10ms)`).
        case wait(Duration)
    }

    /// One step of the conversation, in the order of the file.
    public enum Step: Sendable, Hashable {
        /// Bytes that were sent; adjacent ones of one direction belong together.
        case bytes(Direction, [UInt8])
        /// The end of a segment as recorded (`|`).
        case boundary
        /// Something else that the peer did.
        case control(Direction, Control)
    }

    /// A section of a specification and how binding it is.
    public struct Spec: Sendable, Hashable {
        /// The section, such as `RFC9112#7.1`.
        public var section: String
        /// `MUST`, `MUST NOT`, `SHOULD`, `SHOULD NOT`, `MAY`; nil where the line gives none.
        public var level: String?

        /// A section and how binding it is.
        public init(section: String, level: String? = nil) {
            self.section = section
            self.level = level
        }
    }

    /// The file it was read from, as it was named.
    public var file: String
    /// Its name: the path under `Fixtures/` without `.wire`.
    public var id: String
    /// The sections that it is about.
    public var specs: [Spec]
    /// Where it comes from: `written …` or `recorded …`.
    public var source: String
    /// The command that made a recording.
    public var command: String?
    /// Whose views the expectations are.
    public var oracle: String?
    /// What was redacted, and how.
    public var redactions: [String]
    /// The methods of the requests that `<` answers, in order; empty: all GET.
    public var requests: [String]
    /// What it is about; the first is the protocol.
    public var tags: [String]
    /// One line of prose.
    public var title: String
    /// What happened on the wire.
    public var steps: [Step]
    /// What a reader of `>` must make of it; nil if that is not judged.
    public var server: Expectation?
    /// What a reader of `<` must make of it; nil if that is not judged.
    public var client: Expectation?

    /// The protocol: the first tag.
    public var protocolTag: String { tags.first ?? "" }

    /// Whether it was recorded from real software rather than written by hand.
    public var isRecorded: Bool { source.hasPrefix("recorded") }

    /// The expectation for one side.
    public func expectation(_ side: Side) -> Expectation? { side == .server ? server : client }

    /// Whether the application on `side` accepts an Upgrade or CONNECT: iff the first alternative has `upgrade`.
    public func acceptsUpgrade(_ side: Side) -> Bool {
        expectation(side)?.alternatives.first?.events?.contains(.upgrade) ?? false
    }

    /// The folder of the id, by which the grid groups: `http1/chunked` for `http1/chunked/bare-lf-size`.
    public var group: String {
        guard let slash = id.lastIndex(of: "/") else { return id }
        return String(id[..<slash])
    }
}
