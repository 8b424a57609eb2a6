import ArgumentParser

/// The command line's root.
struct AnyloopTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anyloop", abstract: "A networking core and the matrix that proves it.",
        subcommands: [FormatCommand.self])
}

AnyloopTool.main()
