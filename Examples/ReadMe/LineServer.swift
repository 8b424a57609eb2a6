import Anyloop
import AnyloopHarness

/// A protocol of one's own: lines in, each told to the application, and sent back.
final class LineProtocol: StreamProtocol {
    private let onLine: (String) -> Void
    private var transport: (any StreamTransport)?
    private var line: [UInt8] = []

    init(onLine: @escaping (String) -> Void) { self.onLine = onLine }

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        for index in data.indices {
            line.append(data[index])
            guard data[index] == UInt8(ascii: "\n") else { continue }
            onLine(text(Array(line.dropLast())))
            transport?.write(line)
            line = []
        }
    }
}

// begin: line-server
struct LineServerSubject: ProtocolSubject {
    func makeConversation(for fixture: Fixture, on loop: any Loop) -> Conversation {
        let log = TraceLog()
        let server = LineProtocol { line in  // yours, a `StreamProtocol`
            log.event(.head, line)
            log.event(.end)
        }
        return Conversation(streamProtocol: server, log: log)
    }
}
// end: line-server

extension Subject {
    /// The README's example of a subject.
    static var lineServer: Subject {
        Subject(name: "line-server", side: .server, tags: ["lines"], protocol: LineServerSubject())
    }
}
