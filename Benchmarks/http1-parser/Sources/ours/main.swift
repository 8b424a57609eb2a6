// ours FILE MESSAGES: parses the file's request so many times; prints nanoseconds of CPU time per message.
import AnyloopWire
import Glibc

func cpuNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
    return bytes
}

/// One arrival of bytes, as a server's `dataReceived` would treat it.
@inline(never)
func receive(_ bytes: Span<UInt8>, _ parser: inout HTTP1Parser, _ sum: inout Int) throws(HTTP1Error) {
    var position = 0
    while let event = try parser.next(bytes, at: &position) {
        switch event {
        case .head:
            sum += parser.head.fields.count
            if parser.head.keepAlive, parser.head.framing == .none { sum += 1 }
        case .end: sum += 1
        case .body, .trailers, .mightSwitch, .upgrade: break
        }
    }
}

func run(_ path: String, messages: Int) throws(HTTP1Error) -> Double? {
    let request = contents(of: path)
    var parser = HTTP1Parser(role: .requests)
    var sum = 0
    let start = cpuNanoseconds()
    for _ in 0..<messages { try receive(request.span, &parser, &sum) }
    let nanoseconds = cpuNanoseconds() - start
    // Eight fields, one head that keeps the connection alive, one end.
    return sum == messages * 10 ? Double(nanoseconds) / Double(messages) : nil
}

if let result = try run(CommandLine.arguments[1], messages: Int(CommandLine.arguments[2]) ?? 0) {
    print(result)
} else {
    exit(2)
}
