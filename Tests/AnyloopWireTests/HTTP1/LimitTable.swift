import AnyloopWire

private func limited(
    _ spec: String, _ stream: String, _ code: HTTP1ErrorCode?, role: HTTP1Parser.Role = .requests,
    _ change: (inout HTTP1Limits) -> Void
) -> WireCase {
    var limits = HTTP1Limits.standard
    change(&limits)
    return WireCase(
        spec: spec, stream: Array(stream.utf8), expected: code.map { ["error " + $0.rawValue] } ?? [], role: role,
        methods: role == .responses ? [.get] : [], limits: limits)
}

private func text(_ count: Int) -> String { String(repeating: "x", count: count) }

private let fields = "GET / HTTP/1.1\r\nHost: a\r\n"
private let chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
private let response = "HTTP/1.1 200 OK\r\n\r\n"

/// Every limit at its value, where all is well, and one past it.
let limitCases: [WireCase] = [
    limited("request line of 20", "GET /456789 HTTP/1.1\r\nHost: a\r\n\r\n", nil) { $0.requestLine = 20 },
    limited("request line past 20", "GET /4567890 HTTP/1.1\r\nHost: a\r\n\r\n", .requestLineTooLong) {
        $0.requestLine = 20
    },
    limited("request line that never ends", "GET /" + text(30), .requestLineTooLong) { $0.requestLine = 20 },
    limited("request line of 8192", "GET /" + text(8178) + " HTTP/1.1\r\n", nil) { _ in },
    limited("request line past 8192", "GET /" + text(8179) + " HTTP/1.1\r\n", .requestLineTooLong) { _ in },
    limited("status line of 15", response, nil, role: .responses) { $0.requestLine = 15 },
    limited("status line past 14", response, .statusLineTooLong, role: .responses) { $0.requestLine = 14 },
    limited("field line of 10", fields + "A: 4567890\r\n\r\n", nil) { $0.fieldLine = 10 },
    limited("field line past 10", fields + "A: 45678901\r\n\r\n", .headerLineTooLong) { $0.fieldLine = 10 },
    limited("field line past 10 in blanks", fields + "A: 456   " + "  \r\n\r\n", .headerLineTooLong) {
        $0.fieldLine = 10
    },
    limited("field line that never ends", fields + "A: " + text(20), .headerLineTooLong) { $0.fieldLine = 10 },
    limited("field line of 8192", fields + "A: " + text(8189) + "\r\n", nil) { _ in },
    limited("field line past 8192", fields + "A: " + text(8190) + "\r\n", .headerLineTooLong) { _ in },
    limited("3 fields", fields + "A: 1\r\nB: 2\r\n\r\n", nil) { $0.fieldCount = 3 },
    limited("past 3 fields", fields + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", .tooManyHeaders) { $0.fieldCount = 3 },
    limited("head of 34", fields + "A: 12\r\n\r\n", nil) { $0.headSize = 34 },
    limited("head past 34", fields + "A: 123\r\n\r\n", .headTooLarge) { $0.headSize = 34 },
    limited("head past the limit within a line", fields + text(40), .headTooLarge) { $0.headSize = 40 },
    limited("trailers of 10", chunks + "0\r\nA: 123\r\n\r\n", nil) { $0.trailerSize = 10 },
    limited("trailers past 10", chunks + "0\r\nA: 1234\r\n\r\n", .trailersTooLarge) { $0.trailerSize = 10 },
    limited("no trailers", chunks + "0\r\n\r\n", nil) { $0.trailerSize = 2 },
    limited("no trailers past 1", chunks + "0\r\n\r\n", .trailersTooLarge) { $0.trailerSize = 1 },
    limited("trailer line of 26", chunks + "0\r\nA: " + text(23) + "\r\n\r\n", nil) { $0.fieldLine = 26 },
    limited("trailer line past 26", chunks + "0\r\nA: " + text(24) + "\r\n", .headerLineTooLong) { $0.fieldLine = 26 },
    limited("2 trailers", chunks + "0\r\nA: 1\r\nB: 1\r\n\r\n", nil) { $0.fieldCount = 2 },
    limited("past 2 trailers", chunks + "0\r\nA: 1\r\nB: 1\r\nC: 1\r\n\r\n", .tooManyHeaders) { $0.fieldCount = 2 },
    limited("extension of 4", chunks + "1;a=b\r\nx\r\n0;a=b\r\n\r\n", nil) { $0.chunkExtension = 4 },
    limited("extension past 4", chunks + "1;a=bc\r\nx\r\n", .chunkExtensionTooLong) { $0.chunkExtension = 4 },
    limited("extension that never ends", chunks + "1;" + text(300), .chunkExtensionTooLong) { _ in },
    limited("extension of 256", chunks + "1;" + text(255) + "\r\nx\r\n", nil) { _ in },
    limited("extension past 256", chunks + "1;" + text(256) + "\r\nx\r\n", .chunkExtensionTooLong) { _ in },
    limited("size that never ends", chunks + String(repeating: "0", count: 400), .chunkSizeOverflow) { _ in },
    limited("extensions of 6 in all", chunks + "1;ab\r\nx\r\n1;ab\r\nx\r\n", nil) { $0.chunkExtensionTotal = 6 },
    limited("extensions past 6 in all", chunks + "1;ab\r\nx\r\n1;abc\r\nx\r\n", .chunkExtensionTooLong) {
        $0.chunkExtensionTotal = 6
    },
    limited("content of 5", fields + "Content-Length: 5\r\n\r\nabcde", nil) { $0.bodySize = 5 },
    limited("content past 5", fields + "Content-Length: 6\r\n\r\nabcdef", .bodyTooLarge) { $0.bodySize = 5 },
    limited("chunks of 5", chunks + "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", nil) { $0.bodySize = 5 },
    limited("chunks past 5", chunks + "2\r\nab\r\n4\r\ncdef\r\n0\r\n\r\n", .bodyTooLarge) { $0.bodySize = 5 },
    limited("until close, 5", response + "abcde", nil, role: .responses) { $0.bodySize = 5 },
    limited("until close, past 5", response + "abcdef", .bodyTooLarge, role: .responses) { $0.bodySize = 5 },
    limited("3 empty lines", "\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", nil) { $0.leadingEmptyLines = 3 },
    limited("past 3 empty lines", "\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", .badRequestLine) {
        $0.leadingEmptyLines = 3
    },
    limited("no empty line", "\r\nGET / HTTP/1.0\r\n\r\n", .badRequestLine) { $0.leadingEmptyLines = 0 },
]
