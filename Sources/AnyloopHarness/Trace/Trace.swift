/// What was seen in one replay, in a form that compares byte by byte.
public struct Trace: Sendable, Hashable {
    /// The events: a kind, then its parts, each behind a tag and a length of three bytes.
    public let encoded: [UInt8]
    /// The bytes of `body` and `surplus` events in order, where the recorder kept them; not compared.
    public let bodies: [[UInt8]]

    /// A trace as the recorder wrote it.
    init(encoded: [UInt8], bodies: [[UInt8]]) {
        self.encoded = encoded
        self.bodies = bodies
    }

    /// A trace without events.
    public static let empty = Trace(encoded: [], bodies: [])

    /// Whether two traces hold the same events.
    public static func == (left: Trace, right: Trace) -> Bool { left.encoded == right.encoded }

    /// Feeds the events to the hasher.
    public func hash(into hasher: inout Hasher) { hasher.combine(encoded) }

    /// A short name for the events: equal for equal traces, on every machine.
    public var digest: UInt64 {
        var hash = BodyHash()
        hash.update(encoded.span)
        return hash.value
    }

    /// The events, taken apart.
    public var events: [TraceEvent] {
        var events: [TraceEvent] = []
        var bodyIndex = 0
        var position = 0
        while position + 4 <= encoded.count {
            let tag = encoded[position]
            let length =
                Int(encoded[position + 1]) | Int(encoded[position + 2]) << 8 | Int(encoded[position + 3]) << 16
            position += 4
            if let kind = TraceKind(rawValue: tag) {
                events.append(TraceEvent(kind: kind))
            } else if var event = events.popLast() {
                let part = encoded[position..<min(encoded.count, position + length)]
                if event.kind == .body || event.kind == .surplus, part.count == 16 {
                    event.count = Int(truncatingIfNeeded: number(part.prefix(8)))
                    event.digest = number(part.suffix(8))
                    if bodyIndex < bodies.count { event.parts = [bodies[bodyIndex]] }
                    bodyIndex += 1
                } else {
                    event.parts.append(Array(part))
                }
                events.append(event)
            }
            position += length
        }
        return events
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
