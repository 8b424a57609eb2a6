import AnyloopWire
import Testing

/// Every case of the tables.
let allCases = requestCases + refusedCases + responseCases + limitCases

@Suite("HTTP/1 parser")
struct ParserTests {
    @Test("what is right is read", arguments: requestCases)
    func requests(_ wire: WireCase) {
        let log = wire.transcript.events(of: wire.stream)
        #expect(wire.accepts(log), "\(log)")
    }

    @Test("what is wrong is refused, with its code", arguments: refusedCases)
    func refusals(_ wire: WireCase) {
        let log = wire.transcript.events(of: wire.stream)
        #expect(log.last?.hasPrefix(wire.expected[0] + " @") == true, "\(log)")
    }

    @Test("responses", arguments: responseCases)
    func responses(_ wire: WireCase) {
        let log = wire.transcript.events(of: wire.stream)
        #expect(wire.accepts(log), "\(log)")
    }

    @Test("every limit at the limit and one past", arguments: limitCases)
    func limits(_ wire: WireCase) {
        let log = wire.transcript.events(of: wire.stream)
        #expect(log.contains { $0.hasPrefix("error ") } == !wire.expected.isEmpty, "\(log)")
        if let error = wire.expected.first { #expect(log.last?.hasPrefix(error + " @") == true, "\(log)") }
    }

    @Test("an error is final")
    func final() {
        var parser = HTTP1Parser(role: .requests)
        let bytes = Array("\n\r\nGET / HTTP/1.0\r\n\r\n".utf8)
        for _ in 0..<3 {
            var position = 0
            #expect(throws: HTTP1Error(.bareLF, at: 0..<1)) { _ = try parser.next(bytes.span, at: &position) }
        }
    }

    @Test("a cut-off stream is no end of content")
    func reset() throws {
        var parser = HTTP1Parser(role: .responses)
        parser.expectResponse(to: .get)
        let bytes = Array("HTTP/1.1 200 OK\r\n\r\nab".utf8)
        var position = 0
        while try parser.next(bytes.span, at: &position) != nil {}
        #expect(throws: HTTP1Error(.unexpectedEOF, at: 21..<21)) { try parser.receiveReset() }
    }

    @Test("a head that is kept stays what it was")
    func keptHead() throws {
        var parser = HTTP1Parser(role: .requests)
        let bytes = Array("GET /a?b HTTP/1.1\r\nHost: one\r\n\r\nPUT http://two/b HTTP/1.1\r\nHost: two\r\n\r\n".utf8)
        var position = 0
        var heads: [HTTP1Head] = []
        while let event = try parser.next(bytes.span, at: &position) {
            if event == .head { heads.append(parser.head) }
        }
        #expect(heads.map(\.method) == [.get, .put])
        #expect(heads.map(\.path) == ["/a", "/b"])
        #expect(heads.map(\.query) == ["b", nil])
        #expect(heads.map(\.authority) == ["one", "two"])
        #expect(heads.map(\.targetForm) == [.origin, .absolute])
        #expect(heads[0].fields["hOST"] == "one")
        #expect(heads[1].fields.firstIndex(of: "none") == nil)
    }

    @Test("statuses that errors suggest")
    func statuses() {
        let statuses = Dictionary(grouping: HTTP1ErrorCode.allCases) { HTTP1Error($0, at: 0..<1).suggestedStatus }
        #expect(Set(statuses.keys) == [400, 413, 414, 417, 431, 501, 505])
        #expect(statuses[505] == [.unsupportedVersion])
        #expect(statuses[501] == [.unknownTransferCoding])
        for code in HTTP1ErrorCode.allCases {
            let text = HTTP1Error(code, at: 3..<4).description
            #expect(text.hasSuffix(" (\(code.rawValue) at bytes 3..<4)"))
            #expect(!text.hasPrefix(code.rawValue), "each code has a sentence of its own")
        }
    }
}
