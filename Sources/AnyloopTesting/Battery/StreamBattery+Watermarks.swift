import AnyloopCore

extension StreamBattery {
    /// When the writer is paused and resumed (rules 85 to 91).
    static let watermarks: [BatteryCase] = [
        BatteryCase("stream/default-limits", [85, 125]) { stage in
            let scene = try stage.open()
            try expectEqual(
                scene.transport.writeBufferLimits, stage.host.speaksTLS ? .tls : .standard, "the limits")
        },
        BatteryCase("stream/pause-is-strictly-above-high", [87]) { stage in
            let scene = try stage.open()
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 64 << 20))
            _ = try scene.fill()
            let size = scene.transport.writeBufferSize
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: size + 10))
            scene.transport.write(pattern(10))
            try expectEqual(scene.transport.writeBufferSize, size + 10, "the buffer")
            try expectEqual(scene.recorder.count(.pause), 0, "pauses at the limit")
            scene.transport.write([1])
            try expectEqual(scene.recorder.count(.pause), 1, "pauses one past the limit, inside write")
        },
        BatteryCase("stream/pause-comes-once", [87]) { stage in
            let scene = try stage.open()
            _ = try scene.fill()
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 0))
            for _ in 0..<10 { scene.transport.write([1]) }
            try scene.settle()
            try expectEqual(scene.recorder.count(.pause), 1, "pauses")
            try expectEqual(scene.recorder.count(.resume), 0, "resumes while blocked")
        },
        BatteryCase("stream/resume-at-or-below-low", [89]) { stage in
            var sizes: [Int] = []
            let recorder = RecordingProtocol(.resume) { _, transport in sizes.append(transport.writeBufferSize) }
            let scene = try stage.open(recorder)
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 300_000, low: 100_000))
            let written = try scene.fill()
            let rest = pattern(1 << 20)
            scene.transport.write(rest)
            try expectEqual(recorder.count(.pause), 1, "pauses")
            scene.peer.resumeReading()
            try scene.waitForBytes(written.count + rest.count)
            try scene.wait("resumeWriting") { recorder.count(.resume) > 0 }
            try expectEqual(recorder.count(.resume), 1, "resumes")
            try expect(sizes.allSatisfy { $0 <= 100_000 }, "resumed at \(sizes), above the low mark")
        },
        BatteryCase("stream/resume-exactly-at-low", [89]) { stage in
            let scene = try stage.open()
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 64 << 20, low: 64 << 20))
            _ = try scene.fill()
            let size = scene.transport.writeBufferSize
            // The buffer stands at low already when it goes above high and comes back.
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: size, low: size))
            scene.transport.write([1])
            try expectEqual(scene.recorder.count(.pause), 1, "pauses")
            scene.peer.resumeReading()
            try scene.wait("resumeWriting") { scene.recorder.count(.resume) == 1 }
        },
        BatteryCase("stream/many-pauses-pair-with-resumes", [87, 89]) { stage in
            let recorder = RecordingProtocol()
            let scene = try stage.open(recorder)
            for round in 1...5 {
                let written = try scene.fill()
                scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 1, low: 0))
                try expectEqual(recorder.count(.pause), round, "pauses")
                scene.peer.resumeReading()
                try scene.waitForBytes(written.count)
                try scene.wait("resumeWriting") { recorder.count(.resume) == round }
                _ = scene.peer.takeReceived()
                scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 64 << 20))
            }
        },
        BatteryCase("stream/high-zero", [86, 87, 89]) { stage in
            var sizes: [Int] = []
            let recorder = RecordingProtocol(.resume) { _, transport in sizes.append(transport.writeBufferSize) }
            let scene = try stage.open(recorder)
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 0))
            try expectEqual(scene.transport.writeBufferLimits.low, 0, "low for high 0")
            let written = try scene.fill()
            try expect(recorder.count(.pause) > 0, "a single byte in the buffer pauses")
            scene.peer.resumeReading()
            try scene.waitForBytes(written.count)
            try scene.wait("resumeWriting") { recorder.count(.resume) == recorder.count(.pause) }
            try expect(sizes.allSatisfy { $0 == 0 }, "resumed with \(sizes) bytes left")
        },
        BatteryCase("stream/lowering-limits-pauses-at-once", [88]) { stage in
            let scene = try stage.open()
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 64 << 20))
            _ = try scene.fill()
            try expectEqual(scene.recorder.count(.pause), 0, "pauses before")
            scene.transport.setWriteBufferLimits(
                try WriteBufferLimits(high: scene.transport.writeBufferSize, low: 0))
            try expectEqual(scene.recorder.count(.pause), 0, "pauses at the limit")
            scene.transport.setWriteBufferLimits(
                try WriteBufferLimits(high: scene.transport.writeBufferSize - 1, low: 0))
            try expectEqual(scene.recorder.count(.pause), 1, "pauses inside setWriteBufferLimits")
        },
        BatteryCase("stream/raising-limits-does-not-resume", [88]) { stage in
            let scene = try stage.open()
            _ = try scene.fill()
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 0))
            try expectEqual(scene.recorder.count(.pause), 1, "pauses")
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 64 << 20))
            try scene.settle()
            try expectEqual(scene.recorder.count(.resume), 0, "resumes while blocked")
            scene.peer.resumeReading()
            try scene.wait("resumeWriting") { scene.recorder.count(.resume) == 1 }
        },
        BatteryCase("stream/writing-in-resume-pauses-again", [87, 89]) { stage in
            let piece = pattern(65536)
            let recorder = RecordingProtocol()
            let scene = try stage.open(recorder)
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 1000, low: 100))
            var written = try scene.fill()
            var rounds = 0
            recorder.reactions[.resume] = { recorder, transport in
                rounds += 1
                guard rounds <= 3 else { return }
                scene.peer.stopReading()
                while !recorder.grammar.isWritingPaused, written.count < 64 << 20 {
                    transport.write(piece)
                    written += piece
                }
            }
            for round in 1...4 {
                scene.peer.resumeReading()
                try scene.wait("resume \(round)") { rounds == round }
                try expectEqual(recorder.count(.pause), min(round + 1, 4), "pauses")
            }
            try scene.waitForBytes(written.count)
            try expectBytes(scene.peer.received, written, "bytes at the peer")
        },
        BatteryCase("stream/resume-during-the-closing-flush", [91]) { stage in
            let scene = try stage.open()
            _ = try scene.fill()
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 0))
            try expectEqual(scene.recorder.count(.pause), 1, "pauses")
            scene.transport.close()
            try scene.settle()
            try expectEqual(scene.recorder.count(.resume), 0, "resumes inside close")
            scene.peer.resumeReading()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .pause, .resume] + scene.closed, "the trace")
        },
        BatteryCase("stream/abort-while-paused", [91, 95]) { stage in
            let scene = try stage.open()
            _ = try scene.fill()
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 0))
            scene.transport.abort()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .pause, .lost(nil)], "the trace")
        },
    ]
}
