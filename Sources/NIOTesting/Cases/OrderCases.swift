import NIOCore
import NIOPosix

/// What comes before what: promises, states and events of one channel, seen from its own loop.
enum OrderCases {
    /// A plan whose near channel writes its promises and the events of `kinds` down.
    private static func plan(
        _ journal: Journal<String>, _ kinds: Set<String>,
        completed: @escaping PromiseWatcher.Completed = { _, _ in }
    ) -> PairPlan {
        var plan = PairPlan()
        plan.prepare = { channel in
            let watcher = PromiseWatcher { operation, channel in
                if kinds.contains(operation) { journal.add("\(operation) done") }
                completed(operation, channel)
            }
            try channel.pipeline.syncOperations.addHandler(watcher)
        }
        plan.reaction = { event, _ in if kinds.contains("\(event)") { journal.add("\(event)") } }
        return plan
    }

    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase(
            "order/register-completes-before-registered",
            "Channel.register: its promise is fulfilled before channelRegistered fires"
        ) { stage in
            for accepts in [true, false] {
                let journal = Journal<String>()
                let plan = plan(journal, ["register", "registered"])
                _ = try await accepts ? stage.accepted(plan) : stage.connected(plan)
                try expectEqual(
                    try await journal.wait("both", count: 2), ["register done", "registered"], "the order")
            }
        },
        NIOBatteryCase(
            "order/bind-completes-before-active",
            "Channel.bind: its promise, then channelActive; active and bound at it"
        ) { stage in
            let journal = Journal<String>()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelInitializer { channel in
                    let watcher = PromiseWatcher { operation, channel in
                        guard operation == "bind" else { return }
                        journal.add("bound \(channel.isActive) \((channel.localAddress?.port ?? 0) != 0)")
                    }
                    let heard = ServerRecorder { event, _ in if event == .active { journal.add("active") } }
                    return channel.pipeline.addHandler(watcher).flatMap { channel.pipeline.addHandler(heard) }
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try expectEqual(try await journal.wait("both", count: 2), ["bound true true", "active"], "the order")
            try expect(server.isActive, "the server was not active")
        },
        NIOBatteryCase(
            "order/active-when-connect-completes", "Channel.connect: at its promise, isActive and both addresses hold"
        ) { stage in
            let journal = Journal<[Bool]>()
            let plan = plan(Journal(), []) { operation, channel in
                guard operation == "connect" else { return }
                journal.add([channel.isActive, channel.localAddress != nil, channel.remoteAddress != nil])
            }
            _ = try await stage.connected(plan)
            try expectEqual(try await journal.wait("the connect", count: 1), [[true, true, true]], "what holds")
        },
        NIOBatteryCase(
            "order/closed-when-connect-completes",
            "Channel.close: at connect's promise; then neither active nor inactive"
        ) { stage in
            let plan = plan(Journal(), []) { operation, channel in
                if operation == "connect" { channel.close(promise: nil) }
            }
            let pair = try await stage.connected(plan)
            try expectEqual(
                try await pair.heard.wait(for: .removed), [.added, .registered, .unregistered, .removed], "the events")
        },
        NIOBatteryCase(
            "order/refused-before-unregistered", "Channel.connect: its promise is failed, then channelUnregistered"
        ) { stage in
            let journal = Journal<String>()
            let heard = StreamRecorder { event, _ in if event == .unregistered { journal.add("unregistered") } }
            let connecting: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { channel in
                    let watcher = PromiseWatcher { _, _ in
                    } failed: { operation, channel in
                        journal.add("\(operation) failed \(channel.isActive)")
                    }
                    return channel.pipeline.addHandler(watcher).flatMap { channel.pipeline.addHandler(heard) }
                }
                .connect(to: try await ConnectingCases.unused(stage))
            _ = try await connecting.error("connect")
            try expectEqual(
                try await journal.wait("both", count: 2), ["connect failed false", "unregistered"], "the order")
        },
        NIOBatteryCase(
            "order/writes-fail-before-close-completes", "Channel.close: pending writes fail in order, then its promise"
        ) { stage in
            let journal = Journal<String>()
            var plan = PairPlan()
            plan.reaction = { event, _ in if event == .inactive { journal.add("inactive") } }
            let pair = try await stage.accepted(plan)
            try await pair.onLoop("closing") { channel in
                for number in 0..<3 {
                    channel.write(pattern(10)).whenFailure { _ in journal.add("write \(number) \(channel.isActive)") }
                }
                let closing = channel.eventLoop.makePromise(of: Void.self)
                closing.futureResult.whenSuccess { journal.add("closed") }
                channel.close(promise: closing)
            }
            try expectEqual(
                try await journal.wait("all five", count: 5),
                ["write 0 false", "write 1 false", "write 2 false", "closed", "inactive"], "the order")
        },
        NIOBatteryCase(
            "order/connect-fails-before-close-completes", "Channel.close: a connect under way fails, then its promise"
        ) { stage in
            let full = try await ConnectingCases.fullListener(stage)
            let (journal, channels) = (Journal<String>(), Journal<any Channel>())
            stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { channel in
                    channels.add(channel)
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .connect(to: full).whenFailure { _ in journal.add("connect") }
            let channel = try await channels.wait("the channel", count: 1)[0]
            try await settle(channel)
            try expect(channel.localAddress != nil, "no local address while connecting")
            try expectEqual(channel.remoteAddress, nil, "the remote address while connecting")
            try expect(!channel.isActive, "active while connecting")
            try await channel.eventLoop.submit {
                let closing = channel.eventLoop.makePromise(of: Void.self)
                closing.futureResult.whenSuccess { journal.add("close") }
                channel.close(promise: closing)
            }.value("closing")
            try expectEqual(try await journal.wait("both", count: 2), ["connect", "close"], "the order")
        },
        NIOBatteryCase(
            "order/handlers-leave-a-turn-later",
            "ChannelHandler.handlerRemoved: in a later task than channelUnregistered"
        ) { stage in
            let pair = try await stage.accepted()
            let heard = pair.heard
            let events = try await pair.onLoop("closing") { channel in
                channel.close(promise: nil)
                return heard.events
            }
            try expectEqual(events.suffix(2), [.inactive, .unregistered], "the events when close returns")
            try await pair.heard.wait(for: .removed)
        },
        NIOBatteryCase(
            "order/close-future-last", "Channel.closeFuture: after handlerRemoved, while the addresses are still known"
        ) { stage in
            for pair in [try await stage.accepted(), try await stage.connected()] {
                let (journal, heard, near) = (Journal<[Bool]>(), pair.heard, pair.near)
                near.closeFuture.whenSuccess {
                    journal.add([
                        heard.events.contains(.removed), near.localAddress != nil, near.remoteAddress != nil,
                        !near.isActive,
                    ])
                }
                near.close(promise: nil)
                try expectEqual(
                    try await journal.wait("closeFuture", count: 1), [[true, true, true, true]], "what holds")
            }
        },
        NIOBatteryCase(
            "order/register-twice", "ChannelError.inappropriateOperationForState: registered already; ioOnClosedChannel"
        ) { stage in
            let pair = try await stage.accepted()
            for channel in [pair.near, pair.server] {
                try expectError(
                    try await channel.register().error("register"), ChannelError.inappropriateOperationForState,
                    "the error")
                try expect(channel.isActive, "the channel closed")
                try await channel.close().value("close")
                try expectError(
                    try await channel.register().error("register"), ChannelError.ioOnClosedChannel,
                    "the error of a closed channel")
            }
        },
        NIOBatteryCase(
            "order/a-failed-connect-closes", "Channel.connect: one that the system refuses at once closes the channel"
        ) { stage in
            let wrong = try SocketAddress(unixDomainSocketPath: stage.path())
            let failures = Journal<any Error>()
            let heard = StreamRecorder { event, context in
                guard event == .registered else { return }
                context.channel.connect(to: wrong).whenFailure { failures.add($0) }
            }
            let server = try await stage.farServer(StreamRecorder())
            let error = try await stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .connect(to: try stage.address(server)).error("connect")
            try expectError(error, ChannelError.ioOnClosedChannel, "the error of the connect after it")
            try expectErrno(try await failures.wait("the failure", count: 1)[0], 97, what: "the error")
            try expectEqual(
                try await heard.wait(for: .removed), [.added, .registered, .unregistered, .removed], "the events")
        },
        NIOBatteryCase(
            "order/writes-before-reads", "EventLoop: a socket that is ready for both is written to, then read from"
        ) { stage in
            let journal = Journal<String>()
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            plan.reaction = { event, _ in if case .read = event { journal.add("read") } }
            let pair = try await stage.connected(plan, overUnix: true)
            try await pair.onLoop("writing") { channel in
                for _ in 0..<200 { channel.write(pattern(4096)).whenSuccess { journal.add("written") } }
                channel.flush()
            }
            let sent = try await pair.onLoop("counting") { channel in
                200 * 4096 - (try channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0)
            }
            let before = journal.entries.count
            try await pair.standingStill {
                try await pair.farReads()
                try await pair.farHeard.wait(bytes: sent)
                try await pair.farSend("hello")
            }
            let entries = try await journal.wait("the read") { $0.contains("read") }
            try expectEqual(entries[before], "written", "what came first")
        },
        NIOBatteryCase(
            "order/sent-at-activation",
            "ChannelOutboundInvoker.flush: in an initializer; sent once the channel is active"
        ) { stage in
            let journal = Journal<String>()
            var plan = PairPlan()
            plan.prepare = { channel in
                channel.writeAndFlush(ByteBuffer(string: "early")).whenSuccess { journal.add("written") }
            }
            plan.reaction = { event, _ in if event == .active { journal.add("active") } }
            for pair in [try await stage.accepted(plan), try await stage.connected(plan, overUnix: true)] {
                try await pair.farHeard.wait(bytes: 5)
            }
            try expectEqual(
                try await journal.wait("all four", count: 4), ["active", "written", "active", "written"], "the order")
        },
        NIOBatteryCase(
            "order/bytes-gone-when-told", "ChannelOptions.bufferedWritableBytes: at a write's promise it counts no more"
        ) { stage in
            let journal = Journal<Int>()
            let pair = try await stage.accepted()
            try await pair.onLoop("writing") { channel in
                for _ in 0..<2 {
                    channel.write(pattern(10)).whenSuccess {
                        journal.add((try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? -1)
                    }
                }
                channel.flush()
            }
            try expectEqual(try await journal.wait("both", count: 2), [0, 0], "the bytes pending")
        },
        NIOBatteryCase(
            "order/part-of-a-write-is-gone",
            "ChannelOptions.bufferedWritableBytes: less what the socket took of a write"
        ) { stage in
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            let pair = try await stage.connected(plan, overUnix: true)
            let left = try await pair.onLoop("writing") { channel in
                channel.writeAndFlush(pattern(1 << 20), promise: nil)
                return try channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
            }
            try expect(left > 0 && left < 1 << 20, "\(left) bytes are pending of a write of \(1 << 20)")
            try await pair.farReads()
            try await pair.farHeard.wait(bytes: 1 << 20)
        },
    ]
}

/// Tells when the operations that pass through it complete, before whoever asked for them hears of it.
private final class PromiseWatcher: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = Never
    typealias Completed = @Sendable (String, any Channel) -> Void

    private let completed: Completed
    private let failed: Completed

    init(_ completed: @escaping Completed, failed: @escaping Completed = { _, _ in }) {
        self.completed = completed
        self.failed = failed
    }

    private func watched(
        _ operation: String, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) -> EventLoopPromise<Void> {
        let own = context.eventLoop.makePromise(of: Void.self)
        own.futureResult.whenComplete { [completed, failed, channel = context.channel] result in
            switch result {
            case .success: completed(operation, channel)
            case .failure: failed(operation, channel)
            }
        }
        own.futureResult.cascade(to: promise)
        return own
    }

    func register(context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        context.register(promise: watched("register", context, promise))
    }

    func bind(context: ChannelHandlerContext, to address: SocketAddress, promise: EventLoopPromise<Void>?) {
        context.bind(to: address, promise: watched("bind", context, promise))
    }

    func connect(context: ChannelHandlerContext, to address: SocketAddress, promise: EventLoopPromise<Void>?) {
        context.connect(to: address, promise: watched("connect", context, promise))
    }
}
