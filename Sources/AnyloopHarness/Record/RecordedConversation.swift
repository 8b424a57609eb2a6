/// What went over one recorded connection, in the order in which the recorder saw it.
public struct RecordedConversation: Sendable {
    /// The connection's number, from 1, in the order of acceptance.
    public let number: Int
    /// Each read of the recorder as bytes with a boundary behind it, and the ends.
    public internal(set) var steps: [Fixture.Step] = []
    /// Why it is incomplete, in one sentence; nil if it is not.
    public internal(set) var flaw: String?
    private(set) var byteCount = 0
    private var ended: Set<Fixture.Direction> = []

    init(number: Int) {
        self.number = number
    }

    mutating func append(_ direction: Fixture.Direction, _ bytes: [UInt8]) {
        // Where the direction changes the boundary goes without saying.
        if case .bytes(direction, _)? = steps.last { steps.append(.boundary) }
        steps.append(.bytes(direction, bytes))
        byteCount += bytes.count
    }

    mutating func append(_ direction: Fixture.Direction, _ control: Fixture.Control) {
        if control == .fin || control == .rst {
            // A side that has ended and then resets, because it is sent more, ends no second time.
            guard !ended.contains(direction) else { return }
            ended.insert(direction)
        }
        steps.append(.control(direction, control))
    }

    /// The same steps with the values of the named fields hidden.
    public func redacted(_ redaction: Redaction) -> RecordedConversation {
        var copy = self
        for direction in [Fixture.Direction.fromClient, .fromServer] {
            var all: [UInt8] = []
            for case .bytes(direction, let bytes) in steps { all += bytes }
            redaction.hide(in: &all)
            var offset = 0
            for (index, step) in copy.steps.enumerated() {
                guard case .bytes(direction, let bytes) = step else { continue }
                copy.steps[index] = .bytes(direction, Array(all[offset..<offset + bytes.count]))
                offset += bytes.count
            }
        }
        return copy
    }
}

/// Hides the values of fields without changing their length.
public struct Redaction: Sendable, Hashable {
    /// The fields' names in lower case.
    public let fields: [String]

    /// Hides the fields of these names, in any case.
    public init(fields: [String]) {
        self.fields = fields.map { $0.lowercased() }
    }

    /// The words for the fixture's `redact` lines.
    public var words: [String] { fields.map { "\($0)=same-length" } }

    /// Replaces each letter and digit of the values by `x`; the word before a space (an authentication scheme) stays.
    func hide(in bytes: inout [UInt8]) {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            if let colon = bytes[start..<end].firstIndex(of: UInt8(ascii: ":")),
                fields.contains(String(decoding: bytes[start..<colon], as: UTF8.self).lowercased())
            {
                hideValue(&bytes, colon + 1..<end)
            }
            start = end + 1
        }
    }

    private func hideValue(_ bytes: inout [UInt8], _ range: Range<Int>) {
        let space = UInt8(ascii: " ")
        guard let first = bytes[range].firstIndex(where: { $0 != space }) else { return }
        let word = bytes[first..<range.upperBound].firstIndex(of: space) ?? range.upperBound
        let isScheme = word < range.upperBound && !bytes[first..<word].contains(UInt8(ascii: "="))
        for index in (isScheme ? word : first)..<range.upperBound {
            switch bytes[index] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: bytes[index] = UInt8(ascii: "x")
            default: break
            }
        }
    }
}
