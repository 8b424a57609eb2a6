import AnyloopCore
import AnyloopTLS
import Foundation
import Testing

/// What `Tests/Certificates/make` made, once for all tests of this process; gone when the process ends.
enum Certificates {
    /// One certificate, or none, that one side judges; see the script for the meaning of each.
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        enum Judge: String, Decodable, Sendable { case client, server, loader }

        let name: String
        let judge: Judge
        let chain: String?
        let key: String?
        let password: String?
        let trust: String
        let lists: [String]
        let host: String
        let weak: Bool
        let fault: String?
        let named: String
        let alert: String?

        var testDescription: String { name }

        /// What the judged side presents; nil for nothing.
        func identity() throws -> TLSIdentity? {
            guard let chain, let key else { return nil }
            return try Certificates.identity(chain, key, password: password)
        }

        /// What the judge has of revocation lists.
        func revocation() throws -> TLSRevocation? {
            guard !lists.isEmpty else { return nil }
            return .pem(try lists.flatMap { try Certificates.bytes($0) }, scope: .wholeChain)
        }
    }

    /// The cases that `judge` judges.
    static func cases(of judge: Case.Judge) throws -> [Case] { try made.get().cases.filter { $0.judge == judge } }

    /// The path of a file that was made.
    static func path(_ name: String) throws -> String { try made.get().directory.appendingPathComponent(name).path }

    /// The bytes of a file that was made.
    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    /// A chain with its key.
    static func identity(_ chain: String, _ key: String = "leaf.key", password: String? = nil) throws -> TLSIdentity {
        try TLSIdentity(certificateChainFile: path(chain), privateKeyFile: path(key), password: password)
    }

    /// The certificates of a file as trusted ones.
    static func trust(_ name: String = "root.pem") throws -> TLSTrust { try .file(path(name)) }

    /// The host that most certificates are for.
    static let host = "host.example.com"

    private struct Made: Sendable {
        let directory: URL
        let cases: [Case]
    }

    private struct Manifest: Decodable { let cases: [Case] }

    private static let made = Result { try make() }

    private static func make() throws -> Made {
        let manager = FileManager.default
        let directory = manager.temporaryDirectory.appendingPathComponent("anyloop-certificates-\(UUID().uuidString)")
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Certificates/make")
        let process = Process()
        process.executableURL = script
        process.arguments = [directory.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "Tests/Certificates/make failed")
        atexit { Certificates.remove() }
        let manifest = try Data(contentsOf: directory.appendingPathComponent("cases.json"))
        return Made(directory: directory, cases: try JSONDecoder().decode(Manifest.self, from: manifest).cases)
    }

    private static func remove() {
        if case .success(let made) = made { try? FileManager.default.removeItem(at: made.directory) }
    }
}
