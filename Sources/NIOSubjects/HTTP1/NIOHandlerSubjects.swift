public import AnyloopHarness
import NIOCore
import NIOHTTP1
import NIOHarness

/// Channel handlers of SwiftNIO's that our fixtures are held against.
public enum NIOHandlerSubjects {
    /// NIOHTTP1's decoders in their usual pipelines.
    public static let all: [Subject] = [.nioHTTP1Server, .nioHTTP1Client]
}

extension Subject {
    /// NIOHTTP1's server pipeline before an application that answers each request with 200.
    public static let nioHTTP1Server = nioHTTP1(
        name: "nio-http1-server", side: .server, NIOHTTP1Differences.server, HTTP1ServerPipeline.add)

    /// NIOHTTP1's client pipeline behind an application that sends the fixture's requests, all at once.
    public static let nioHTTP1Client = nioHTTP1(
        name: "nio-http1-client", side: .client, NIOHTTP1Differences.client, HTTP1ClientPipeline.add)

    private static func nioHTTP1(
        name: String, side: Fixture.Side, _ differences: String,
        _ add: @escaping @Sendable (any Channel, PipelineConversation) throws -> Void
    ) -> Subject {
        var subject = Subject.pipeline(name: name, side: side, tags: ["http1"], initialize: add)
        // The lists are written by a program, and a test fails if one of them cannot be read.
        subject.differences = (try? KnownDifferences(file: name, text: differences)) ?? .none
        return subject
    }
}
