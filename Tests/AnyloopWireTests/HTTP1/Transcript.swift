import AnyloopWire

/// Runs a parser over bytes and writes down what comes out, content of a message merged.
struct Transcript {
    var role = HTTP1Parser.Role.requests
    var limits = HTTP1Limits.standard
    var leniency: HTTP1Leniency = []
    /// The methods of the requests that the responses answer.
    var methods: [HTTP1Method] = []
    /// Whether the application agrees to switch protocols.
    var switches = false
    /// Whether the stream ends after the last byte.
    var ends = false

    /// What comes of `stream` when it arrives cut before each offset of `cuts`.
    func events(of stream: [UInt8], cutAt cuts: [Int] = []) -> [String] {
        var parser = HTTP1Parser(role: role, limits: limits, leniency: leniency)
        for method in methods { parser.expectResponse(to: method) }
        var log: [String] = []
        var body: [UInt8] = []
        do {
            var start = 0
            for cut in cuts.filter({ $0 < stream.count }) + [stream.count] {
                let piece = Array(stream[start..<cut])
                start = cut
                try feed(piece, to: &parser, &log, &body)
                if log.last?.hasPrefix("surplus") == true {
                    log[log.count - 1] = "surplus \(stream.count - parser.offset)"
                    return log
                }
            }
            if ends {
                while let event = try parser.receiveEnd() { note(event, [], &parser, &log, &body) }
            }
        } catch {
            flush(&body, &log)
            log.append("error \(error.code.rawValue) @\(error.offsets.lowerBound)..\(error.offsets.upperBound)")
        }
        flush(&body, &log)
        return log
    }

    private func feed(
        _ piece: [UInt8], to parser: inout HTTP1Parser, _ log: inout [String], _ body: inout [UInt8]
    ) throws(HTTP1Error) {
        var position = 0
        while let event = try parser.next(piece.span, at: &position) {
            note(event, piece, &parser, &log, &body)
            if event == .upgrade || event == .mightSwitch && switches {
                log.append("surplus")
                return
            }
        }
    }

    private func note(
        _ event: HTTP1Event, _ piece: [UInt8], _ parser: inout HTTP1Parser, _ log: inout [String], _ body: inout [UInt8]
    ) {
        if case .body(let range) = event {
            body += piece[range]
            return
        }
        flush(&body, &log)
        switch event {
        case .head:
            let head = parser.head
            if role == .requests {
                log.append("head \(head.methodName) \(head.target) \(head.version)")
            } else {
                log.append("head \(head.status) \(head.version) \(head.reason)")
            }
            log += head.fields.indices.map { "\(head.fields.name(at: $0)): \(head.fields.value(at: $0))" }
            var semantics = "\(head.framing)"
            if !head.keepAlive { semantics += " last" }
            if head.expectsContinue { semantics += " expects-continue" }
            if head.offersUpgrade { semantics += " offers-upgrade" }
            log.append(semantics)
        case .trailers:
            let trailers = parser.trailers
            log += trailers.indices.map { "trailer \(trailers.name(at: $0)): \(trailers.value(at: $0))" }
        case .end: log.append("end")
        case .upgrade: log.append("upgrade")
        case .mightSwitch:
            log.append("might-switch")
            if !switches { parser.resumeAsHTTP() }
        case .body: break
        }
    }

    private func flush(_ body: inout [UInt8], _ log: inout [String]) {
        if !body.isEmpty { log.append("body \(String(decoding: body, as: UTF8.self))") }
        body = []
    }
}
