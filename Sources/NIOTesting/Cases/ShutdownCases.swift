import Dispatch
import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// Shutting groups down, and what becomes of everything in them.
enum ShutdownCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase("shutdown/closes-connections", "EventLoopGroup.shutdownGracefully: open channels are closed") {
            stage in
            for accepts in [true, false] {
                let group = try stage.group()
                var plan = PairPlan()
                plan.group = group
                let pair = try await accepts ? stage.accepted(plan) : stage.connected(plan)
                try await pair.heard.wait(for: .active)
                let closed = pair.near.closeFuture.watch()
                try await stage.shutDown(group)
                try expectEqual(
                    Array(pair.heard.events.suffix(3)), [.inactive, .unregistered, .removed], "the last events")
                try await closed.value("closeFuture")
                try await pair.farHeard.wait("the end at the far side") {
                    $0.contains(.inputClosed) || $0.contains(.inactive)
                }
            }
        },
        NIOBatteryCase(
            "shutdown/closes-listeners", "EventLoopGroup.shutdownGracefully: listening and datagram channels too"
        ) {
            stage in
            let group = try stage.group()
            let server = try await stage.serverBootstrap(group).bind(host: "127.0.0.1", port: 0).value("bind")
            let datagrams = try await stage.host.datagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).value(
                "bind")
            let closed = (server.closeFuture.watch(), datagrams.closeFuture.watch())
            try await stage.shutDown(group)
            try await closed.0.value("the server's closeFuture")
            try await closed.1.value("the datagram channel's closeFuture")
            try expect(!server.isActive && !datagrams.isActive, "a channel was active")
        },
        NIOBatteryCase("shutdown/fails-timers", "EventLoopError.shutdown: what scheduled tasks get that did not run") {
            stage in
            let group = try stage.group()
            let loop = group.next()
            let scheduled = (0..<10).map { _ in loop.scheduleTask(in: .hours(1)) {}.futureResult.watch() }
            let cancelled = loop.scheduleTask(in: .hours(1)) {}
            let outcome = cancelled.futureResult.watch()
            cancelled.cancel()
            try await stage.shutDown(group)
            for task in scheduled {
                try expectError(try await task.error("the task"), EventLoopError.shutdown, "the error")
            }
            try expectError(try await outcome.error("the task"), EventLoopError.cancelled, "the error")
        },
        NIOBatteryCase(
            "shutdown/every-promise-completes", "EventLoopGroup.shutdownGracefully: no promise is left, counted"
        ) {
            stage in
            let group = try stage.group(2)
            let made = NIOLockedValueBox(0)
            let completed = Journal<String>()
            let count: @Sendable (EventLoopFuture<Void>, String) -> Void = { future, what in
                made.withLockedValue { $0 += 1 }
                future.whenComplete { _ in completed.add(what) }
            }
            var plan = PairPlan()
            plan.group = group
            plan.farReads = false
            plan.bufferSize = 8192
            for _ in 0..<4 {
                for pair in [try await stage.accepted(plan), try await stage.connected(plan)] {
                    count(pair.near.closeFuture, "close")
                    for _ in 0..<5 { count(pair.near.writeAndFlush(pattern(1 << 20)), "flushed") }
                    count(pair.near.write(ByteBuffer(string: "pending")), "unflushed")
                    count(pair.near.eventLoop.scheduleTask(in: .hours(1)) {}.futureResult, "timer")
                }
            }
            let full = try await ConnectingCases.fullListener(stage)
            for _ in 0..<3 {
                let connecting: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: group).connect(
                    to: full)
                count(connecting.map { _ in }, "connect")
            }
            let server = try await stage.serverBootstrap(group).bind(host: "127.0.0.1", port: 0).value("bind")
            count(server.closeFuture, "listener")
            try await stage.shutDown(group)
            // Eight connections with eight promises each, three connects, a listener.
            try expectEqual(made.withLockedValue { $0 }, 8 * 8 + 4, "promises made")
            try expectEqual(completed.entries.count, 8 * 8 + 4, "promises completed by the end of the shutdown")
        },
        NIOBatteryCase(
            "shutdown/twice", "EventLoopGroup.shutdownGracefully: may be called again; every callback is called"
        ) {
            let group = try $0.group(2)
            let called = Journal<Bool>()
            for _ in 0..<3 { group.shutdownGracefully(queue: .global()) { error in called.add(error == nil) } }
            try expectEqual(try await called.wait("three callbacks", count: 3), [true, true, true], "success")
        },
        NIOBatteryCase(
            "shutdown/callback-on-its-queue", "EventLoopGroup.shutdownGracefully(queue:): calls back on the queue"
        ) {
            let group = try $0.group()
            let queue = DispatchQueue(label: "battery")
            let key = DispatchSpecificKey<String>()
            queue.setSpecific(key: key, value: "battery")
            let called = Journal<String>()
            group.shutdownGracefully(queue: queue) { _ in called.add(DispatchQueue.getSpecific(key: key) ?? "elsewhere")
            }
            try expectEqual(try await called.wait("the callback", count: 1), ["battery"], "the queue")
        },
        NIOBatteryCase(
            "shutdown/not-one-loop", "EventLoopError.unsupportedOperation: a group's loop is not shut down alone"
        ) {
            let group = try $0.group(2)
            let loop = group.next()
            let waiter = Waiter<String>()
            loop.shutdownGracefully(queue: .global()) {
                waiter.finish(.success("\($0 as? EventLoopError == .unsupportedOperation)"))
            }
            try expectEqual(try await waiter.value("the callback"), "true", "unsupportedOperation")
            try await loop.submit {}.value("a task after it")
        },
        NIOBatteryCase(
            "shutdown/blocking", "EventLoopGroup.syncShutdownGracefully: waits until it is shut down, also again"
        ) {
            let group = try $0.group(2)
            let scheduled = group.next().scheduleTask(in: .hours(1)) {}.futureResult.watch()
            try await onThread("the shutdown") {
                try group.syncShutdownGracefully()
                try group.syncShutdownGracefully()
            }
            try expectError(try await scheduled.error("the task"), EventLoopError.shutdown, "the error")
        },
        NIOBatteryCase("shutdown/async", "EventLoopGroup.shutdownGracefully: as an async function as well") {
            let group = try $0.group()
            try await group.shutdownGracefully()
        },
        NIOBatteryCase(
            "shutdown/handlers-may-write", "ChannelError.ioOnClosedChannel: writes in channelInactive at shutdown"
        ) {
            stage in
            let group = try stage.group()
            let failed = Journal<String>()
            var plan = PairPlan()
            plan.group = group
            plan.reaction = { event, context in
                guard event == .inactive || event == .removed else { return }
                context.channel.writeAndFlush(ByteBuffer(string: "late")).whenFailure {
                    failed.add("\($0 as? ChannelError == .ioOnClosedChannel)")
                }
            }
            _ = try await stage.accepted(plan)
            try await stage.shutDown(group)
            try expectEqual(try await failed.wait("the failures", count: 2), ["true", "true"], "ioOnClosedChannel")
        },
        NIOBatteryCase(
            "shutdown/no-new-channels", "EventLoopError.shutdown: from connect and bind once the shutdown has begun"
        ) { stage in
            let (group, host) = (try stage.group(), stage.host)
            let failed = Journal<String>()
            var plan = PairPlan()
            plan.group = group
            plan.reaction = { event, context in
                guard event == .inactive, let address = context.channel.remoteAddress else { return }
                let tell: @Sendable (any Error) -> Void = { failed.add("\($0 as? EventLoopError == .shutdown)") }
                host.clientBootstrap(group: group).connect(to: address).whenFailure(tell)
                host.serverBootstrap(group: group, childGroup: group).bind(host: "127.0.0.1", port: 0)
                    .whenFailure(tell)
                host.datagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).whenFailure(tell)
            }
            _ = try await stage.accepted(plan)
            try await stage.shutDown(group)
            try expectEqual(
                try await failed.wait("the failures", count: 3), ["true", "true", "true"], "EventLoopError.shutdown")
        },
        NIOBatteryCase("shutdown/returns-descriptors", "EventLoopGroup.shutdownGracefully: every descriptor is closed")
        { stage in
            #if os(Linux)
                // What is opened once and for all is open by now.
                try await stage.shutDown(try stage.group(2))
                _ = try await stage.accepted()
                let before = try descriptors()
                for _ in 0..<3 {
                    let group = try stage.group(2)
                    for _ in 0..<5 {
                        _ = try await stage.serverBootstrap(group).bind(host: "127.0.0.1", port: 0).value("bind")
                        _ = try await stage.host.datagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).value(
                            "bind")
                    }
                    try expect(try descriptors() > before, "open channels have no descriptors")
                    try await stage.shutDown(group)
                }
                try expectEqual(try descriptors(), before, "open descriptors")
            #endif
        },
    ]

    #if os(Linux)
        private static func descriptors() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }
    #endif
}
