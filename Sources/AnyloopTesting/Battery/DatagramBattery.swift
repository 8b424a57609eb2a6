import AnyloopCore

/// The cases of the datagram battery (rules 107 to 113).
enum DatagramBattery {
    static let cases: [BatteryCase] = sending + ending

    private static let sending: [BatteryCase] = [
        BatteryCase("datagram/made-first-and-once", [107]) { stage in
            let pair = try DatagramScene(stage)
            pair.send([1])
            try pair.wait(1)
            try expectEqual(pair.receiver.trace, [.made, .datagram([1])], "the trace")
        },
        BatteryCase("datagram/boundaries-are-kept", [107]) { stage in
            let pair = try DatagramScene(stage)
            let sizes = [1, 2, 1000, 1, 9000, 65507]
            for (index, size) in sizes.enumerated() {
                pair.send(pattern(size, seed: UInt8(index)))
                try pair.wait(index + 1)
            }
            try expectEqual(
                pair.receiver.datagrams, sizes.enumerated().map { pattern($1, seed: UInt8($0)) }, "the datagrams")
        },
        BatteryCase("datagram/in-order-over-loopback", [107]) { stage in
            let pair = try DatagramScene(stage)
            for index in 0..<100 { pair.send([UInt8(index)]) }
            try pair.wait(100)
            try expectEqual(pair.receiver.datagrams, (0..<100).map { [UInt8($0)] }, "the datagrams")
        },
        BatteryCase("datagram/empty-ones-arrive", [107]) { stage in
            let pair = try DatagramScene(stage)
            pair.send([])
            pair.send([1])
            try pair.wait(2)
            try expectEqual(pair.receiver.datagrams, [[], [1]], "the datagrams")
        },
        BatteryCase("datagram/the-source-is-the-sender's-name", [107]) { stage in
            let pair = try DatagramScene(stage)
            pair.send([1])
            try pair.wait(1)
            try expectEqual(pair.receiver.sources[0], pair.near.socketName, "the source")
            // And an answer finds its way.
            pair.far.send([2].span, to: pair.receiver.sources[0])
            try stage.wait("the answer") { pair.sender.datagrams == [[2]] }
        },
        BatteryCase("datagram/to-the-connected-peer", [109]) { stage in
            let pair = try DatagramScene(stage, connected: true)
            try expectEqual(pair.near.peerName, pair.far.socketName, "the peer name")
            pair.near.send([1].span, to: nil)
            pair.near.send([2].span, to: pair.far.socketName)
            try pair.wait(2)
            try expectEqual(pair.receiver.datagrams, [[1], [2]], "the datagrams")
        },
        BatteryCase("datagram/connected-to-another-address", [109]) { stage in
            stage.expectsExceptions = true
            let pair = try DatagramScene(stage, connected: true)
            pair.near.send([1].span, to: .loopback(port: 9))
            // The protocol hears of it, or as an error of the caller's the exception handler.
            var told: [any Error] { pair.sender.errors + stage.exceptions.compactMap(\.error) }
            try stage.wait("an error") { told.count == 1 }
            guard case .usage(let misuse) = told[0] as? TransportError else {
                throw BatteryFailure("the error was \(told[0])")
            }
            try expect(misuse.text.hasPrefix("Invalid address: must be None or"), "the text is '\(misuse)'")
            pair.near.send([2].span, to: nil)
            try pair.wait(1)
        },
        BatteryCase("datagram/unconnected-without-an-address", [110]) { stage in
            stage.expectsExceptions = true
            let pair = try DatagramScene(stage)
            pair.near.send([1].span, to: nil)
            // Either the endpoint stays open, or as in asyncio this ends it.
            try stage.wait("an error") { !pair.sender.errors.isEmpty || pair.sender.isLost }
            guard case .usage = pair.sender.errors.first ?? pair.sender.lostError else {
                throw BatteryFailure("the trace was \(pair.sender.trace)")
            }
            guard !pair.sender.isLost else { return }
            pair.send([2])
            try pair.wait(1)
        },
        BatteryCase("datagram/connected-hears-its-peer-only", [109]) { stage in
            let pair = try DatagramScene(stage, connected: true)
            let stranger = stage.track(RecordingDatagramProtocol())
            let other = try stage.loop.createDatagramEndpoint(
                local: .loopback(port: 0), remote: nil, options: DatagramOptions()
            ) { stranger }
            other.send([1].span, to: pair.near.socketName)
            pair.far.send([2].span, to: pair.near.socketName)
            try stage.wait("the peer's datagram") { !pair.sender.datagrams.isEmpty }
            try stage.settle()
            try expectEqual(pair.sender.datagrams, [[2]], "the datagrams")
        },
        BatteryCase("datagram/refused-by-the-peer's-host", [111]) { stage in
            let pair = try DatagramScene(stage, connected: true)
            pair.far.close()
            try stage.wait("the far end") { pair.receiver.isLost }
            try stage.settle(2)
            pair.near.send([1].span, to: nil)
            try stage.wait("errorReceived") { !pair.sender.errors.isEmpty }
            try expectEqual(pair.sender.errors[0].errno, 111, "the errno")
            try expect(!pair.near.isClosing && !pair.sender.isLost, "the endpoint did not stay open")
        },
        BatteryCase("datagram/too-long", [111]) { stage in
            let pair = try DatagramScene(stage)
            pair.send(pattern(65508))
            try stage.wait("errorReceived") { pair.sender.errors.count == 1 }
            try expectEqual(pair.sender.errors[0].errno, 90, "the errno")
            pair.send([1])
            try pair.wait(1)
            try expectEqual(pair.receiver.datagrams, [[1]], "the datagrams")
        },
        BatteryCase("datagram/throw-in-datagram", [112]) { stage in
            stage.expectsExceptions = true
            let pair = try DatagramScene(stage)
            pair.receiver.reactions[.datagram] = { _, _ in throw ReactionError(.datagram) }
            pair.send([1])
            pair.send([2])
            try pair.wait(2)
            try stage.settle()
            try expect(!pair.receiver.isLost, "the endpoint did not stay open")
            try expectEqual(stage.exceptions.count, 2, "reports")
        },
        BatteryCase("datagram/address-in-use", []) { stage in
            let pair = try DatagramScene(stage)
            do {
                _ = try stage.loop.createDatagramEndpoint(
                    local: pair.far.socketName, remote: nil, options: DatagramOptions()
                ) { RecordingDatagramProtocol() }
                throw BatteryFailure("a second endpoint was bound")
            } catch let error as TransportError {
                try expectEqual(error.errno, 98, "the errno")
            }
        },
        BatteryCase("datagram/default-limits", [85, 113]) { stage in
            let pair = try DatagramScene(stage)
            try expectEqual(pair.near.writeBufferLimits, .standard, "the limits")
            let limits = try WriteBufferLimits(high: 100)
            pair.near.setWriteBufferLimits(limits)
            try expectEqual(pair.near.writeBufferLimits, limits, "the limits that were set")
            try expectEqual(pair.near.writeBufferSize, 0, "the buffer")
        },
    ]

    private static let ending: [BatteryCase] =
        [
            BatteryCase("datagram/close", [94, 96, 113]) { stage in
                let pair = try DatagramScene(stage)
                let name = pair.near.socketName
                pair.near.close()
                try expect(pair.near.isClosing, "isClosing at once")
                try expect(!pair.sender.isLost, "connectionLost came inside close()")
                pair.near.close()
                pair.near.abort()
                try stage.wait("connectionLost") { pair.sender.isLost }
                try stage.settle()
                try expectEqual(pair.sender.trace, [.made, .lost(nil)], "the trace")
                try expectEqual(pair.near.socketName, name, "the socket name after the close")
                try expect(pair.near.datagramProtocol == nil, "the transport kept its protocol")
            },
            BatteryCase("datagram/abort", [95, 96]) { stage in
                let pair = try DatagramScene(stage)
                pair.near.abort()
                try expect(!pair.sender.isLost, "connectionLost came inside abort()")
                try stage.wait("connectionLost") { pair.sender.isLost }
                try expectEqual(pair.sender.trace, [.made, .lost(nil)], "the trace")
            },
            BatteryCase("datagram/send-after-close", [113]) { stage in
                let pair = try DatagramScene(stage)
                pair.near.close()
                pair.send([1])
                try stage.wait("connectionLost") { pair.sender.isLost }
                pair.send([2])
                try stage.settle()
                // asyncio sends as long as the socket is open; nothing after `connectionLost`.
                let sent = pair.receiver.datagrams
                try expect(sent.isEmpty || sent == [[1]], "the datagrams were \(sent)")
                try expectEqual(pair.near.droppedWriteCount, 2 - sent.count, "dropped writes")
            },
            BatteryCase("datagram/nothing-after-close", [97]) { stage in
                let pair = try DatagramScene(stage)
                pair.far.close()
                pair.send([1])
                try stage.settle()
                try expectEqual(pair.receiver.trace, [.made, .lost(nil)], "the trace")
            },
        ]
        + [Callback.made, .datagram, .error, .lost].map { callback in
            BatteryCase("datagram/close-in-\(callback.rawValue)", [96]) { stage in
                let recorder = stage.track(RecordingDatagramProtocol())
                recorder.reactions[callback] = { _, transport in transport.close() }
                let endpoint = try stage.loop.createDatagramEndpoint(
                    local: .loopback(port: 0), remote: nil, options: DatagramOptions()
                ) { recorder }
                try stage.wait("connectionMade") { recorder.transport != nil }
                switch callback {
                case .datagram: endpoint.send([1].span, to: endpoint.socketName)
                case .error: endpoint.send(pattern(65508).span, to: endpoint.socketName)
                case .lost: endpoint.abort()
                default: break
                }
                try stage.wait("connectionLost") { recorder.isLost }
                try stage.settle()
                try expectEqual(recorder.trace.last, .lost(nil), "the last callback")
            }
        }
}

/// Two datagram endpoints on one loop: `near` sends, `far` receives.
private struct DatagramScene {
    let stage: BatteryStage
    let sender: RecordingDatagramProtocol
    let receiver: RecordingDatagramProtocol
    let near: any DatagramTransport
    let far: any DatagramTransport

    init(_ stage: BatteryStage, connected: Bool = false) throws {
        let sender = stage.track(RecordingDatagramProtocol())
        let receiver = stage.track(RecordingDatagramProtocol())
        far = try stage.loop.createDatagramEndpoint(
            local: .loopback(port: 0), remote: nil, options: DatagramOptions()
        ) { receiver }
        near = try stage.loop.createDatagramEndpoint(
            local: .loopback(port: 0), remote: connected ? far.socketName : nil, options: DatagramOptions()
        ) { sender }
        self.stage = stage
        self.sender = sender
        self.receiver = receiver
        try stage.wait("connectionMade") { sender.transport != nil && receiver.transport != nil }
    }

    func send(_ bytes: [UInt8]) { near.send(bytes.span, to: far.socketName) }

    func wait(_ count: Int) throws {
        let receiver = receiver
        try stage.wait("\(count) datagrams") { receiver.datagrams.count >= count }
    }
}
