import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem

extension CompatScenario {
    static let queue: [CompatScenario] = [
        CompatScenario("nested_soon_2") { loop, log in
            try loop.runUntilComplete {
                log.tick()
                loop.callSoon {
                    log("a")
                    log.soon("a1")
                    loop.callSoon {
                        log("a2")
                        log.soon("a3")
                    }
                }
                log.soon("b")
                try await loop.settle()
            }
        },
        CompatScenario("soon_then_descriptors_then_timers_3") { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.runUntilComplete {
                try await loop.adopt(near, OrderProtocol(log, "S"))
                try await loop.settle()
                loop.callLater(.seconds(-1)) { log("timer") }
                far.send("x")
                log.soon("soon")
                try await loop.settle()
                loop.callLater(.zero) { log.soon("from timer") }
                far.send("y")
                log.soon("soon")
                try await loop.settle()
            }
        },
        CompatScenario("later_zero_and_less_24") { loop, log in
            try loop.runUntilComplete {
                log.tick()
                loop.callLater(.zero) { log("zero") }
                loop.callLater(.seconds(-5)) { log("negative") }
                log.soon("soon")
                try await loop.settle()
            }
        },
        CompatScenario("threadsafe_18") { loop, log in
            let bound = LoopBound(log, to: loop.remote)
            try loop.runUntilComplete {
                log.tick()
                log.soon("a")
                loop.callSoonThreadsafe { bound.value("b") }
                log.soon("c")
                loop.callSoonThreadsafe { bound.value("d") }
                try await loop.settle()
            }
        },
        CompatScenario("threadsafe_from_a_thread_18") { loop, log in
            let bound = LoopBound(log, to: loop.remote)
            let remote = loop.remote
            try loop.runUntilComplete {
                log.tick()
                log.soon("a")
                OtherSystemThread.runAndWait { remote.callSoonThreadsafe { bound.value("b") } }
                log.soon("c")
                try await loop.settle()
            }
        },
        CompatScenario("close_after_threadsafe_18") { loop, log in
            let (near, far) = try RawEnd.pair()
            let bound = LoopBound(log, to: loop.remote)
            try loop.runUntilComplete {
                let made = OrderProtocol(log, "S")
                try await loop.adopt(near, made)
                log.tick()
                loop.callSoonThreadsafe { bound.value("posted") }
                made.transport?.close()
                log.soon("after")
                try await loop.settle()
            }
            far.close()
        },
        CompatScenario("tasks_resume_behind_what_is_queued_28") { loop, log in
            try loop.runUntilComplete {
                log.tick()
                await Task.yield()
                log.soon("a")
                try await loop.sleep(for: .milliseconds(1))
                log("slept")
                log.soon("b")
                try await loop.sleep(for: .milliseconds(1))
                log("slept again")
            }
        },
    ]

    static let control: [CompatScenario] = [
        CompatScenario("stop_7") { loop, log in
            loop.callSoon {
                log("stop")
                loop.stop()
                log.soon("queued while stopping")
            }
            log.soon("same turn")
            try loop.runForever()
            log("stopped")
            loop.callSoon { loop.stop() }
            try loop.runForever()
        },
        CompatScenario("stop_before_run_8") { loop, log in
            loop.callSoon {
                log("a")
                log.soon("b")
            }
            loop.stop()
            try loop.runForever()
            log("stopped")
            loop.stop()
            try loop.runForever()
        },
        CompatScenario("until_complete_generations_9") { loop, log in
            func generation(_ number: Int) {
                log("generation \(number)")
                if number < 4 { loop.callSoon { generation(number + 1) } }
            }
            log.soon("queued before")
            try loop.runUntilComplete {
                log("main")
                loop.callSoon { generation(1) }
            }
            log("returned")
            try loop.runUntilComplete { await Task.yield() }
            log("returned")
        },
        CompatScenario("until_complete_stopped_10") { loop, log in
            loop.callSoon { loop.stop() }
            do {
                try loop.runUntilComplete { try await loop.sleep(for: .seconds(60)) }
            } catch { log("\(error)") }
        },
        CompatScenario("create_server_takes_a_turn_52") { loop, log in
            try loop.runUntilComplete {
                log.tick()
                log.soon("before")
                _ = try await loop.createServer({ OrderProtocol(log, "S") }, host: "127.0.0.1", port: 0)
                log("listening")
                try await loop.settle()
            }
        },
    ]

    static let datagrams: [CompatScenario] = [
        CompatScenario("datagram_made_107") { loop, log in
            try loop.runUntilComplete {
                log.tick()
                _ = try await loop.createDatagramEndpoint(
                    {
                        log("D factory")
                        return OrderDatagram(onMade: {
                            log("D made")
                            log.soon("soon from made")
                        })
                    }, localAddress: .host("127.0.0.1", port: 0))
                log("opened")
                try await loop.settle()
            }
        },
        CompatScenario("one_datagram_a_turn_107") { loop, log in
            try loop.runUntilComplete {
                let (transport, _) = try await loop.createDatagramEndpoint(
                    {
                        OrderDatagram(onDatagram: { text in
                            log("D \(text)")
                            log.soon("soon from \(text)")
                        })
                    }, localAddress: .host("127.0.0.1", port: 0))
                let peer = anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_DATAGRAM))
                var packed = anyloop_address()
                packed.family = UInt8(ANYLOOP_V4)
                packed.low = 0x7F00_0001
                packed.port = transport.socketName?.port ?? 0
                for text in ["a", "b", "c"] {
                    let bytes = Array(text.utf8)
                    _ = unsafe bytes.withUnsafeBytes { unsafe anyloop_send_to(peer, $0.baseAddress, $0.count, &packed) }
                }
                _ = anyloop_close(peer)
                log.tick()
                try await loop.settle()
            }
        },
    ]
}

/// A thread that is waited for.
enum OtherSystemThread {
    private final class Box {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    static func runAndWait(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body))
        var handle: UInt = 0
        let code = unsafe anyloop_thread_start(
            { context in
                // Retained for this thread alone.
                if let context = unsafe context { unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
            }, box.toOpaque(), &handle)
        if code == 0 { _ = anyloop_thread_join(handle) } else { unsafe box.release() }
    }
}
