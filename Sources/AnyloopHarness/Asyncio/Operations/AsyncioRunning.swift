import AnyloopCore

extension AsyncioOperation {
    /// Running and stopping, debug mode, the exception handler.
    static let running: [String: AsyncioOperation] = [
        "stop": .plain { player, _ in call(player, "loop.stop") { player.loop.stop() } },
        "run_forever": .plain { player, _ in call(player, "loop.run_forever") { try player.loop.run() } },
        "run_other_loop": .plain { player, _ in
            let other = try player.provider.makeLoop()
            other.callSoon { other.stop() }
            call(player, "other loop.run_forever") { try other.run() }
            other.closeLoop()
        },
        "loop_close": .plain { player, _ in
            call(player, "loop.close") {
                if player.loop.isRunning { throw TransportError.usage("Cannot close a running event loop") }
                player.loop.closeLoop()
            }
        },
        "is_running": .plain { player, _ in
            player.call("loop.is_running") { .flag(player.loop.isRunning) }
        },
        "is_closed": .plain { player, _ in player.call("loop.is_closed") { .flag(player.loop.isClosed) } },
        "debug": .plain { player, step in
            try player.debugLoop().isDebug = try step.table.flag("on", or: true)
        },
        "get_debug": .plain { player, _ in
            let loop = try player.debugLoop()
            player.call("loop.get_debug") { .flag(loop.isDebug) }
        },
        "slow_callback_duration": .plain { player, step in
            let loop = try player.debugLoop()
            if step.table.has("seconds") {
                loop.slowCallbackDuration = .seconds(try step.table.seconds("seconds"))
            } else {
                player.call("loop.slow_callback_duration") {
                    .real(loop.slowCallbackDuration / .seconds(1))
                }
            }
        },
        "exception_handler": .plain { player, step in
            switch try step.table.text("kind") {
            case "record": player.watchExceptions()
            case "default": player.loop.exceptionHandler = nil
            case "raise": player.watchExceptions(thenThrow: Boom())
            default: throw step.table.error("kind", expected: "'record', 'default' or 'raise'")
            }
        },
        "call_exception_handler": .plain { player, step in
            let message = try step.table.text("message")
            let error: (any Error)? = step.table.has("error") ? Boom() : nil
            call(player, "loop.call_exception_handler") {
                player.loop.callExceptionHandler(LoopException(message: message, error: error))
            }
        },
    ]

    private static func call(_ player: AsyncioPlayer, _ label: String, _ body: () throws -> Void) {
        player.call(label) {
            try body()
            return .none
        }
    }
}

extension AsyncioPlayer {
    func debugLoop() throws -> any DebugLoop {
        guard let loop = loop as? any DebugLoop else {
            throw LiveScenario.Unsupported("this loop has no debug mode (protocol DebugLoop)")
        }
        return loop
    }
}
