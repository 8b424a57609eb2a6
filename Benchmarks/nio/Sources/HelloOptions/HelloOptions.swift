import NIOBridge
public import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a hello server is told: `--loop native|nio --threads N --port P`, and words of its own.
public struct HelloOptions {
    /// What every one of them says.
    public static let greeting = "hello, world\n"

    /// Whose event loops.
    public enum Loop: String {
        case native
        case nio
    }

    /// Whose event loops.
    public var loop = Loop.native
    /// How many of them.
    public var threads = 1
    /// The port on 127.0.0.1.
    public var port = 8080
    /// Words that only some of them know.
    public private(set) var words: Set<String> = []

    /// Reads the command line; ends the process with 2 and a sentence if it makes no sense.
    public init(words known: Set<String> = []) {
        var arguments = CommandLine.arguments.dropFirst()
        while let name = arguments.popFirst() {
            if known.contains(name) {
                words.insert(name)
                continue
            }
            guard let value = arguments.popFirst(), take(name, value) else {
                let more = known.sorted().map { " [\($0)]" }.joined()
                print("usage: \(CommandLine.arguments[0]) [--loop native|nio] [--threads N] [--port P]\(more)")
                exit(2)
            }
        }
    }

    private mutating func take(_ name: String, _ value: String) -> Bool {
        switch (name, Loop(rawValue: value), Int(value)) {
        case ("--loop", let loop?, _): self.loop = loop
        case ("--threads", _, let count?) where count > 0: threads = count
        case ("--port", _, let port?) where (0...65535).contains(port): self.port = port
        default: return false
        }
        return true
    }

    /// The group of event loops.
    public func makeGroup() throws -> any EventLoopGroup {
        switch loop {
        case .native: try NativeEventLoopGroup(numberOfThreads: threads)
        case .nio: MultiThreadedEventLoopGroup(numberOfThreads: threads)
        }
    }
}
