import AnyloopCore
import AnyloopHarness
import ArgumentParser
import Foundation

/// The command line's root.
struct AnyloopTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anyloop", abstract: "A networking core and the matrix that proves it.",
        discussion: """
            Exit codes: 0 as it should be, 1 unexpected failure, 2 wrong use, 3 only expectations that no longer hold, \
            4 nothing matched, 5 the harness broke.
            """,
        subcommands: [
            RunCommand.self, ListCommand.self, ShowCommand.self, FormatCommand.self, RecordCommand.self,
            ReportCommand.self,
            ServeCommand.self, GetCommand.self, WorkerCommand.self,
        ])
}

/// Where the program starts: parses, runs, and turns whatever is thrown into one sentence and an exit code.
@main
enum Entry {
    static func main() {
        Machine.unblockStopSignals()
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Runs the command that `arguments` say; the exit code.
    static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try AnyloopTool.parseAsRoot(arguments)
            try command.run()
            return RunExit.passed.rawValue
        } catch {
            return report(error)
        }
    }

    /// Says what went wrong and returns the exit code for it.
    static func report(_ error: any Error) -> Int32 {
        switch error {
        case let code as ExitCode:
            return code.rawValue
        case is WorkerError:
            complain("anyloop: \(error)")
            return RunExit.harnessBroke.rawValue
        case is SettingsError, is SettingError, is FixtureError, is AsyncioFormatError, is FixtureFiles.FileError,
            is CommandError, is TransportError, is TLSError:
            complain("anyloop: \(error)")
            return RunExit.usage.rawValue
        default:
            // Help and version are "errors" that exit with 0; all others from the parser are wrong use.
            let code = AnyloopTool.exitCode(for: error)
            let text = AnyloopTool.fullMessage(for: error)
            if code == .success {
                print(text)
                return RunExit.passed.rawValue
            }
            complain(text)
            return code == .validationFailure ? RunExit.usage.rawValue : RunExit.harnessBroke.rawValue
        }
    }

    /// One line on standard error.
    static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}

/// Wrong use that only shows once the command runs: one sentence with the remedy.
struct CommandError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
