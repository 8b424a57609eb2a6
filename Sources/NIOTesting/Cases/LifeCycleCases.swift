import NIOCore
import NIOPosix

/// From registration to the end: the order of a channel's events, and what holds at each.
enum LifeCycleCases {
    static let opening: [NIOBatteryCase] = [
        NIOBatteryCase(
            "life/accepted-in-order", "ChannelPipeline: handlerAdded, channelRegistered, channelActive, in that order"
        ) { stage in
            let pair = try await stage.accepted()
            try expectEqual(Array(pair.heard.events.prefix(3)), [.added, .registered, .active], "the first events")
        },
        NIOBatteryCase(
            "life/connected-in-order", "ChannelPipeline: handlerAdded, channelRegistered, channelActive, in that order"
        ) { stage in
            let pair = try await stage.connected()
            let events = try await pair.heard.wait(for: .active)
            try expectEqual(Array(events.prefix(3)), [.added, .registered, .active], "the first events")
        },
        NIOBatteryCase(
            "life/listening-in-order", "ServerBootstrap.serverChannelInitializer: runs before the channel is registered"
        ) { stage in
            let heard = ServerRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try expectEqual(Array(heard.events.prefix(3)), [.added, .registered, .active], "the first events")
            try expect(server.isActive, "a bound server was not active")
        },
        NIOBatteryCase(
            "life/connect-completes-before-active",
            "Channel.connect: its promise is fulfilled before channelActive fires"
        ) { stage in
            let journal = Journal<String>()
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let address = try stage.address(server)
            _ = try await stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { channel in
                    let recorder = StreamRecorder { event, _ in if event == .active { journal.add("active") } }
                    return channel.pipeline.addHandler(ConnectWatcher { journal.add("connected") }).flatMap {
                        channel.pipeline.addHandler(recorder)
                    }
                }
                .connect(to: address).value("connect")
            try expectEqual(try await journal.wait("both", count: 2), ["connected", "active"], "the order")
        },
        NIOBatteryCase(
            "life/is-active-follows-the-events", "Channel.isActive: from channelActive until channelInactive"
        ) { stage in
            let journal = Journal<String>()
            var plan = PairPlan()
            plan.reaction = { event, context in
                switch event {
                case .registered, .active, .inactive, .unregistered:
                    journal.add("\(event) \(context.channel.isActive)")
                default: break
                }
            }
            let pair = try await stage.accepted(plan)
            try expect(pair.near.isActive, "isActive was false off the loop")
            try await pair.near.close().value("close")
            try expect(!pair.near.isActive, "isActive was true after close")
            let events = try await journal.wait("all four", count: 4)
            try expectEqual(
                events, ["registered false", "active true", "inactive false", "unregistered false"], "isActive at each")
        },
        NIOBatteryCase("life/everything-on-the-loop", "ChannelHandler: its methods are called on the channel's loop") {
            let pair = try await $0.accepted()
            try await pair.farSend("hello")
            try await pair.heard.wait(bytes: 5)
            try await pair.farFinish()
            try await pair.heard.wait(for: .removed)
            try expectEqual(pair.heard.offLoop, 0, "events off the loop")
        },
        NIOBatteryCase(
            "life/child-has-its-parent", "Channel.parent: channels may be in a hierarchy; a child's is its listener"
        ) { stage in
            let pair = try await stage.accepted()
            try expect(pair.near.parent === pair.server, "the child's parent was not the server")
            try expect(pair.server.parent == nil, "the server had a parent")
            let connected = try await stage.connected()
            try expect(connected.near.parent == nil, "a client had a parent")
        },
        NIOBatteryCase("life/addresses-of-both-ends", "Channel.localAddress, remoteAddress: the one's is the other's") {
            for pair in [try await $0.accepted(), try await $0.connected()] {
                try expectEqual(pair.near.localAddress, pair.far.remoteAddress, "the near end's local address")
                try expectEqual(pair.near.remoteAddress, pair.far.localAddress, "the near end's remote address")
                try expect(pair.near.remoteAddress != nil, "no remote address")
            }
        },
        NIOBatteryCase(
            "life/addresses-until-removed",
            "Channel.localAddress, remoteAddress: known in channelInactive, handlerRemoved"
        ) { stage in
            let journal = Journal<Bool>()
            var plan = PairPlan()
            plan.reaction = { event, context in
                guard [.inactive, .unregistered, .removed].contains(event) else { return }
                journal.add(context.channel.localAddress != nil && context.channel.remoteAddress != nil)
            }
            let pair = try await stage.accepted(plan)
            try await pair.near.close().value("close")
            try expectEqual(try await journal.wait("all three", count: 3), [true, true, true], "addresses at each")
        },
        NIOBatteryCase(
            "life/failed-initializer-fails-connect", "ClientBootstrap.channelInitializer: its failure is connect's"
        ) { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let address = try stage.address(server)
            let closed = Journal<String>()
            let future: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { channel in
                    channel.closeFuture.whenSuccess { closed.add("closed") }
                    return channel.eventLoop.makeFailedFuture(TestError.expected)
                }
                .connect(to: address)
            try expectError(try await future.error("connect"), TestError.expected, "the error")
            try await closed.wait("the channel's close", count: 1)
        },
        NIOBatteryCase(
            "life/failed-server-initializer-fails-bind",
            "ServerBootstrap.serverChannelInitializer: its failure is bind's"
        ) { stage in
            let future: EventLoopFuture<any Channel> = stage.serverBootstrap(try stage.group())
                .serverChannelInitializer { $0.eventLoop.makeFailedFuture(TestError.expected) }
                .bind(host: "127.0.0.1", port: 0)
            try expectError(try await future.error("bind"), TestError.expected, "the error")
        },
        NIOBatteryCase(
            "life/failed-child-initializer-closes-the-child",
            "ServerBootstrap.childChannelInitializer: a child whose initializer fails is closed, the server goes on"
        ) { stage in
            let heard = StreamRecorder()
            let failing = Journal<String>()
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelInitializer { channel in
                    failing.add("child")
                    return failing.entries.count == 1
                        ? channel.eventLoop.makeFailedFuture(TestError.expected) : channel.pipeline.addHandler(heard)
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let first = try await stage.farConnect(to: server)
            try await first.heard.wait("the end of the connection") {
                $0.contains(.inputClosed) || $0.contains(.inactive)
            }
            _ = try await stage.farConnect(to: server)
            try await heard.wait(for: .active)
        },
        NIOBatteryCase("life/close-in-active", "Channel.close: may be called from channelActive; inactive comes after")
        {
            var plan = PairPlan()
            plan.reaction = { event, context in if event == .active { context.close(promise: nil) } }
            let pair = try await $0.accepted(plan)
            let events = try await pair.heard.wait(for: .removed)
            try expectEqual(
                events, [.added, .registered, .active, .inactive, .unregistered, .removed], "the events")
        },
    ]

    static let closing: [NIOBatteryCase] = [
        NIOBatteryCase(
            "life/close-in-order", "ChannelPipeline: channelInactive, channelUnregistered, then handlerRemoved"
        ) {
            for pair in [try await $0.accepted(), try await $0.connected()] {
                try await pair.heard.wait(for: .active)
                try await pair.near.close().value("close")
                let events = try await pair.heard.wait(for: .removed)
                try expectEqual(Array(events.suffix(3)), [.inactive, .unregistered, .removed], "the last events")
                try await pair.farHeard.wait(for: .inputClosed)
            }
        },
        NIOBatteryCase(
            "life/close-promise-before-inactive", "Channel.close: its promise is fulfilled, then channelInactive fires"
        ) { stage in
            let journal = Journal<String>()
            var plan = PairPlan()
            plan.reaction = { event, _ in if event == .inactive { journal.add("inactive") } }
            let pair = try await stage.accepted(plan)
            pair.near.closeFuture.whenSuccess { journal.add("closeFuture") }
            try await pair.onLoop("closing") { channel in
                let promise = channel.eventLoop.makePromise(of: Void.self)
                promise.futureResult.whenSuccess { journal.add("promise") }
                channel.close(promise: promise)
            }
            try expectEqual(
                try await journal.wait("all three", count: 3), ["promise", "inactive", "closeFuture"], "the order")
        },
        NIOBatteryCase(
            "life/close-future-comes-a-turn-later", "Channel.closeFuture: fires when the channel has been closed"
        ) { stage in
            let pair = try await stage.accepted()
            let journal = Journal<String>()
            pair.near.closeFuture.whenComplete { result in
                if case .success = result { journal.add("closed \(pair.near.eventLoop.inEventLoop)") }
            }
            try await pair.onLoop("closing") { channel in
                channel.close(promise: nil)
                journal.add("close returns")
            }
            try expectEqual(try await journal.wait("both", count: 2), ["close returns", "closed true"], "the order")
            try expect(pair.heard.events.contains(.removed), "closeFuture fired before handlerRemoved")
        },
        NIOBatteryCase("life/second-close-fails", "ChannelError.alreadyClosed: close on a channel that is closed") {
            let pair = try await $0.accepted()
            try await pair.near.close().value("close")
            try expectError(
                try await pair.near.close().error("the second close"), ChannelError.alreadyClosed, "the error")
            try await pair.near.closeFuture.value("closeFuture")
        },
        NIOBatteryCase(
            "life/close-future-never-fails", "Channel.closeFuture: is never failed, however the channel was closed"
        ) {
            let pair = try await $0.accepted()
            try await pair.farReset()
            try await pair.near.closeFuture.value("closeFuture after a reset")
        },
        NIOBatteryCase("life/peer-ends", "ChannelOptions.allowRemoteHalfClosure: without it, the peer's end closes all")
        {
            let pair = try await $0.accepted()
            try await pair.farFinish()
            let events = try await pair.heard.wait(for: .removed)
            try expect(!events.contains(.inputClosed), "inputClosed came without the option")
            try expectEqual(Array(events.suffix(3)), [.inactive, .unregistered, .removed], "the last events")
            try await pair.farHeard.wait("the other direction's end") {
                $0.contains(.inactive) || $0.contains(.inputClosed)
            }
        },
        NIOBatteryCase(
            "life/peer-resets", "ChannelInboundHandler.errorCaught: a read's IOError, then the channel closes"
        ) {
            let pair = try await $0.accepted()
            try await pair.farReset()
            let events = try await pair.heard.wait(for: .removed)
            guard let error = pair.heard.errors.first else {
                throw NIOBatteryFailure("no error came before the end: \(events)")
            }
            try expectErrno(error, 104, what: "the error")
            try expectEqual(Array(events.suffix(3)), [.inactive, .unregistered, .removed], "the last events")
        },
        NIOBatteryCase(
            "life/handlers-are-added-no-more", "ChannelPipeline.addHandler: fails once the channel is closed"
        ) {
            let pair = try await $0.accepted()
            try await pair.near.close().value("close")
            try await pair.near.closeFuture.value("closeFuture")
            let error = try await pair.near.pipeline.addHandler(StreamRecorder()).error("addHandler")
            try expectError(error, ChannelError.ioOnClosedChannel, "the error")
        },
        NIOBatteryCase("life/server-close-in-order", "Channel.close: a listening channel's events end as any other's") {
            stage in
            let heard = ServerRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try await server.close().value("close")
            let events = try await heard.wait(for: .removed)
            try expectEqual(Array(events.suffix(3)), [.inactive, .unregistered, .removed], "the last events")
            try expectError(try await server.close().error("close again"), ChannelError.alreadyClosed, "the error")
        },
        NIOBatteryCase("life/close-in-inactive", "Channel.close: in channelInactive it fails with alreadyClosed") {
            stage in
            let journal = Journal<String>()
            var plan = PairPlan()
            plan.reaction = { event, context in
                guard event == .inactive else { return }
                context.close().whenFailure { journal.add("\($0 as? ChannelError == .alreadyClosed)") }
            }
            let pair = try await stage.accepted(plan)
            try await pair.near.close().value("close")
            try expectEqual(try await journal.wait("the failure", count: 1), ["true"], "alreadyClosed")
        },
        NIOBatteryCase(
            "life/user-events-go-round-the-pipeline",
            "ChannelPipeline.fireUserInboundEventTriggered: reaches every handler"
        ) {
            let pair = try await $0.accepted()
            pair.near.pipeline.fireUserInboundEventTriggered("hello")
            try await pair.heard.wait(for: .event("hello"))
        },
        NIOBatteryCase(
            "life/unknown-outbound-event-fails",
            "Channel.triggerUserOutboundEvent: ChannelError.operationUnsupported if nobody knows it"
        ) { stage in
            let pair = try await stage.accepted()
            for channel in [pair.near, pair.server] {
                let error = try await channel.triggerUserOutboundEvent("unknown").error("the event")
                try expectError(error, ChannelError.operationUnsupported, "the error")
            }
            try expect(pair.near.isActive, "the channel closed")
        },
        NIOBatteryCase(
            "life/an-uncaught-error-closes-nothing",
            "ChannelInboundHandler.errorCaught: at the tail an error is dropped"
        ) {
            let pair = try await $0.accepted()
            pair.near.pipeline.fireErrorCaught(TestError.expected)
            try await pair.heard.wait(for: .error("expected"))
            try await pair.farSend("still there")
            try await pair.heard.wait(bytes: 11)
        },
        NIOBatteryCase(
            "life/removed-handler-hears-no-more",
            "ChannelPipeline.syncOperations.removeHandler: handlerRemoved, then none"
        ) { stage in
            let pair = try await stage.accepted()
            let removable = RemovableRecorder()
            try await pair.near.pipeline.addHandler(removable, position: .first).value("addHandler")
            try await pair.near.pipeline.removeHandler(removable).value("removeHandler")
            try await pair.farSend("hello")
            try await pair.heard.wait(bytes: 5)
            try expectEqual(removable.journal.entries, ["added", "removed"], "what it heard")
        },
    ]
}

/// Says when a connect has completed.
private final class ConnectWatcher: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = Never
    private let connected: @Sendable () -> Void

    init(_ connected: @escaping @Sendable () -> Void) {
        self.connected = connected
    }

    func connect(context: ChannelHandlerContext, to address: SocketAddress, promise: EventLoopPromise<Void>?) {
        let own = context.eventLoop.makePromise(of: Void.self)
        own.futureResult.whenSuccess { [connected] in connected() }
        own.futureResult.cascade(to: promise)
        context.connect(to: address, promise: own)
    }
}

/// Hears reads until it is removed.
private final class RemovableRecorder: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let journal = Journal<String>()

    func handlerAdded(context: ChannelHandlerContext) { journal.add("added") }
    func handlerRemoved(context: ChannelHandlerContext) { journal.add("removed") }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        journal.add("read")
        context.fireChannelRead(data)
    }
}
