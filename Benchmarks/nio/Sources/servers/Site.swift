import Foundation
import Hummingbird
import HummingbirdOnAnyloop
import Logging
import NIOCore

/// A Hummingbird router with one route.
private func router(_ settings: Settings) -> Router<BasicRequestContext> {
    let router = Router()
    let body = ByteBuffer(bytes: settings.body)
    router.get("/") { _, _ in
        Response(status: .ok, headers: [.contentType: "text/plain"], body: ResponseBody(byteBuffer: body))
    }
    return router
}

private func configuration(_ settings: Settings) -> ApplicationConfiguration {
    ApplicationConfiguration(address: .hostname("127.0.0.1", port: settings.port), backlog: 1024)
}

private func quietLogger() -> Logger {
    var logger = Logger(label: "hummingbird")
    logger.logLevel = .error
    return logger
}

/// The stock application, which insists on SwiftNIO's group.
func serveStock(on group: any EventLoopGroup, _ settings: Settings) throws {
    let application = Application(
        router: router(settings), configuration: configuration(settings), eventLoopGroupProvider: .shared(group),
        logger: quietLogger())
    runToTheEnd { try await application.run() }
}

/// The same router by our runner.
func serveRunner(
    on group: any EventLoopGroup, _ execution: HummingbirdServerOptions.Execution, _ settings: Settings
) throws {
    var options = HummingbirdServerOptions()
    options.execution = execution
    let server = HummingbirdServer(
        router: router(settings), configuration: configuration(settings), options: options, eventLoopGroup: group,
        logger: quietLogger())
    runToTheEnd { try await server.run() }
}

private func runToTheEnd(_ body: @escaping @Sendable () async throws -> Void) -> Never {
    Task {
        do { try await body() } catch {
            print("the server failed: \(error)")
            exit(1)
        }
        exit(0)
    }
    dispatchMain()
}
