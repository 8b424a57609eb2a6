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

/// Bytes as a file without a descriptor.
private final class BatteryFile: ReadableFile {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func read(_ count: Int, at offset: Int64) -> [UInt8] { Array(bytes.dropFirst(Int(offset)).prefix(count)) }

    func seek(to offset: Int64) {}
}

extension StreamBattery {
    /// Files sent by the loop, which has the transport to itself meanwhile (rule 93); for loops that can.
    static let loopFiles: [BatteryCase] = [
        BatteryCase("stream/loop-sends-file", [93]) { stage in
            guard let loop = stage.sendFileLoop else { return }
            let scene = try stage.open()
            let former = scene.transport.streamProtocol
            let bytes = pattern(300_000)
            for source in [SendFileSource.descriptor(try stage.host.makeFile(bytes)), .file(BatteryFile(bytes))] {
                let before = pattern(1000, seed: 7)
                scene.transport.write(before)
                let sent = try scene.sendByLoop(loop, source, offset: 0, count: nil) {
                    try expect(!scene.transport.isReading, "the transport reads while it sends a file")
                }
                try expectEqual(sent, bytes.count, "the completion's count")
                try expect(scene.transport.isReading, "the transport does not read afterwards")
                try expect(scene.transport.streamProtocol === former, "another protocol stayed")
                try scene.waitForBytes(before.count + bytes.count)
                try expectBytes(scene.peer.takeReceived(), before + bytes, "bytes at the peer")
            }
        },
        BatteryCase("stream/loop-sends-part-of-a-file", [93]) { stage in
            guard let loop = stage.sendFileLoop else { return }
            let scene = try stage.open()
            let bytes = pattern(10_000)
            let file = try stage.host.makeFile(bytes)
            for (offset, count, expected) in [(0, 1, 1), (1234, 5000, 5000), (9_990, 10, 10), (9_990, 11, 10)] {
                for source in [SendFileSource.descriptor(file), .file(BatteryFile(bytes))] {
                    let sent = try scene.sendByLoop(loop, source, offset: Int64(offset), count: count) {}
                    try expectEqual(sent, expected, "the completion's count")
                    try scene.waitForBytes(expected)
                    let part = Array(bytes[offset..<offset + expected])
                    try expectBytes(scene.peer.takeReceived(), part, "bytes at the peer")
                }
            }
        },
        BatteryCase("stream/loop-send-file-refuses-writes", [93], over: .plain) { stage in
            guard let loop = stage.sendFileLoop else { return }
            stage.expectsExceptions = true
            let scene = try stage.open()
            let bytes = pattern(10_000)
            let source = SendFileSource.descriptor(try stage.host.makeFile(bytes))
            _ = try scene.sendByLoop(loop, source, offset: 0, count: nil) {
                scene.transport.write([1])
                scene.transport.write(contentsOf: [[2], [3]])
            }
            scene.transport.write([4])
            try scene.waitForBytes(bytes.count + 1)
            try expectBytes(scene.peer.received, bytes + [4], "bytes at the peer")
            // From 3.12 on asyncio says 'writelines' for that.
            let expected = ["unable to write; sendfile is in progress", "unable to write"]
            let told = stage.exceptions.map(\.message)
            try expect(
                told.count == 2 && told[0] == expected[0] && told[1].hasPrefix(expected[1]),
                "the exception handler heard \(told)")
        },
        BatteryCase("stream/loop-send-file-refusals", [93]) { stage in
            guard let loop = stage.sendFileLoop else { return }
            let scene = try stage.open()
            let source = SendFileSource.file(BatteryFile([1]))
            func refusal(_ offset: Int64, _ count: Int?) -> String {
                do throws(TransportError) {
                    try loop.sendFile(
                        scene.transport, source, offset: offset, count: count, allowsFallback: true
                    ) { _ in }
                    return "none"
                } catch {
                    return error.description
                }
            }
            try expectEqual(refusal(0, 0), "count must be a positive integer (got 0)", "no bytes")
            try expectEqual(refusal(0, -1), "count must be a positive integer (got -1)", "less than none")
            try expectEqual(refusal(-1, nil), "offset must be a non-negative integer (got -1)", "before the start")
            scene.transport.close()
            try expectEqual(refusal(0, nil), "Transport is closing", "after close")
        },
        BatteryCase("stream/loop-send-file-ends-with-the-transport", [93, 95]) { stage in
            guard let loop = stage.sendFileLoop else { return }
            let scene = try stage.open()
            _ = try scene.fill()
            var failures = 0
            let source = SendFileSource.descriptor(try stage.host.makeFile(pattern(1 << 20)))
            try loop.sendFile(scene.transport, source, offset: 0, count: nil, allowsFallback: true) {
                if case .failure = $0 { failures += 1 }
            }
            scene.transport.abort()
            try scene.wait("the completion") { failures > 0 }
            try scene.waitForLost()
            try expectEqual(failures, 1, "completions")
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

    /// Has the loop send a file, does `then`, and waits for the completion.
    fileprivate func sendByLoop(
        _ loop: any SendFileLoop, _ source: SendFileSource, offset: Int64, count: Int?, then: () throws -> Void
    ) throws -> Int {
        var result: Result<Int, TransportError>?
        try loop.sendFile(transport, source, offset: offset, count: count, allowsFallback: true) { result = $0 }
        try expect(result == nil, "the completion ran inside sendFile")
        try then()
        try wait("the completion") { result != nil }
        return try result?.get() ?? 0
    }
}
