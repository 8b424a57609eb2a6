import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import Foundation
import Testing

@testable import AnyloopTLS

/// The same refusals with the `openssl` command as the judged side: it gets the alert that its own kind would send.
@Suite struct RefusalPeerTests {
    static let names = [
        "good-ec", "good-rsa", "expired", "expired-intermediate", "unknown-root", "missing-intermediate",
        "wrong-purpose",
        "revoked", "none", "host-other",
    ]

    static func some(_ judge: Certificates.Case.Judge) throws -> [Certificates.Case] {
        try Certificates.cases(of: judge).filter { test in
            names.contains { test.name == "\($0) (\(judge))" || test.name == "\($0)-\(judge) (\(judge))" }
        }
    }

    @Test("our client and openssl s_server", arguments: try some(.client), TLSVersion.allCases)
    func servers(_ test: Certificates.Case, _ version: TLSVersion) throws {
        let loop = try NativeLoop()
        defer { loop.closeLoop() }
        var arguments = ["s_server", "-accept", "127.0.0.1:0", "-naccept", "1", version.option]
        arguments += try [
            "-cert", Certificates.path(try #require(test.chain)), "-cert_chain",
            Certificates.path(try #require(test.chain)),
            "-key", Certificates.path(try #require(test.key)),
        ]
        let peer = try Peer(arguments)
        let line = try #require(peer.line(with: "ACCEPT 127.0.0.1:"))
        let port = try #require(UInt16(line.split(separator: ":").last ?? ""))
        let client = try Contexts.client { options in
            options.trust = try Certificates.trust(test.trust)
            options.revocation = try test.revocation()
        }
        var result: Result<any StreamTransport, TransportError>?
        loop.createConnection(to: .address(.loopback(port: port)), tls: client, serverName: test.host) {
            RecordingProtocol()
        } completion: {
            result = $0
        }
        try turn(loop) { result != nil }
        guard test.fault != nil else {
            let transport = try #require(try result?.get())
            #expect(transport.tls?.version == version.name)
            transport.close()
            try turn(loop) { transport.streamProtocol == nil }
            _ = peer.rest()
            return
        }
        guard case .failure(let error)? = result, case .certificate(let fault)? = error.tlsKind else {
            Issue.record("\(String(describing: result)) is no refusal")
            return
        }
        #expect("\(fault)" == test.fault && error.description.contains(test.named))
        try expectAlert(test.alert, in: peer.rest())
    }

    @Test("our server and openssl s_client", arguments: try some(.server), TLSVersion.allCases)
    func clients(_ test: Certificates.Case, _ version: TLSVersion) throws {
        let loop = try NativeLoop()
        defer { loop.closeLoop() }
        let context = try Contexts.server { options in
            options.clientCertificates = .required(try Certificates.trust(test.trust))
            options.revocation = try test.revocation()
        }
        let served = RecordingProtocol()
        var refusal: TransportError?
        let server = try loop.createServer(
            on: [.loopback(port: 0)], tls: context, handshakeFailed: { _, error in refusal = error }
        ) { served }
        let port = try #require(server.addresses.first?.port)
        var arguments = ["s_client", "-connect", "127.0.0.1:\(port)", "-servername", Certificates.host, version.option]
        if let chain = test.chain, let key = test.key {
            arguments += try [
                "-cert", Certificates.path(chain), "-cert_chain", Certificates.path(chain), "-key",
                Certificates.path(key),
            ]
        }
        let peer = try Peer(arguments)
        try turn(loop) { refusal != nil || served.isOpen }
        guard let fault = test.fault else {
            #expect(served.transport?.tls?.peerCertificates.isEmpty == false)
            peer.endInput()
            try turn(loop) { served.isLost }
            _ = peer.rest()
            return
        }
        guard case .certificate(let found)? = refusal?.tlsKind else {
            Issue.record("\(String(describing: refusal)) is no refusal")
            return
        }
        #expect("\(found)" == fault && refusal?.description.contains(test.named) == true)
        try turn(loop) { server.connectionCount == 0 }
        try expectAlert(fault == "missing" && version == .v1_2 ? "handshake_failure" : test.alert, in: peer.rest())
    }

    /// The peer says the alert's number.
    private func expectAlert(_ name: String?, in text: String) throws {
        let number = try #require((0...UInt8.max).first { TLSAlert.name($0) == name })
        #expect(text.contains("SSL alert number \(number)"), "\(text)")
    }

    private func turn(_ loop: NativeLoop, until isDone: () -> Bool) throws {
        let end = ContinuousClock.now + .seconds(20)
        while !isDone() {
            try loop.runOnce(timeout: .milliseconds(20))
            try #require(ContinuousClock.now < end, "nothing came of it")
        }
    }
}

extension TLSVersion {
    /// As the `openssl` command has it.
    fileprivate var option: String {
        switch self {
        case .v1_2: "-tls1_2"
        case .v1_3: "-tls1_3"
        }
    }
}

/// A run of the `openssl` command, with its input kept open until `endInput` or the end.
private final class Peer {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var text = ""

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }

    /// The first line from here on that begins with `start`; nil if the process ends before.
    func line(with start: String) -> String? {
        while true {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            if let line = lines.dropLast().first(where: { $0.hasPrefix(start) }) { return String(line) }
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { return nil }
            text += String(decoding: data, as: UTF8.self)
        }
    }

    func endInput() { try? input.fileHandleForWriting.close() }

    /// All that it says until it ends.
    func rest() -> String {
        while true {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += String(decoding: data, as: UTF8.self)
        }
        return text
    }
}
