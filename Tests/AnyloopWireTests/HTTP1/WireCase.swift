import AnyloopWire
import Testing

/// A stream, and what RFC 9110 or 9112 says must come of it.
struct WireCase: Sendable, CustomTestStringConvertible {
    /// The section that says so, and what it is about.
    let spec: String
    var stream: [UInt8]
    /// Lines of a transcript; an error without a place matches any place.
    let expected: [String]
    var role = HTTP1Parser.Role.requests
    var methods: [HTTP1Method] = []
    var limits = HTTP1Limits.standard
    var leniency: HTTP1Leniency = []
    var switches = false
    var ends = false

    var testDescription: String { spec }

    var transcript: Transcript {
        Transcript(
            role: role, limits: limits, leniency: leniency, methods: methods, switches: switches, ends: ends)
    }

    /// Whether `log` is what is expected.
    func accepts(_ log: [String]) -> Bool {
        guard log.count == expected.count else { return false }
        for (line, wanted) in zip(log, expected) where line != wanted {
            guard wanted.hasPrefix("error "), line.hasPrefix(wanted + " @") else { return false }
        }
        return true
    }

    /// What a server must make of requests.
    static func request(
        _ spec: String, _ stream: String, _ expected: [String], leniency: HTTP1Leniency = [],
        switches: Bool = false, ends: Bool = false
    ) -> WireCase {
        WireCase(
            spec: spec, stream: Array(stream.utf8), expected: expected, leniency: leniency, switches: switches,
            ends: ends)
    }

    /// A request that must be refused; what comes before the error isn't part of the case.
    static func refused(_ spec: String, _ stream: String, _ code: HTTP1ErrorCode) -> WireCase {
        WireCase(spec: spec, stream: Array(stream.utf8), expected: ["error " + code.rawValue])
    }

    /// What a client must make of responses to `methods`.
    static func response(
        _ spec: String, to methods: [HTTP1Method] = [.get], _ stream: String, _ expected: [String],
        leniency: HTTP1Leniency = [], ends: Bool = false
    ) -> WireCase {
        WireCase(
            spec: spec, stream: Array(stream.utf8), expected: expected, role: .responses, methods: methods,
            leniency: leniency, ends: ends)
    }
}
