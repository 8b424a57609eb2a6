import AnyloopCore

extension StreamBattery {
    /// How a transport ends (rules 94 to 97).
    static let ending: [BatteryCase] =
        [
            BatteryCase("stream/close", [94, 96]) { stage in
                let scene = try stage.open()
                try expect(!scene.transport.isClosing, "isClosing before")
                scene.transport.close()
                try expect(scene.transport.isClosing, "isClosing at once")
                try expect(!scene.recorder.isLost, "connectionLost came inside close()")
                try scene.waitForLost()
                try expectEqual(scene.recorder.trace.all, [.made] + scene.closed, "the trace")
                try expect(scene.transport.isClosing, "isClosing for good")
                try scene.wait("the end at the peer") { scene.peer.end != nil }
                try expectEqual(scene.peer.end, .finish, "the end at the peer")
            },
            BatteryCase("stream/close-is-idempotent", [95]) { stage in
                let scene = try stage.open()
                scene.transport.close()
                scene.transport.close()
                try scene.waitForLost()
                scene.transport.close()
                scene.transport.abort()
                try scene.settle()
                try expectEqual(scene.recorder.trace.all, [.made] + scene.closed, "the trace")
            },
            BatteryCase("stream/close-flushes", [94]) { stage in
                let scene = try stage.open()
                var written = try scene.fill()
                let rest = pattern(4 << 20)
                scene.transport.write(rest)
                written += rest
                scene.transport.close()
                try scene.settle()
                try expect(!scene.recorder.isLost, "lost before the buffer was sent")
                scene.peer.resumeReading()
                try scene.waitForLost()
                try scene.wait("the end at the peer") { scene.peer.end != nil }
                try expectBytes(scene.peer.received, written, "bytes at the peer")
                try expectEqual(scene.peer.end, .finish, "the end at the peer")
                try expectEqual(scene.recorder.trace.all.last, .lost(nil), "the last callback")
            },
            BatteryCase("stream/close-stops-reading", [94]) { stage in
                let scene = try stage.open()
                _ = try scene.fill()
                scene.transport.close()
                scene.peer.send([1, 2, 3])
                try scene.settle()
                try expectEqual(scene.recorder.byteCount, 0, "bytes after close()")
                scene.peer.resumeReading()
                try scene.waitForLost()
                try expectEqual(scene.recorder.byteCount, 0, "bytes after close()")
            },
            BatteryCase("stream/close-while-reading-is-paused", [94]) { stage in
                let scene = try stage.open()
                scene.transport.pauseReading()
                scene.peer.send([1])
                try scene.settle()
                scene.transport.close()
                scene.transport.resumeReading()
                try scene.waitForLost()
                try expectEqual(scene.recorder.trace.all, [.made] + scene.closed, "the trace")
            },
            BatteryCase("stream/abort-drops-the-buffer", [92, 95]) { stage in
                let scene = try stage.open()
                let written = try scene.fill()
                scene.transport.write(pattern(1 << 20))
                scene.transport.abort()
                try expectEqual(scene.transport.writeBufferSize, 0, "the buffer right after abort()")
                try expect(scene.transport.isClosing, "isClosing at once")
                try expect(!scene.recorder.isLost, "connectionLost came inside abort()")
                try scene.waitForLost()
                try expectEqual(scene.recorder.trace.all.last, .lost(nil), "the last callback")
                scene.peer.resumeReading()
                try scene.wait("the end at the peer") { scene.peer.end != nil }
                try expect(scene.peer.received.count < written.count, "everything was sent all the same")
            },
            BatteryCase("stream/abort-cuts-a-closing-flush-short", [95]) { stage in
                let scene = try stage.open()
                let written = try scene.fill()
                scene.transport.close()
                try stage.settle(2)
                try expect(!scene.recorder.isLost, "lost while blocked")
                scene.transport.abort()
                try scene.waitForLost()
                try expectEqual(scene.recorder.trace.all.last, .lost(nil), "the last callback")
                scene.peer.resumeReading()
                try scene.wait("the end at the peer") { scene.peer.end != nil }
                try expect(scene.peer.received.count < written.count, "everything was sent all the same")
            },
            BatteryCase("stream/abort-is-idempotent", [95]) { stage in
                let scene = try stage.open()
                scene.transport.abort()
                scene.transport.abort()
                scene.transport.close()
                scene.transport.reset()
                try scene.waitForLost()
                scene.transport.abort()
                try scene.settle()
                try expectEqual(scene.recorder.trace.all, [.made, .lost(nil)], "the trace")
            },
            BatteryCase("stream/reset", [95]) { stage in
                guard stage.host.canReset else { return }
                let scene = try stage.open()
                scene.transport.write([1])
                try scene.waitForBytes(1)
                scene.transport.reset()
                try expect(!scene.recorder.isLost, "connectionLost came inside reset()")
                try scene.waitForLost()
                try expectEqual(scene.recorder.trace.all, [.made, .lost(nil)], "the trace")
                try scene.wait("the end at the peer") { scene.peer.end != nil }
                try expectEqual(scene.peer.end, .reset, "the end at the peer")
            },
            BatteryCase("stream/nothing-after-lost", [97]) { stage in
                let scene = try stage.open()
                scene.transport.close()
                scene.peer.send([1])
                try scene.waitForLost()
                scene.peer.send([2])
                scene.transport.pauseReading()
                scene.transport.resumeReading()
                scene.transport.write([1])
                scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 0))
                try scene.settle()
                try expectEqual(scene.recorder.trace.all, [.made] + scene.closed, "the trace")
                try expect(scene.transport.streamProtocol == nil, "the transport kept its protocol")
            },
            BatteryCase("stream/eof-and-close-at-once", [72, 96]) { stage in
                let scene = try stage.open()
                scene.peer.finish()
                scene.transport.close()
                try scene.waitForLost()
                try expectEqual(scene.recorder.trace.all, [.made] + scene.closed, "the trace")
            },
            BatteryCase("stream/half-closed-both-ways", [72, 82], over: .plain) { stage in
                let recorder = RecordingProtocol()
                recorder.keepsOpenAfterEOF = true
                let scene = try stage.open(recorder)
                scene.peer.finish()
                try scene.wait("eof") { recorder.count(.eof) == 1 }
                scene.transport.write([1])
                scene.transport.writeEOF()
                try scene.wait("the end at the peer") { scene.peer.end != nil }
                try expectBytes(scene.peer.received, [1], "bytes at the peer")
                scene.transport.close()
                try scene.waitForLost()
                try expectEqual(recorder.trace.all, [.made, .eof, .lost(nil)], "the trace")
            },
        ]
        + endingInside("close", [94, 96]) { $0.close() }
        + endingInside("abort", [95, 96]) { $0.abort() }
        + endingInside("reset", [95, 96]) { $0.reset() }

    /// `act` inside each callback: `lost` comes once, last, and not inside that callback.
    private static func endingInside(
        _ name: String, _ rules: [Int], _ act: @escaping @Sendable (any StreamTransport) -> Void
    ) -> [BatteryCase] {
        [Callback.made, .data, .eof, .pause, .resume, .lost].map { callback in
            BatteryCase("stream/\(name)-in-\(callback.rawValue)", rules) { stage in
                var wasLostInside = false
                let recorder = RecordingProtocol(callback) { recorder, transport in
                    let before = recorder.isLost
                    act(transport)
                    wasLostInside = recorder.isLost != before
                }
                try stage.provoke(callback, on: recorder)
                try stage.wait("connectionLost") { recorder.isLost }
                try stage.settle()
                try expect(!wasLostInside, "connectionLost came inside \(name)()")
                try expectEqual(recorder.trace.all.last, .lost(nil), "the last callback")
                try expectEqual(recorder.count(callback), 1, "\(callback.rawValue) callbacks")
            }
        }
    }
}

extension BatteryStage {
    /// Makes a connection and brings `callback` about on it.
    func provoke(_ callback: Callback, on recorder: RecordingProtocol) throws {
        let scene = try open(recorder)
        switch callback {
        case .made: break
        case .data:
            scene.peer.send([1])
            try wait("data") { recorder.count(.data) == 1 }
        case .eof:
            scene.peer.finish()
            try wait("eof") { recorder.count(.eof) == 1 }
        case .pause, .resume:
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 64 << 20))
            _ = try scene.fill()
            scene.transport.setWriteBufferLimits(try WriteBufferLimits(high: 0))
            try wait("pause") { recorder.count(.pause) == 1 }
            scene.peer.resumeReading()
            try wait("resume or the end") { recorder.count(.resume) == 1 || recorder.isLost }
        case .lost: scene.transport.close()
        case .datagram, .error: throw BatteryFailure("a stream has no such callback")
        }
    }
}
