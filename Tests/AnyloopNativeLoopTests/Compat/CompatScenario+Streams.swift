import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop

extension CompatScenario {
    static let streams: [CompatScenario] = [
        CompatScenario("connect_48") { loop, log in
            try loop.runUntilComplete {
                let server = try await loop.createServer(
                    {
                        log("S factory")
                        return OrderProtocol(log, "S")
                    }, host: "127.0.0.1", port: 0)
                log.tick()
                _ = try await loop.createConnection(
                    {
                        log("C factory")
                        return OrderProtocol(log, "C", ["made": { _ in log.soon("soon from made") }])
                    }, host: "127.0.0.1", port: server.addresses[0].port)
                log("connected")
                try await loop.settle()
            }
        },
        CompatScenario("two_connects_53") { loop, log in
            try loop.runUntilComplete {
                var count = 0
                let server = try await loop.createServer(
                    {
                        let name = "S\(count)"
                        count += 1
                        log("\(name) factory")
                        return OrderProtocol(log, name)
                    }, host: "127.0.0.1", port: 0)
                let peers = try (0..<3).map { _ in try RawEnd.connect(to: server.addresses[0]) }
                log.tick()
                try await loop.settle()
                log.stopTicking()
                for peer in peers {
                    peer.close()
                    try await loop.settle()
                }
            }
        },
        CompatScenario("data_before_made_49") { loop, log in
            try loop.runUntilComplete {
                let server = try await loop.createServer(
                    {
                        log("S factory")
                        return OrderProtocol(log, "S", ["made": { _ in log.soon("soon from made") }])
                    }, host: "127.0.0.1", port: 0)
                let peer = try RawEnd.connect(to: server.addresses[0])
                peer.send("hello")
                log.tick()
                try await loop.settle()
                log.stopTicking()
                peer.close()
                try await loop.settle()
            }
        },
        CompatScenario("adopt_63") { loop, log in
            let (near, far) = try RawEnd.pair()
            far.send("x")
            try loop.runUntilComplete {
                log.tick()
                log.soon("before")
                try await loop.adopt(near, OrderProtocol(log, "S", ["made": { _ in log.soon("soon from made") }]))
                log("adopted")
                try await loop.settle()
            }
        },
        CompatScenario("eof_72") { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.runUntilComplete {
                try await loop.adopt(near, OrderProtocol(log, "S", ["eof": { _ in log.soon("soon from eof") }]))
                log.tick()
                far.send("x")
                far.finish()
                try await loop.settle()
            }
        },
        CompatScenario("throw_in_data_66") { loop, log in
            let (near, far) = try RawEnd.pair()
            loop.setExceptionHandler { log("handler " + $0.message.prefix { $0 != "." }) }
            try loop.runUntilComplete {
                let react: (OrderProtocol) throws -> Void = { _ in
                    log.soon("soon from data")
                    throw ValueError()
                }
                try await loop.adopt(near, OrderProtocol(log, "S", ["data": react]))
                log.tick()
                far.send("x")
                try await loop.settle()
            }
        },
        CompatScenario("throw_in_made_64") { loop, log in
            let (near, far) = try RawEnd.pair()
            loop.setExceptionHandler { _ in log("handler") }
            try loop.runUntilComplete {
                log.tick()
                try await loop.adopt(near, OrderProtocol(log, "S", ["made": { _ in throw ValueError() }]))
                log("adopted")
                far.send("x")
                try await loop.settle()
            }
        },
        CompatScenario("pause_in_write_87") { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.runUntilComplete {
                let react: (OrderProtocol) -> Void = {
                    $0.transport?.write([UInt8](repeating: 0, count: 1 << 20))
                    log("written")
                }
                try await loop.adopt(near, OrderProtocol(log, "S", ["data": react]))
                log.tick()
                far.send("x")
                try await loop.settle()
                log.stopTicking()
                let total = await loop.drain(far, total: 1 << 20)
                log("received \(total)")
                try await loop.settle()
            }
        },
        CompatScenario("echo_exchange_3") { loop, log in
            try loop.runUntilComplete {
                let server = try await loop.createServer(
                    {
                        OrderProtocol(
                            log, "S",
                            [
                                "data": {
                                    $0.transport?.write(Array("pong".utf8))
                                    log.soon("soon from S")
                                }
                            ])
                    }, host: "127.0.0.1", port: 0)
                let (_, client) = try await loop.createConnection(
                    {
                        OrderProtocol(
                            log, "C",
                            [
                                "data": {
                                    $0.transport?.close()
                                    log.soon("soon from C")
                                }
                            ])
                    }, host: "127.0.0.1", port: server.addresses[0].port)
                try await loop.settle()
                log("writing")
                log.tick()
                client.transport?.write(Array("ping".utf8))
                try await loop.settle()
            }
        },
    ]

    static let closing: [CompatScenario] = [
        CompatScenario("close_94") { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.runUntilComplete {
                let made = OrderProtocol(log, "S")
                try await loop.adopt(near, made)
                log.tick()
                log.soon("before")
                made.transport?.close()
                log.soon("after")
                log("closed")
                try await loop.settle()
            }
            far.close()
        },
        CompatScenario("close_in_made_94") { loop, log in
            let (near, far) = try RawEnd.pair()
            far.send("x")
            try loop.runUntilComplete {
                let react: (OrderProtocol) -> Void = {
                    $0.transport?.close()
                    log.soon("soon after close")
                }
                log.tick()
                try await loop.adopt(near, OrderProtocol(log, "S", ["made": react]))
                log("adopted")
                try await loop.settle()
            }
        },
        CompatScenario("close_in_data_94") { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.runUntilComplete {
                let react: (OrderProtocol) -> Void = {
                    log.soon("soon before close")
                    $0.transport?.close()
                    log.soon("soon after close")
                }
                try await loop.adopt(near, OrderProtocol(log, "S", ["data": react]))
                log.tick()
                far.send("x")
                try await loop.settle()
            }
        },
        CompatScenario("close_flushes_94") { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.runUntilComplete {
                let made = OrderProtocol(log, "S", ["lost": { _ in log.soon("soon from lost") }])
                try await loop.adopt(near, made)
                made.transport?.setWriteBufferLimits(try WriteBufferLimits(high: 1 << 30))
                made.transport?.write([UInt8](repeating: 0, count: 1 << 20))
                made.transport?.close()
                log("closed")
                try await loop.settle()
                let total = await loop.drain(far)
                log("received \(total)")
                try await loop.settle()
            }
        },
        CompatScenario("write_while_closing_83") { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.runUntilComplete {
                let made = OrderProtocol(log, "S")
                try await loop.adopt(near, made)
                made.transport?.setWriteBufferLimits(try WriteBufferLimits(high: 1 << 30))
                made.transport?.write([UInt8](repeating: 0, count: 1 << 20))
                made.transport?.close()
                made.transport?.write([UInt8](repeating: 0, count: 1000))
                try await loop.settle()
                let total = await loop.drain(far)
                log("received \(total)")
                try await loop.settle()
            }
        },
        CompatScenario("abort_95") { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.runUntilComplete {
                let made = OrderProtocol(log, "S")
                try await loop.adopt(near, made)
                made.transport?.setWriteBufferLimits(try WriteBufferLimits(high: 1 << 30))
                made.transport?.write([UInt8](repeating: 0, count: 1 << 20))
                log.tick()
                log.soon("before")
                made.transport?.abort()
                log("size \(made.transport?.writeBufferSize ?? -1)")
                log.soon("after")
                try await loop.settle()
            }
            far.close()
        },
    ]
}
