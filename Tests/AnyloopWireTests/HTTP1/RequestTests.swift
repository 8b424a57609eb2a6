import AnyloopWire
import Testing

@Suite("HTTP/1 requests")
struct RequestTests {
    @Test("a plain request, then one with chunks, then the end of the stream")
    func smoke() {
        let stream = Array(
            ("GET /a?b HTTP/1.1\r\nHost: a\r\nAccept: */*  \r\n\r\n"
                + "POST / HTTP/1.1\r\nhost:a:80\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                + "3;x=\"y\"\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\njunk").utf8)
        let transcript = Transcript(ends: true)
        let expected = [
            "head GET /a?b HTTP/1.1", "Host: a", "Accept: */*", "none", "end",
            "head POST / HTTP/1.1", "host: a:80", "Transfer-Encoding: chunked", "Connection: close", "chunked last",
            "body abc", "trailer X-Sum: 1", "end",
        ]
        #expect(transcript.events(of: stream) == expected)
        #expect(transcript.events(of: stream, cutAt: Array(1..<stream.count)) == expected)
    }
}
