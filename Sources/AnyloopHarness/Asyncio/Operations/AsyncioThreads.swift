import AnyloopCore

extension AsyncioOperation {
    /// Other threads.
    static let threads: [String: AsyncioOperation] = [
        "soon_threadsafe": .plain { player, step in
            let name = try step.table.text("name")
            let remote = player.loop.remote
            let body = LoopBound(try player.named(name, try step.steps("then")), to: remote)
            if !remote.callSoonThreadsafe({ try body.value() }) {
                player.line("soon_threadsafe \(name) !\(AsyncioText.error(TransportError.loopClosed))")
            }
        },
        "thread_soon": .plain { player, step in
            let remote = player.loop.remote
            let actions = try step.steps("then")
            let bodies = try step.table.texts("names").map {
                LoopBound(try player.named($0, actions), to: remote)
            }
            let post: @Sendable () -> Void = {
                for body in bodies { remote.callSoonThreadsafe { try body.value() } }
            }
            guard step.table.has("after") else { return AsyncioThread.runAndWait(post) }
            let delay = try step.table.seconds("after")
            AsyncioThread.start {
                AsyncioThread.sleep(seconds: delay)
                post()
            }
        },
        "thread": .plain { player, step in
            let actions = try step.steps("then")
            // This thread does nothing until the other is done.
            nonisolated(unsafe) let lent = player
            AsyncioThread.runAndWait {
                do { try unsafe lent.perform(actions) } catch { unsafe lent.fail(error) }
            }
        },
    ]
}
