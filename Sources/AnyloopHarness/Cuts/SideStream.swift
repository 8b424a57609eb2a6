/// What one side of a conversation reads: the peer's bytes, where they were cut, and what else the peer did.
public struct SideStream: Sendable, Hashable {
    /// Something the peer did apart from sending, after `offset` bytes.
    public struct Mark: Sendable, Hashable {
        /// How many bytes came before.
        public var offset: Int
        /// What it did.
        public var control: Fixture.Control
    }

    /// All bytes.
    public var bytes: [UInt8]
    /// Where segments ended as recorded; ascending, none at 0 or at the end.
    public var boundaries: [Int]
    /// What else the peer did, in order; `fin` and `rst` can only be the last.
    public var marks: [Mark]

    /// A stream by its parts.
    public init(bytes: [UInt8], boundaries: [Int] = [], marks: [Mark] = []) {
        self.bytes = bytes
        self.boundaries = boundaries
        self.marks = marks
    }

    /// Whether the recording ends with the peer's end of stream.
    public var endsWithFin: Bool { marks.last?.control == .fin }

    /// Whether the recording ends with a reset.
    public var endsWithReset: Bool { marks.last?.control == .rst }
}

extension Fixture {
    /// What `side` reads. A segment ends at a `|`, where the direction changes, and at a control.
    public func stream(for side: Side) -> SideStream {
        var stream = SideStream(bytes: [])
        func boundary() {
            let offset = stream.bytes.count
            if offset > 0, stream.boundaries.last != offset { stream.boundaries.append(offset) }
        }
        for step in steps {
            switch step {
            case .bytes(let direction, let bytes):
                if direction == side.reads { stream.bytes += bytes } else { boundary() }
            case .boundary:
                boundary()
            case .control(let direction, let control):
                boundary()
                if direction == side.reads {
                    stream.marks.append(SideStream.Mark(offset: stream.bytes.count, control: control))
                }
            }
        }
        if stream.boundaries.last == stream.bytes.count { stream.boundaries.removeLast() }
        return stream
    }
}
