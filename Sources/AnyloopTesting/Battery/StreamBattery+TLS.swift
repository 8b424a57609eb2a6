import AnyloopCore

extension StreamBattery {
    /// What TLS does otherwise than a plain stream (rules 119 to 129).
    static let tls: [BatteryCase] = [
        BatteryCase("tls/info-survives-the-close", [124], over: .tls) { stage in
            let scene = try stage.open()
            let info = scene.transport.tls
            try expect(info?.version.hasPrefix("TLSv1.") == true, "the version is \(info?.version ?? "missing")")
            try expect(info?.ending == nil, "the peer's end is told before it came")
            scene.transport.close()
            try scene.waitForLost()
            try expectEqual(scene.transport.tls?.version, info?.version, "the version after the close")
            try expectEqual(scene.transport.tls?.cipher, info?.cipher, "the cipher after the close")
            try expectEqual(scene.transport.tls?.ending, .closeNotify, "the peer's end")
        },
        BatteryCase("tls/write-eof-is-refused", [123], over: .tls) { stage in
            stage.expectsExceptions = true
            let scene = try stage.open()
            try expect(!scene.transport.canWriteEOF, "canWriteEOF")
            scene.transport.writeEOF()
            try expectEqual(stage.exceptions.count, 1, "reports")
            scene.transport.write([1])
            try scene.waitForBytes(1)
            scene.peer.send([2])
            try scene.waitForData(1)
        },
        BatteryCase("tls/eof-true-closes-all-the-same", [127], over: .tls) { stage in
            let recorder = RecordingProtocol()
            recorder.keepsOpenAfterEOF = true
            let scene = try stage.open(recorder)
            scene.transport.write([1])
            scene.peer.finish()
            try scene.waitForLost()
            try expectEqual(recorder.trace.all, [.made, .eof, .lost(nil)], "the trace")
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectEqual(scene.peer.end, .finish, "the end at the peer")
            try expectBytes(scene.peer.received, [1], "bytes at the peer")
        },
        BatteryCase("tls/writing-in-eof", [127], over: .tls) { stage in
            // The peer has said that it is done, not that it stopped reading.
            let answer = pattern(300_000)
            let scene = try stage.open(RecordingProtocol(.eof) { _, transport in transport.write(answer) })
            scene.peer.finish()
            try scene.waitForLost()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, answer, "bytes at the peer")
            try expectEqual(scene.peer.end, .finish, "the end at the peer")
        },
        BatteryCase("tls/write-while-closing-is-dropped", [126, 129], over: .tls) { stage in
            let scene = try stage.open()
            let written = try scene.fill()
            scene.transport.close()
            scene.transport.write([1, 2, 3])
            scene.peer.resumeReading()
            try scene.waitForLost()
            try expectEqual(scene.transport.droppedWriteCount, 1, "dropped writes")
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, written, "bytes at the peer")
            try expectEqual(scene.peer.end, .finish, "the end at the peer")
        },
        BatteryCase("tls/truncation-is-an-error", [128], over: .tls) { stage in
            let scene = try stage.open()
            scene.peer.send([1, 2])
            scene.peer.truncate()
            try scene.waitForLost()
            guard case .tls(let error)? = scene.recorder.lostError, error.kind == .truncated else {
                throw BatteryFailure("lost with \(scene.recorder.lostError as Any), expected a truncation")
            }
            try expectEqual(scene.recorder.count(.eof), 0, "eofs")
            try expectBytes(scene.recorder.trace.bytes, [1, 2], "received data")
            try expectEqual(scene.transport.tls?.ending, .truncated, "the peer's end")
        },
        BatteryCase("tls/truncation-after-close", [126, 128], over: .tls) { stage in
            // What the peer still had to say does not matter then.
            let scene = try stage.open()
            scene.peer.truncate()
            scene.transport.close()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all.last, .lost(nil), "the last callback")
            try expectEqual(scene.transport.tls?.ending, .truncated, "the peer's end")
        },
        BatteryCase("tls/throw-in-made-ends", [64, 119], over: .tls) { stage in
            stage.expectsExceptions = true
            let scene = try stage.open(RecordingProtocol(.made) { _, _ in throw ReactionError(.made) })
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .lost("callback connectionMade")], "the trace")
            try expectEqual(stage.exceptions.count, 1, "reports")
        },
        BatteryCase("tls/abort-says-nothing", [95, 126], over: .tls) { stage in
            let scene = try stage.open()
            scene.transport.write([1])
            try scene.waitForBytes(1)
            scene.transport.abort()
            try scene.waitForLost()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expect(scene.peer.end != .finish, "close_notify was sent by abort()")
        },
        BatteryCase("tls/close-notify-while-blocked", [126], over: .tls) { stage in
            // The peer is done, we are not: what is queued is sent, then close_notify.
            let scene = try stage.open()
            let written = try scene.fill()
            scene.transport.close()
            scene.peer.finish()
            try scene.settle()
            try expect(!scene.recorder.isLost, "lost before the buffer was sent")
            scene.peer.resumeReading()
            try scene.waitForLost()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, written, "bytes at the peer")
            try expectEqual(scene.peer.end, .finish, "the end at the peer")
            try expectEqual(scene.recorder.count(.eof), 1, "eofs")
        },
    ]
}
