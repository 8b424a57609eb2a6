import AnyloopCore

/// The cases of the stream battery, by what they are about.
enum StreamBattery {
    /// How bytes, the end and pauses come in (rules 63 to 75).
    static let reading: [BatteryCase] = [
        BatteryCase("stream/made-first-and-once", [63]) { stage in
            let scene = try stage.open()
            scene.peer.send([1])
            try scene.waitForData(1)
            try scene.settle()
            try expectEqual(scene.recorder.trace.all, [.made, .data([1])], "the trace")
        },
        BatteryCase("stream/data-before-made-waits", [49]) { stage in
            let recorder = stage.track(RecordingProtocol())
            let peer = try stage.host.makePair(recorder)
            peer.send([1, 2, 3])
            try stage.wait("data") { recorder.byteCount == 3 }
            try expectEqual(recorder.trace.all, [.made, .data([1, 2, 3])], "the trace")
        },
        BatteryCase("stream/data-in-order", [65]) { stage in
            let scene = try stage.open()
            var sent: [UInt8] = []
            for index in 0..<50 {
                let piece = pattern(1 + index * 7, seed: UInt8(index))
                scene.peer.send(piece)
                sent += piece
                if index % 9 == 0 { try stage.settle(1) }
            }
            try scene.waitForData(sent.count)
            try expectBytes(scene.recorder.trace.bytes, sent, "received data")
        },
        BatteryCase("stream/every-byte-value", [65]) { stage in
            let scene = try stage.open()
            let sent = (0...255).map { UInt8($0) }
            scene.peer.send(sent)
            try scene.waitForData(256)
            try expectBytes(scene.recorder.trace.bytes, sent, "received data")
        },
        BatteryCase("stream/one-byte-sends", [65]) { stage in
            let scene = try stage.open()
            let sent = pattern(500)
            for byte in sent { scene.peer.send([byte]) }
            try scene.waitForData(sent.count)
            try expectBytes(scene.recorder.trace.bytes, sent, "received data")
        },
        BatteryCase("stream/chunks-are-neither-empty-nor-huge", [65]) { stage in
            let scene = try stage.open()
            let sent = pattern(1 << 20)
            for start in stride(from: 0, to: sent.count, by: 1 << 17) {
                scene.peer.send(Array(sent[start..<start + (1 << 17)]))
            }
            try scene.waitForData(sent.count)
            try expectBytes(scene.recorder.trace.bytes, sent, "received data")
            try expect(
                scene.recorder.chunkSizes.allSatisfy { 1...262_144 ~= $0 }, "a chunk was empty or above 256 KiB")
        },
        BatteryCase("stream/pause-in-made-holds", [69]) { stage in
            let scene = try stage.open(RecordingProtocol(.made) { _, transport in transport.pauseReading() })
            scene.peer.send([1])
            try scene.settle()
            try expectEqual(scene.recorder.byteCount, 0, "bytes while paused")
            scene.transport.resumeReading()
            try scene.waitForData(1)
        },
        BatteryCase("stream/pause-in-data-holds", [68]) { stage in
            let scene = try stage.open(RecordingProtocol(.data) { _, transport in transport.pauseReading() })
            scene.peer.send([1])
            try scene.waitForData(1)
            scene.peer.send([2])
            try scene.settle()
            try expectEqual(scene.recorder.byteCount, 1, "bytes while paused")
            scene.recorder.reactions = [:]
            scene.transport.resumeReading()
            try scene.waitForData(2)
            try expectBytes(scene.recorder.trace.bytes, [1, 2], "received data")
        },
        BatteryCase("stream/pause-holds-what-is-buffered", [68]) { stage in
            // More than one read's worth, so that some has arrived when the pause comes.
            let scene = try stage.open(RecordingProtocol(.data) { _, transport in transport.pauseReading() })
            let sent = pattern(1 << 20)
            for start in stride(from: 0, to: sent.count, by: 1 << 16) {
                scene.peer.send(Array(sent[start..<start + (1 << 16)]))
            }
            var resumes = 0
            while scene.recorder.byteCount < sent.count {
                let chunks = scene.recorder.count(.data)
                try scene.wait("another chunk") { scene.recorder.count(.data) > chunks }
                try stage.settle(2)
                try expectEqual(scene.recorder.count(.data), chunks + 1, "chunks for one resume")
                scene.transport.resumeReading()
                resumes += 1
            }
            try expectBytes(scene.recorder.trace.bytes, sent, "received data")
            try expect(resumes > 1, "everything came in one chunk")
        },
        BatteryCase("stream/pause-and-resume-are-idempotent", [70]) { stage in
            let scene = try stage.open()
            try expect(scene.transport.isReading, "a new transport reads")
            scene.transport.resumeReading()
            scene.transport.pauseReading()
            scene.transport.pauseReading()
            try expect(!scene.transport.isReading, "isReading while paused")
            scene.peer.send([1])
            try scene.settle()
            try expectEqual(scene.recorder.byteCount, 0, "bytes while paused")
            scene.transport.resumeReading()
            scene.transport.resumeReading()
            try expect(scene.transport.isReading, "isReading once resumed")
            try scene.waitForData(1)
        },
        BatteryCase("stream/pause-and-resume-after-close", [70]) { stage in
            let scene = try stage.open()
            scene.transport.close()
            scene.transport.pauseReading()
            scene.transport.resumeReading()
            try expect(!scene.transport.isReading, "isReading while closing")
            try scene.waitForLost()
            scene.transport.pauseReading()
            scene.transport.resumeReading()
            try expect(!scene.transport.isReading, "isReading once closed")
        },
        BatteryCase("stream/eof-held-while-paused", [71]) { stage in
            let scene = try stage.open()
            scene.transport.pauseReading()
            scene.peer.send([1, 2])
            scene.peer.finish()
            try scene.settle()
            try expectEqual(scene.recorder.trace.all, [.made], "the trace while paused")
            scene.transport.resumeReading()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .data([1, 2]), .eof, .lost(nil)], "the trace")
        },
        BatteryCase("stream/eof-false-closes", [72]) { stage in
            let scene = try stage.open()
            scene.peer.finish()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .eof, .lost(nil)], "the trace")
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectEqual(scene.peer.end, .finish, "the end at the peer")
        },
        BatteryCase("stream/data-and-eof-at-once", [72]) { stage in
            let scene = try stage.open()
            let sent = pattern(100_000)
            scene.peer.send(sent)
            scene.peer.finish()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .data(sent), .eof, .lost(nil)], "the trace")
        },
        BatteryCase("stream/eof-false-flushes-first", [72]) { stage in
            let scene = try stage.open()
            let sent = try scene.fill()
            scene.peer.finish()
            try scene.wait("eof") { scene.recorder.count(.eof) == 1 }
            try expect(!scene.recorder.isLost, "lost before the buffer was sent")
            scene.peer.resumeReading()
            try scene.waitForLost()
            try scene.waitForBytes(sent.count)
            try expectBytes(scene.peer.received, sent, "bytes at the peer")
        },
        BatteryCase("stream/eof-true-keeps-the-write-side", [72, 82], over: .plain) { stage in
            let recorder = RecordingProtocol()
            recorder.keepsOpenAfterEOF = true
            let scene = try stage.open(recorder)
            scene.peer.finish()
            try scene.wait("eof") { recorder.count(.eof) == 1 }
            try scene.settle()
            try expectEqual(recorder.trace.all, [.made, .eof], "the trace while half-closed")
            try expect(!scene.transport.isClosing, "closing though eofReceived returned true")
            let answer = pattern(300_000)
            scene.transport.write(answer)
            try scene.waitForBytes(answer.count)
            try expectBytes(scene.peer.received, answer, "bytes at the peer")
            scene.transport.close()
            try scene.waitForLost()
            try expectEqual(recorder.trace.all.last, .lost(nil), "the last callback")
        },
        BatteryCase("stream/eof-comes-once", [72]) { stage in
            let recorder = RecordingProtocol()
            recorder.keepsOpenAfterEOF = true
            let scene = try stage.open(recorder)
            scene.peer.finish()
            try scene.wait("eof") { recorder.count(.eof) == 1 }
            try scene.settle()
            // Not resumed: asyncio would read on then, and find the same end once more.
            try expectEqual(recorder.count(.eof), 1, "eofs")
        },
        BatteryCase("stream/reset-while-reading", [75]) { stage in
            guard stage.host.canReset else { return }
            let scene = try stage.open()
            scene.peer.reset()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .lost("errno 104")], "the trace")
        },
        BatteryCase("stream/reset-after-data", [75]) { stage in
            guard stage.host.canReset else { return }
            let scene = try stage.open()
            scene.peer.send([1, 2, 3])
            try scene.waitForData(3)
            scene.peer.reset()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .data([1, 2, 3]), .lost("errno 104")], "the trace")
        },
        BatteryCase("stream/set-protocol-in-mid-stream", [101]) { stage in
            let scene = try stage.open()
            scene.peer.send([1])
            try scene.waitForData(1)
            let second = RecordingProtocol()
            scene.transport.streamProtocol = second
            stage.untrack(scene.recorder)
            try expect(scene.transport.streamProtocol === second, "streamProtocol is not the one that was set")
            scene.peer.send([2])
            try scene.wait("data at the second protocol") { second.byteCount == 1 }
            scene.peer.finish()
            try scene.wait("the second protocol's end") { second.count(.lost) == 1 }
            try expectEqual(scene.recorder.trace.all, [.made, .data([1])], "the first protocol's trace")
            try expectEqual(second.trace.all, [.data([2]), .eof, .lost(nil)], "the second protocol's trace")
        },
        BatteryCase("stream/set-protocol-inside-data", [101]) { stage in
            let second = RecordingProtocol()
            let scene = try stage.open(RecordingProtocol(.data) { _, transport in transport.streamProtocol = second })
            scene.peer.send([1])
            try scene.waitForData(1)
            scene.peer.send([2])
            try scene.wait("data at the second protocol") { second.byteCount == 1 }
            try expectEqual(scene.recorder.trace.all, [.made, .data([1])], "the first protocol's trace")
            stage.untrack(scene.recorder)
            scene.transport.abort()
            try scene.wait("the second protocol's end") { second.count(.lost) == 1 }
        },
        BatteryCase("stream/many-at-once", [63, 65]) { stage in
            let scenes = try (0..<40).map { _ in try stage.open() }
            for (index, scene) in scenes.enumerated() { scene.peer.send(pattern(1000, seed: UInt8(index))) }
            for (index, scene) in scenes.enumerated() {
                try scene.waitForData(1000)
                try expectBytes(scene.recorder.trace.bytes, pattern(1000, seed: UInt8(index)), "data of \(index)")
            }
        },
    ]
}
