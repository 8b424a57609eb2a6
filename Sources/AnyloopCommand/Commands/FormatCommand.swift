import AnyloopHarness
import ArgumentParser

/// `anyloop fmt`: the one canonical form of fixtures.
struct FormatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fmt", abstract: "Brings .wire fixtures into their canonical form.")

    @Argument(help: "Fixtures, or folders of them.")
    var paths: [String] = ["Fixtures"]

    @Flag(help: "Changes nothing; exit 1 if a fixture is not in its canonical form, 2 if one is malformed.")
    var check = false

    func run() throws {
        var malformed = 0
        var differing = 0
        for path in try paths.flatMap(files) {
            do {
                let text = try FixtureFiles.read(path)
                let formatted = Array(try Fixture.format(text, file: path).utf8)
                _ = try FixtureFiles.load(path)
                guard formatted != text else { continue }
                differing += 1
                print(check ? "\(path): not in canonical form; run 'anyloop fmt'" : "\(path): formatted")
                if !check { try FixtureFiles.write(formatted, to: path) }
            } catch let error as FixtureError {
                malformed += 1
                print(error)
            }
        }
        if malformed > 0 { throw ExitCode(2) }
        if check, differing > 0 { throw ExitCode(1) }
    }

    private func files(at path: String) throws -> [String] {
        do {
            return try FixtureFiles.find(at: path)
        } catch let error as FixtureFiles.FileError {
            print(error)
            throw ExitCode(2)
        }
    }
}
