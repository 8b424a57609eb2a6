/// Field lines that are checked and formatted once, to be written any number of times: common fields, or trailers.
public struct HTTP1FieldLines: Sendable {
    /// The lines with their line ends.
    private(set) var bytes: [UInt8] = []
    /// The first name that may not be a trailer.
    private(set) var forbiddenTrailer: String?

    /// No lines.
    public init() {}

    /// Whether there are no lines.
    public var isEmpty: Bool { bytes.isEmpty }

    /// Adds a line; refuses what isn't a token, control characters, and the fields of framing and connection.
    public mutating func append(_ name: String, _ value: String) throws(HTTP1EncodingError) {
        let span = name.utf8.span
        for reserved in ["content-length", "transfer-encoding", "connection", "host"]
        where span.equalsIgnoringCase(reserved.utf8.span) {
            throw .reservedField(name)
        }
        if let error = Self.append(span, value.utf8.span, to: &bytes) { throw error }
        if forbiddenTrailer == nil, HTTP1FieldName.isForbiddenInTrailers(span) { forbiddenTrailer = name }
    }

    /// Forgets all lines, and keeps the storage.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        forbiddenTrailer = nil
    }

    /// Appends one line to `out`, or gives the reason why not.
    @inline(__always)
    static func append(_ name: Span<UInt8>, _ value: Span<UInt8>, to out: inout [UInt8]) -> HTTP1EncodingError? {
        guard !name.isEmpty, name.first(notIn: .token, from: 0, to: name.count) == name.count else {
            return .badFieldName
        }
        guard value.firstControl(from: 0) == value.count else {
            return .badFieldValue(name.string(0..<name.count))
        }
        out.append(name)
        out.append(": ")
        out.append(value)
        out.append("\r\n")
        return nil
    }
}
