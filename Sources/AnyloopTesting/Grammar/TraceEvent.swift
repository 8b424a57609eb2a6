import AnyloopCore

/// One entry of a normalised trace: what a protocol saw, without what differs from loop to loop.
public enum TraceEvent: Hashable, Sendable, CustomStringConvertible {
    /// `connectionMade`
    case made
    /// All bytes that came in a row, however they were cut.
    case data([UInt8])
    /// `pauseWriting`
    case pause
    /// `resumeWriting`
    case resume
    /// `eofReceived`
    case eof
    /// `connectionLost`, with the cause in its normalised form (`TraceEvent.cause`); nil for none.
    case lost(String?)
    /// `datagramReceived`
    case datagram([UInt8])
    /// `errorReceived`, with the cause in its normalised form.
    case error(String)

    /// A cause without texts that differ: `errno 104`, `callback dataReceived`, `cancelled`, `timed out`…
    public static func cause(_ error: TransportError) -> String {
        switch error {
        case .system(let error): "errno \(error.errno)"
        case .callback(let name, _): "callback \(name)"
        case .timedOut: "timed out"
        case .cancelled: "cancelled"
        case .resolution: "resolution"
        case .several: "several"
        case .usage: "usage"
        case .tls(let error): "tls \(error.kind)"
        case .loopClosed: "loop closed"
        }
    }

    /// Short and on one line; bytes as escaped ASCII, at most 64 of them.
    public var description: String {
        switch self {
        case .made: "made"
        case .data(let bytes): "data \(TraceEvent.quote(bytes))"
        case .pause: "pause"
        case .resume: "resume"
        case .eof: "eof"
        case .lost(let cause): cause.map { "lost (\($0))" } ?? "lost"
        case .datagram(let bytes): "datagram \(TraceEvent.quote(bytes))"
        case .error(let cause): "error (\(cause))"
        }
    }

    private static func quote(_ bytes: [UInt8]) -> String {
        var text = "\""
        for byte in bytes.prefix(64) {
            switch byte {
            case UInt8(ascii: "\r"): text += "\\r"
            case UInt8(ascii: "\n"): text += "\\n"
            case UInt8(ascii: "\""): text += "\\\""
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return bytes.count > 64 ? text + "\"… (\(bytes.count) bytes)" : text + "\""
    }
}

/// A normalised trace that merges adjacent data as it grows.
public struct Trace: Hashable, Sendable {
    /// The events so far.
    public private(set) var events: [TraceEvent] = []
    // The data of the event being grown, kept apart so that appending does not copy what is there.
    private var pending: [UInt8] = []

    /// An empty trace.
    public init() {}

    /// Adds bytes to the last event if it is data, else begins one.
    public mutating func append(data: Span<UInt8>) {
        unsafe data.withUnsafeBufferPointer { unsafe pending.append(contentsOf: $0) }
    }

    /// Adds `event`.
    public mutating func append(_ event: TraceEvent) {
        if case .data(let bytes) = event {
            pending += bytes
            return
        }
        flush()
        events.append(event)
    }

    /// The events, the bytes that came last included.
    public var all: [TraceEvent] {
        pending.isEmpty ? events : events + [.data(pending)]
    }

    /// All received bytes, in one piece.
    public var bytes: [UInt8] {
        all.flatMap { event -> [UInt8] in
            if case .data(let bytes) = event { bytes } else { [] }
        }
    }

    private mutating func flush() {
        guard !pending.isEmpty else { return }
        events.append(.data(pending))
        pending = []
    }
}
