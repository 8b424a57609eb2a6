import AnyloopCore
import AnyloopHarness
import AnyloopNativeLoop
import ArgumentParser
import Foundation

/// `anyloop record`: a relay that writes conversations down as fixtures.
struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Relays connections to a server and writes them down as .wire fixtures.",
        discussion: """
            Ends after --connections connections, or on SIGINT or SIGTERM. The first connection goes to FILE, the \
            next ones to FILE-2, FILE-3 and so on. Large bodies that do not repeat go into .bin files beside it.
            """)

    @Option(help: "Where to listen: HOST:PORT or unix:PATH; port 0 lets the system choose.")
    var listen = "127.0.0.1:0"

    @Option(help: "The server: HOST:PORT or unix:PATH.")
    var upstream: String

    @Option(name: [.customLong("out"), .customLong("output")], help: "The fixture to write.")
    var out: String

    @Option(help: "Ends after so many connections.")
    var connections: Int?

    @Option(help: "The fixture's id; by default its path below Fixtures/.")
    var id: String?

    @Option(help: "The software that answers, such as nginx/1.22.1.")
    var server = "unknown"

    @Option(help: "The software that asks, such as curl/7.88.1.")
    var client = "unknown"

    @Option(help: "A section it is about, such as 'RFC9112#7.1 MUST'; may be repeated.")
    var spec: [String] = []

    @Option(help: "The command that makes the conversation.")
    var command: String?

    @Option(help: "Whose views the expectations are.")
    var oracle: String?

    @Option(help: "The methods of the requests that are answered.")
    var requests: String?

    @Option(help: "What it is about; the first word is the protocol.")
    var tags = "http1 recorded"

    @Option(help: "One line of prose.")
    var title: String?

    @Option(help: "A field whose value is hidden, such as authorization; may be repeated.")
    var redact: [String] = []

    @Option(help: "native, compat or nio. (COMPAT=1, NIO=1)")
    var mode: String?

    @Option(help: "How the loop waits: epoll, poll or select.")
    var poller: String?

    func validate() throws {
        if let connections, connections < 1 { throw ValidationError("--connections: expected a number from 1") }
    }

    func run() throws {
        let address = try AddressText.listening(listen, option: "--listen")
        let endpoint = try AddressText.endpoint(upstream, option: "--upstream")
        let mode = try ModeSetting.resolve(option: mode, environment: ProcessInfo.processInfo.environment) ?? .native
        let loop = try LoopFactory.make(mode, poller: poller ?? PollerKind.standard.rawValue)
        defer { loop.closeLoop() }
        let recorder = Recorder(loop: loop, upstream: endpoint)
        var done = 0
        var failure: (any Error)?
        recorder.finished = { conversation in
            done += 1
            do { try write(conversation) } catch { failure = failure ?? error }
            guard done == connections || failure != nil else { return }
            recorder.close()
            loop.stop()
        }
        try recorder.listen(on: [address])
        for signal in [SIGINT, SIGTERM] {
            try loop.addSignalHandler(signal) {
                recorder.close()
                // The aborted connections tell of their end in the next turns.
                loop.callLater(.milliseconds(20)) { loop.stop() }
            }
        }
        Output.line("listening on \(recorder.addresses.map(\.description).joined(separator: ", "))")
        try loop.run()
        if let failure { throw failure }
    }

    private func write(_ conversation: RecordedConversation) throws {
        var header = RecordingHeader(date: String(ReportFiles.now().prefix(10)))
        header.id = id.map { numbered($0, conversation.number) }
        header.server = server
        header.client = client
        header.specs = spec
        header.command = command
        header.oracle = oracle
        header.requests = requests
        header.tags = tags
        header.title = title
        header.redaction = Redaction(fields: redact)
        let stem = out.hasSuffix(".wire") ? String(out.dropLast(5)) : out
        let file = numbered(stem, conversation.number) + ".wire"
        let recording = RecordingText(conversation, header: header, file: file)
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        for blob in recording.blobs { try FixtureFiles.write(blob.bytes, to: folder + blob.name) }
        try FixtureFiles.write(Array(recording.text.utf8), to: file)
        Output.line("wrote \(file)" + (conversation.flaw.map { ", incomplete: \($0)" } ?? ""))
    }

    private func numbered(_ name: String, _ number: Int) -> String { number == 1 ? name : "\(name)-\(number)" }
}
