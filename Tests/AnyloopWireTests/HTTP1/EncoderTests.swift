import AnyloopWire
import Testing

@Suite("HTTP/1 encoder")
struct EncoderTests {
    @Test("a response with a length")
    func hello() throws {
        var out: [UInt8] = []
        var encoder = HTTP1Encoder()
        try encoder.startResponse(200, to: .get, into: &out)
        try encoder.field("Content-Type", "text/plain", into: &out)
        try encoder.endHead(.length(5), keepAlive: true, into: &out)
        try encoder.body("hello".utf8.span, into: &out)
        try encoder.end(into: &out)
        #expect(
            String(decoding: out, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
    }
}
