import AnyloopHarness
import NIOCore
import NIOHarness
import NIOSubjects
import Testing

/// A pipeline of NIO's is driven by fixtures on every executor and every loop, and what is wrong with it shows.
@Suite struct PipelineSubjectTests {
    static let loops: [LoopProvider] = Registry.anyloopWithNIO.loopProviders.filter { $0.poller == "epoll" }

    static func fixture() throws -> Fixture {
        let text = """
            wire 1
            id       lines/three
            source   recorded by hand
            tags     lines
            title    Three lines
            --- stream
            > "one\\n"
            |
            > "twelve\\nthirteen\\n"
            > !fin
            --- expect server
            events   head one; end; head twelve; end; head thirteen; end
            wire     < "3\\n6\\n8\\n"
            close

            """
        return try Fixture.parse(Array(text.utf8), file: "lines.wire")
    }

    @Test(arguments: CutPlan.allCases.filter { !$0.needsTLS }, [ExecutorKind.parser, .memory])
    func aRightHandlerPasses(_ plan: CutPlan, _ executor: ExecutorKind) throws {
        let result = CellRunner().run(try Self.fixture(), .lines, executor, plan)
        #expect(result.verdict == .passed, "\(result.failures)")
    }

    @Test(arguments: [ExecutorKind.socketpair, .tcp, .unix, .tls], loops)
    func itPassesOnEveryLoop(_ executor: ExecutorKind, _ provider: LoopProvider) throws {
        for plan in [CutPlan.whole, .recorded, .everyByte, .twoWay, .eof, .blocked] {
            if executor == .tls, plan != .recorded, plan != .whole { continue }
            let result = CellRunner().run(try Self.fixture(), .lines, executor, loop: provider, plan)
            #expect(result.verdict == .passed, "\(plan): \(result.failures)")
        }
    }

    @Test func itPassesInsideOfTLSInMemory() throws {
        for plan in [CutPlan.recorded, .recordsEveryByte, .recordsTruncated] {
            let result = CellRunner().run(try Self.fixture(), .lines, .memoryTLS, plan)
            #expect(result.verdict == .passed, "\(plan): \(result.failures)")
        }
    }

    @Test func theExampleOfThePagePasses() throws {
        let fixture = try Self.fixture()
        // begin: nio-subject-run
        let runner = CellRunner()
        for executor in [ExecutorKind.parser, .memory] {
            for plan in [CutPlan.whole, .recorded, .everyByte, .twoWay, .random, .eof, .reset, .blocked] {
                let result = runner.run(fixture, .lines, executor, plan)
                #expect(result.verdict == .passed, "\(result.failures)")
            }
        }
        // end: nio-subject-run
    }

    /// A decoder that takes what one read brings for whole lines: right with the stream in one piece, and wrong.
    @Test func aHandlerThatTrustsReadsIsCaughtByTheCuts() throws {
        let hasty = Subject.pipeline(name: "hasty", side: .server, tags: ["lines"]) { channel, conversation in
            try channel.pipeline.syncOperations.addHandlers(HastyDecoder(), LineRecorder(conversation.log))
        }
        let fixture = try Self.fixture()
        for executor in [ExecutorKind.parser, .memory] {
            #expect(CellRunner().run(fixture, hasty, executor, .whole).verdict == .passed)
            let cut = CellRunner().run(fixture, hasty, executor, .twoWay)
            #expect(cut.failures.first?.kind == .differential)
            #expect(cut.failures.first?.cut == "two-way@1")
        }
        for provider in Self.loops {
            let cut = CellRunner().run(fixture, hasty, .tcp, loop: provider, .everyByte)
            #expect(cut.failures.first?.kind == .differential)
        }
    }

    @Test func anErrorAtTheTailIsAnEventAndTheLast() throws {
        let failing = Subject.pipeline(name: "failing", side: .server, tags: ["lines"]) { channel, conversation in
            try channel.pipeline.syncOperations.addHandlers(FailingHandler(), LineRecorder(conversation.log))
        }
        let runner = CellRunner()
        let difference = try #require(try runner.difference(try Self.fixture(), failing))
        #expect(difference.aspect == .events)
        #expect(difference.seen == "error not today")
    }

    @Test func aPipelineThatCannotBeSetUpFails() throws {
        let broken = Subject.pipeline(name: "broken", side: .server, tags: ["lines"]) { _, _ in throw Refusal() }
        for executor in [ExecutorKind.parser, .memory] {
            #expect(CellRunner().run(try Self.fixture(), broken, executor, .whole).verdict == .failed)
        }
    }
}

private struct Refusal: Error, CustomStringConvertible {
    var description: String { "not today" }
}

private final class HastyDecoder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for line in unwrapInboundIn(data).readableBytesView.split(separator: UInt8(ascii: "\n")) {
            context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: line)))
        }
    }
}

private final class FailingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireErrorCaught(Refusal())
        context.fireChannelRead(data)
    }
}
