import NIOCore

/// `IdleStateHandler`, which lives on a loop's timers.
enum IdleCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase("idle/reads", "IdleStateHandler.IdleStateEvent.read: no read was performed for the given time") {
            let pair = try await $0.accepted(plan { IdleStateHandler(readTimeout: .milliseconds(20)) })
            try await pair.heard.wait(for: .event("read"))
        },
        NIOBatteryCase(
            "idle/writes", "IdleStateHandler.IdleStateEvent.write: no write was performed for the given time"
        ) {
            let pair = try await $0.accepted(plan { IdleStateHandler(writeTimeout: .milliseconds(20)) })
            try await pair.near.writeAndFlush(ByteBuffer(string: "once")).value("the write")
            try await pair.heard.wait(for: .event("write"))
        },
        NIOBatteryCase("idle/both", "IdleStateHandler.IdleStateEvent.all: neither for the given time, again and again")
        {
            let pair = try await $0.connected(plan { IdleStateHandler(allTimeout: .milliseconds(10)) })
            try await pair.heard.wait("three events") { $0.filter { $0 == .event("all") }.count >= 3 }
        },
        NIOBatteryCase("idle/over-with-the-channel", "IdleStateHandler: its timers end with the channel") {
            let pair = try await $0.accepted(plan { IdleStateHandler(allTimeout: .milliseconds(5)) })
            try await pair.heard.wait(for: .event("all"))
            try await pair.near.close().value("close")
            let events = try await pair.heard.wait(for: .removed)
            try await pair.near.eventLoop.scheduleTask(in: .milliseconds(20)) {}.futureResult.value("a later task")
            try expectEqual(pair.heard.events.count, events.count, "events")
        },
    ]

    private static func plan(_ make: @escaping @Sendable () -> IdleStateHandler) -> PairPlan {
        var plan = PairPlan()
        plan.prepare = { try $0.pipeline.syncOperations.addHandler(make()) }
        return plan
    }
}
