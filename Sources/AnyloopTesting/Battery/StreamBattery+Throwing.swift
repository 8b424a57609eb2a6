import AnyloopCore

extension StreamBattery {
    /// What becomes of a callback that throws (rules 64, 66, 74, 90, 98).
    static let throwing: [BatteryCase] = [
        BatteryCase("stream/throw-in-made", [64], over: .plain) { stage in
            // Reported; the transport stays open and reads.
            let recorder = try stage.provokeThrow(.made)
            try stage.settle()
            try expect(!recorder.isLost, "connectionLost after connectionMade threw")
            try expect(recorder.transport?.isClosing == false, "closing after connectionMade threw")
        },
        BatteryCase("stream/throw-in-made-still-reads", [64], over: .plain) { stage in
            stage.expectsExceptions = true
            let scene = try stage.open(RecordingProtocol(.made) { _, _ in throw ReactionError(.made) })
            scene.peer.send([1])
            try scene.waitForData(1)
        },
        BatteryCase("stream/throw-in-data", [66]) { stage in
            let recorder = try stage.provokeThrow(.data)
            try stage.expectEnded(recorder, "dataReceived")
        },
        BatteryCase("stream/throw-in-data-drops-the-buffer", [66]) { stage in
            stage.expectsExceptions = true
            let recorder = RecordingProtocol(.data) { _, _ in throw ReactionError(.data) }
            let scene = try stage.open(recorder)
            _ = try scene.fill()
            scene.peer.send([1])
            try scene.waitForLost()
            try expectEqual(scene.transport.writeBufferSize, 0, "the buffer")
            try expectEqual(recorder.count(.data), 1, "chunks")
        },
        BatteryCase("stream/throw-in-eof", [74]) { stage in
            let recorder = try stage.provokeThrow(.eof)
            try stage.expectEnded(recorder, "eofReceived")
        },
        BatteryCase("stream/throw-in-pause", [90]) { stage in
            let recorder = try stage.provokeThrow(.pause)
            try stage.settle()
            try expect(!recorder.isLost, "connectionLost after pauseWriting threw")
            try expectEqual(recorder.count(.resume), 1, "resumes")
        },
        BatteryCase("stream/throw-in-resume", [90]) { stage in
            let recorder = try stage.provokeThrow(.resume)
            try stage.settle()
            try expect(!recorder.isLost, "connectionLost after resumeWriting threw")
            recorder.transport?.close()
            try stage.wait("connectionLost") { recorder.isLost }
        },
        BatteryCase("stream/throw-in-lost", [98]) { stage in
            let recorder = try stage.provokeThrow(.lost)
            try expectEqual(recorder.count(.lost), 1, "losts")
        },
        BatteryCase("stream/throw-after-close-in-data", [66, 94]) { stage in
            stage.expectsExceptions = true
            let recorder = RecordingProtocol(.data) { _, transport in
                transport.close()
                throw ReactionError(.data)
            }
            let scene = try stage.open(recorder)
            scene.peer.send([1])
            try scene.waitForLost()
            try scene.settle()
            try expectEqual(recorder.count(.lost), 1, "losts")
            try expectEqual(stage.exceptions.count, 1, "reports")
        },
        BatteryCase("stream/throw-spares-the-others", [66]) { stage in
            stage.expectsExceptions = true
            let bad = try stage.open(RecordingProtocol(.data) { _, _ in throw ReactionError(.data) })
            let good = try stage.open()
            bad.peer.send([1])
            good.peer.send([2])
            try bad.waitForLost()
            try good.waitForData(1)
            try expect(good.recorder.isOpen, "another connection ended as well")
        },
    ]
}

extension BatteryStage {
    /// Lets `callback` throw once; fails unless the exception handler hears of exactly that.
    fileprivate func provokeThrow(_ callback: Callback) throws -> RecordingProtocol {
        expectsExceptions = true
        let recorder = RecordingProtocol(callback) { _, _ in throw ReactionError(callback) }
        try provoke(callback, on: recorder)
        try wait("a report to the exception handler") { !exceptions.isEmpty }
        try settle()
        try expectEqual(exceptions.count, 1, "reports")
        try expectEqual(exceptions.first?.error as? ReactionError, ReactionError(callback), "the reported error")
        return recorder
    }

    /// Fails unless `recorder` ended with the error that its callback `name` threw.
    fileprivate func expectEnded(_ recorder: RecordingProtocol, _ name: String) throws {
        try wait("connectionLost") { recorder.isLost }
        try expectEqual(recorder.trace.all.last, .lost("callback \(name)"), "the last callback")
        let texts = ["Fatal error: protocol.", "Fatal error on SSL protocol", "Error calling eof_received()"]
        try expect(
            texts.contains { exceptions.first?.message.hasPrefix($0) == true },
            "the report says '\(exceptions.first?.message ?? "")'")
        try expect(
            exceptions.first?.transport === recorder.transport, "the report does not name the transport")
    }
}
