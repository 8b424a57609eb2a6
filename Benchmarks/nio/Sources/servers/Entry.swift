import Anyloop
import Foundation
import NIOBridge
import NIOPosix

/// One of the servers that the benchmark compares, on 127.0.0.1 until it is killed:
///
///     servers NAME --port PORT [--size BYTES] [--identity PATH]
///
/// PATH.pem and PATH.key are what it serves TLS with. Every server has one event loop.
@main
enum Entry {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 1 else { throw SettingsError("which server?") }
        let settings = try Settings(arguments.dropFirst(2))
        switch arguments[1] {
        case "ours-on-nio": try serveOurs(on: NIOLoop(), settings)
        case "ours-on-native": try serveOurs(on: NativeLoop(), settings)
        case "pipeline-on-nio": try servePipeline(on: MultiThreadedEventLoopGroup(numberOfThreads: 1), settings)
        case "pipeline-on-native": try servePipeline(on: NativeEventLoopGroup(numberOfThreads: 1), settings)
        case "hummingbird-stock": try serveStock(on: MultiThreadedEventLoopGroup(numberOfThreads: 1), settings)
        case "hummingbird-on-native":
            try serveRunner(on: NativeEventLoopGroup(numberOfThreads: 1), .pool, settings)
        case "hummingbird-on-native-loop":
            try serveRunner(on: NativeEventLoopGroup(numberOfThreads: 1), .loop, settings)
        case "hummingbird-runner-on-nio":
            try serveRunner(on: MultiThreadedEventLoopGroup(numberOfThreads: 1), .pool, settings)
        case "hummingbird-runner-on-nio-loop":
            try serveRunner(on: MultiThreadedEventLoopGroup(numberOfThreads: 1), .loop, settings)
        default: throw SettingsError("no server \(arguments[1])")
        }
    }
}
