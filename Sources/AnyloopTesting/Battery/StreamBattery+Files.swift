import AnyloopCore

extension StreamBattery {
    /// Files on their way out (rule 93).
    static let files: [BatteryCase] = [
        BatteryCase("stream/send-file", [93]) { stage in
            let scene = try stage.open()
            let bytes = pattern(300_000)
            let sent = try scene.sendFile(bytes, offset: 0, count: bytes.count) {}
            try expectEqual(sent, bytes.count, "the completion's count")
            try scene.waitForBytes(bytes.count)
            try expectBytes(scene.peer.received, bytes, "bytes at the peer")
        },
        BatteryCase("stream/send-part-of-a-file", [93]) { stage in
            let scene = try stage.open()
            let bytes = pattern(10_000)
            let sent = try scene.sendFile(bytes, offset: 1234, count: 5000) {}
            try expectEqual(sent, 5000, "the completion's count")
            try scene.waitForBytes(5000)
            try expectBytes(scene.peer.received, Array(bytes[1234..<6234]), "bytes at the peer")
        },
        BatteryCase("stream/send-file-that-ends-early", [93]) { stage in
            let scene = try stage.open()
            let bytes = pattern(10_000)
            let sent = try scene.sendFile(bytes, offset: 9000, count: 5000) {}
            try expectEqual(sent, 1000, "the completion's count")
            try scene.waitForBytes(1000)
            try expectBytes(scene.peer.received, Array(bytes[9000...]), "bytes at the peer")
        },
        BatteryCase("stream/send-nothing-of-a-file", [93]) { stage in
            let scene = try stage.open()
            let sent = try scene.sendFile(pattern(10), offset: 0, count: 0) {}
            try expectEqual(sent, 0, "the completion's count")
        },
        BatteryCase("stream/send-file-between-writes", [76, 93]) { stage in
            let scene = try stage.open()
            let before = pattern(1000, seed: 1)
            let bytes = pattern(2 << 20, seed: 2)
            let after = pattern(1000, seed: 3)
            scene.transport.write(before)
            _ = try scene.sendFile(bytes, offset: 0, count: bytes.count) {
                scene.transport.write(after)
                scene.transport.write(after.span)
            }
            let all = before + bytes + after + after
            try scene.waitForBytes(all.count)
            try expectBytes(scene.peer.received, all, "bytes at the peer")
        },
        BatteryCase("stream/send-file-while-blocked", [76, 93]) { stage in
            let scene = try stage.open()
            let before = try scene.fill()
            let bytes = pattern(2 << 20, seed: 2)
            let after = pattern(1000, seed: 3)
            _ = try scene.sendFile(bytes, offset: 0, count: bytes.count) {
                scene.transport.write(after)
                scene.peer.resumeReading()
            }
            let all = before + bytes + after
            try scene.waitForBytes(all.count)
            try expectBytes(scene.peer.received, all, "bytes at the peer")
        },
        BatteryCase("stream/close-flushes-a-file", [93, 94]) { stage in
            let scene = try stage.open()
            let before = try scene.fill()
            let bytes = pattern(1 << 20)
            _ = try scene.sendFile(bytes, offset: 0, count: bytes.count) {
                scene.transport.close()
                scene.peer.resumeReading()
            }
            try scene.waitForLost()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, before + bytes, "bytes at the peer")
        },
        BatteryCase("stream/abort-fails-a-file", [93, 95]) { stage in
            let scene = try stage.open()
            _ = try scene.fill()
            let descriptor = try stage.host.makeFile(pattern(1 << 20))
            var failure: TransportError?
            scene.transport.sendFile(descriptor: descriptor, offset: 0, count: 1 << 20) {
                if case .failure(let error) = $0 { failure = error }
            }
            scene.transport.abort()
            try expect(failure == nil, "the completion ran inside abort()")
            try scene.wait("the completion") { failure != nil }
        },
        BatteryCase("stream/send-file-after-close", [93]) { stage in
            let scene = try stage.open()
            scene.transport.close()
            let descriptor = try stage.host.makeFile([1])
            var failure: TransportError?
            scene.transport.sendFile(descriptor: descriptor, offset: 0, count: 1) {
                if case .failure(let error) = $0 { failure = error }
            }
            try scene.wait("the completion") { failure != nil }
        },
        BatteryCase("stream/close-in-the-completion-of-a-file", [93, 96]) { stage in
            let scene = try stage.open()
            let bytes = pattern(1000)
            let descriptor = try stage.host.makeFile(bytes)
            scene.transport.sendFile(descriptor: descriptor, offset: 0, count: 1000) { _ in scene.transport.close() }
            try scene.waitForLost()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, bytes, "bytes at the peer")
        },
    ]
}

extension StreamScene {
    /// Sends a file of `bytes`, does `then`, and waits for the completion.
    fileprivate func sendFile(_ bytes: [UInt8], offset: Int64, count: Int, then: () -> Void) throws -> Int {
        let descriptor = try stage.host.makeFile(bytes)
        var result: Result<Int, TransportError>?
        var completions = 0
        transport.sendFile(descriptor: descriptor, offset: offset, count: count) {
            result = $0
            completions += 1
        }
        try expect(result == nil, "the completion ran inside sendFile")
        then()
        try wait("the completion") { result != nil }
        try settle()
        try expectEqual(completions, 1, "completions")
        return try result?.get() ?? 0
    }
}
