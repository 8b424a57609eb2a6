@testable import AnyloopCommand
import AnyloopHarness
import Foundation

/// The built `anyloop`, run as a user runs it.
struct Tool {
    /// What came of a run.
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// The program beside this test's own.
    static var path: String {
        let own = Machine.programPath ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("anyloop").path
    }

    /// A process that is still running, with its first line of output.
    final class Running {
        let process: Process
        let firstLine: String
        private let output: FileHandle

        init(_ arguments: [String], environment: [String: String] = [:]) throws {
            process = Process()
            let pipe = Pipe()
            process.executableURL = URL(fileURLWithPath: Tool.path)
            process.arguments = arguments
            process.environment = Tool.clean(environment)
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            try process.run()
            output = pipe.fileHandleForReading
            var bytes: [UInt8] = []
            while let byte = try output.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { bytes.append(byte) }
            firstLine = String(decoding: bytes, as: UTF8.self)
        }

        /// Sends SIGTERM and waits; the exit status.
        func terminate() -> Int32 {
            process.terminate()
            process.waitUntilExit()
            return process.terminationStatus
        }

        /// The port behind the last colon of the first line.
        var port: String { firstLine.split(separator: ":").last.map(String.init) ?? "" }
    }

    /// Runs to the end; standard error goes to a file, so that neither pipe can fill up.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil
    ) throws -> Outcome {
        let process = Process()
        let output = Pipe()
        let errors = FileManager.default.temporaryDirectory.appendingPathComponent("anyloop-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = clean(environment)
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }

    /// The environment without the variables that mean something to the tool.
    private static func clean(_ extra: [String: String]) -> [String: String] {
        let names = ServeSettings.table.settings.map(\.variable) + ["COMPAT", "NIO", "ASYNCIO", "GITHUB_STEP_SUMMARY"]
        return ProcessInfo.processInfo.environment.filter { !names.contains($0.key) }.merging(extra) { $1 }
    }
}

/// A folder for one test, removed at its end.
final class Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("anyloop-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: path).appendingPathComponent(name)), as: UTF8.self)
    }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
}
