import AnyloopSubjects
import Foundation
import Hummingbird
import HummingbirdOnAnyloop
import Logging
import NIOBridge
import NIOCore
import NIOPosix
import Synchronization

/// The loops that everything is tested on.
enum Loops: CaseIterable {
    case native
    case nio

    /// Runs `body` with a group of so many threads, and shuts that down.
    func with<Result: Sendable>(
        threads: Int = 2, _ body: (any EventLoopGroup) async throws -> Result
    ) async throws -> Result {
        let group: any EventLoopGroup =
            switch self {
            case .native: try NativeEventLoopGroup(numberOfThreads: threads)
            case .nio: MultiThreadedEventLoopGroup(numberOfThreads: threads)
            }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(group)) } catch { result = .failure(error) }
        try await group.shutdownGracefully()
        return try result.get()
    }
}

/// A logger that says nothing.
let silence = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// Port 0 on 127.0.0.1, and what `change` adds.
func loopback(_ change: (inout HummingbirdServerOptions) -> Void = { _ in }) -> HummingbirdServerOptions {
    var options = HummingbirdServerOptions()
    options.address = .hostname("127.0.0.1", port: 0)
    change(&options)
    return options
}

/// What curl finds amiss of the server at `address`; on a thread of its own, because libcurl blocks.
func curl(
    _ address: SocketAddress, unixPath: String? = nil, certificates: ScenarioCertificates? = nil,
    http: ScenarioTarget.HTTPChoice = .http1, _ steps: [(ScenarioStep, [ScenarioCheck])]
) async -> [String] {
    var target = ScenarioTarget(
        port: UInt16(address.port ?? 0), unixPath: unixPath, certificates: certificates)
    target.http = http
    return await withCheckedContinuation { [target] continuation in
        Thread {
            continuation.resume(returning: CurlClient.run(.sequence("test", "test", steps), against: target))
        }.start()
    }
}

/// Opens once, for any number of tasks that wait; cancelling a waiting task throws there.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let opening: AsyncStream<Void>.Continuation

    init() {
        (stream, opening) = AsyncStream.makeStream()
    }

    func open() { opening.finish() }

    /// For one task at a time.
    func passed() async throws {
        for await _ in stream {}
        try Task.checkCancellation()
    }
}

/// A list that several threads add to.
final class Notes<Note: Sendable>: Sendable {
    private let list = Mutex<[Note]>([])

    var all: [Note] { list.withLock { $0 } }

    func add(_ note: Note) { list.withLock { $0.append(note) } }
}
