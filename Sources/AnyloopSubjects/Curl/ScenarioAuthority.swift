import AnyloopTLS
import AnyloopHarness
import Foundation

/// A certificate authority of one scenario, made with the `openssl` command: whoever trusts it trusts what it signs.
public struct ScenarioAuthority: Sendable {
    /// Its certificate as a PEM file.
    public let certificateFile: String
    private let keyFile: String
    private let folder: String

    /// Makes one below `folder`.
    ///
    /// - Throws: `LiveScenario.Unsupported` where there is no `openssl`, and Foundation's errors.
    public init(in folder: String) throws {
        self.folder = folder
        certificateFile = "\(folder)/authority.crt"
        keyFile = "\(folder)/authority.key"
        try Self.openssl([
            "-keyout", keyFile, "-out", certificateFile, "-subj", "/CN=Anyloop scenario authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
    }

    /// A new key with a certificate for `names`, host names or IPv4 addresses, signed by this authority.
    func identity(names: [String]) throws -> TLSIdentity {
        let (certificate, key) = ("\(folder)/signed.crt", "\(folder)/signed.key")
        let list = names.map { name in
            name.allSatisfy { $0.isNumber || $0 == "." } ? "IP:\(name)" : "DNS:\(name)"
        }
        try Self.openssl([
            "-CA", certificateFile, "-CAkey", keyFile, "-keyout", key, "-out", certificate,
            "-subj", "/CN=\(names.first ?? "nobody")", "-addext", "subjectAltName=\(list.joined(separator: ","))",
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature",
            "-addext", "extendedKeyUsage=serverAuth",
        ])
        return try TLSIdentity(certificateChainFile: certificate, privateKeyFile: key)
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // `openssl req` reads a configuration of the machine's otherwise, which adds extensions of its own.
        process.arguments =
            ["openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            + ["-nodes", "-sha256", "-days", "2"] + arguments
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw LiveScenario.Unsupported("openssl makes no certificate, run ci/setup: \(text.suffix(300))")
        }
    }
}
