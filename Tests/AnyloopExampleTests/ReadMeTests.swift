import Anyloop
@testable import AnyloopExamples
import AnyloopHarness
import Foundation
import Testing

/// README's own examples.
@Suite(.serialized) struct ReadMeTests {
    @Test func theServerInADozenLinesAnswers() throws {
        let port = Shared<UInt16>()
        let stop = Shared<@Sendable () -> Void>()
        Thread.detachNewThread {
            try? runHelloServer(port: 0) { loop, server in
                stop.set(stopper(of: loop))
                port.set(server.addresses.first?.port ?? 0)
            }
        }
        _ = Console.take()
        let loop = try NativeLoop()
        defer { loop.closeLoop() }
        try getSynchronously("http://127.0.0.1:\(port.wait())/", on: loop)
        #expect(Console.take() == ["hello, world\n"])
        try stop.wait()()
    }

    @Test func theSecureServerAnswersTheSecureClient() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("secure-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let certificate = folder.appendingPathComponent("cert.pem").path
        let key = folder.appendingPathComponent("key.pem").path
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
            "30", "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        let loop = try NativeLoop()
        defer { loop.closeLoop() }
        let server = try secureServer(on: loop, certificate: certificate, key: key, port: 0)
        let client = try secureClient(on: loop, certificate: certificate)
        let port = server.addresses.first?.port ?? 0
        var body = ""
        let request = HTTPRequest(method: .get, scheme: "https", authority: "localhost:\(port)", path: "/")
        client.fetch(request) { result in
            switch result {
            case .success(let response): body = String(decoding: response.body, as: UTF8.self)
            case .failure(let error): body = "\(error)"
            }
            loop.stop()
        }
        try loop.run()
        #expect(body == "hello over TLSv1.3\n")
    }

    static let fixture = """
        wire 1
        id       lines/two
        source   written RFC864#1
        spec     RFC864#1
        tags     lines
        title    Two lines
        --- stream
        > "one\\ntwo\\n"
        --- expect server
        events   head one; end; head two; end
        wire     < "one\\ntwo\\n"

        """

    @Test func aProtocolOfOnesOwnIsVerified() throws {
        let files = FileManager.default.temporaryDirectory.appendingPathComponent("lines-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: files) }
        try Data(Self.fixture.utf8).write(to: files.appendingPathComponent("two.wire"))
        let folder = files.path
        var count = 0

        // begin: verify
        let subject = Subject.lineServer
        let native = LoopProvider(mode: .native, poller: "epoll") { try NativeLoop() }
        let runner = CellRunner()
        for file in try FixtureFiles.find(at: folder) {
            let fixture = try FixtureFiles.load(file)
            for plan in CutPlan.allCases {
                #expect(runner.run(fixture, subject, .memory, plan).verdict != .failed)
                #expect(runner.run(fixture, subject, .tcp, loop: native, plan).verdict != .failed)
                // end: verify
                count += 1
                // begin: verify
            }
        }
        // end: verify
        #expect(count == CutPlan.allCases.count)
        let result = runner.run(try FixtureFiles.load(folder + "/two.wire"), subject, .memory, .whole)
        #expect(result.verdict == .passed, "\(result.failures.map { $0.summary + $0.details })")
    }
}
