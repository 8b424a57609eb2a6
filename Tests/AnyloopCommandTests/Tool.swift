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

    // Output goes to files: a pipe's end might be inherited by a child of another test, and then never end.

    /// A process that is still running, with its first line of output.
    final class Running {
        let process: Process
        private(set) var firstLine = ""
        private let scratch: Scratch

        /// Starts it and waits for its first line.
        init(_ arguments: [String], environment: [String: String] = [:]) throws {
            scratch = try Scratch()
            process = try Tool.start(arguments, environment, folder: nil, scratch)
            while !firstLine.contains("\n"), process.isRunning {
                usleep(5000)
                firstLine = try scratch.read("output")
            }
            firstLine = String(firstLine.prefix { $0 != "\n" })
        }

        /// Sends `signal`.
        func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

        /// Waits, for at most 10 s, until standard error has `text`; what it has by then.
        func errors(until text: String) throws -> String {
            for _ in 0..<2000 where process.isRunning {
                let errors = try scratch.read("errors")
                if errors.contains(text) { return errors }
                usleep(5000)
            }
            return try scratch.read("errors")
        }

        /// Sends SIGTERM and waits; the exit status.
        func terminate() -> Int32 {
            process.terminate()
            return wait()
        }

        /// Waits for the end; the exit status.
        func wait() -> Int32 {
            process.waitUntilExit()
            return process.terminationStatus
        }

        /// The port behind the last colon of the first line.
        var port: String { firstLine.split(separator: ":").last.map(String.init) ?? "" }
    }

    /// Runs to the end; `program` is another one than ours, by its name.
    static func run(
        _ arguments: [String], program: String? = nil, environment: [String: String] = [:], folder: String? = nil
    ) throws -> Outcome {
        let scratch = try Scratch()
        let process = try start(
            (program.map { [$0] } ?? []) + arguments, environment, folder: folder, scratch,
            path: program == nil ? path : "/usr/bin/env")
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try scratch.read("output"), errors: try scratch.read("errors"))
    }

    private static func start(
        _ arguments: [String], _ environment: [String: String], folder: String?, _ scratch: Scratch,
        path: String = Tool.path
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = clean(environment)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try scratch.open("output")
        process.standardError = try scratch.open("errors")
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        try process.run()
        return process
    }

    /// The environment without the variables that mean something to the tool.
    private static func clean(_ extra: [String: String]) -> [String: String] {
        let names =
            ServeSettings.table.settings.map(\.variable) + GetSettings.table.settings.map(\.variable)
            + ["COMPAT", "NIO", "ASYNCIO", "GITHUB_STEP_SUMMARY"]
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

    /// A new file to write to.
    func open(_ name: String) throws -> FileHandle {
        try write("", to: name)
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path).appendingPathComponent(name))
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: path).appendingPathComponent(name)), as: UTF8.self)
    }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
}
