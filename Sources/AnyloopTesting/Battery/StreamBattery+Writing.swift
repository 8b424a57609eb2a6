import AnyloopCore

extension StreamBattery {
    /// How bytes and the end go out (rules 76 to 84, 92).
    static let writing: [BatteryCase] = [
        BatteryCase("stream/write-in-made", [63, 76]) { stage in
            let scene = try stage.open(RecordingProtocol(.made) { _, transport in transport.write([1, 2, 3]) })
            try scene.waitForBytes(3)
            try expectBytes(scene.peer.received, [1, 2, 3], "bytes at the peer")
        },
        BatteryCase("stream/write-forms-keep-order", [76, 80]) { stage in
            let scene = try stage.open()
            var written: [UInt8] = []
            for index in 0..<60 {
                let piece = pattern(1 + index * 31, seed: UInt8(index))
                switch index % 3 {
                case 0: scene.transport.write(piece)
                case 1: scene.transport.write(piece.span)
                default: scene.transport.write(contentsOf: [piece, [], piece])
                }
                written += index % 3 == 2 ? piece + piece : piece
            }
            try scene.waitForBytes(written.count)
            try expectBytes(scene.peer.received, written, "bytes at the peer")
        },
        BatteryCase("stream/blocked-write-forms-keep-order", [76, 80]) { stage in
            let scene = try stage.open()
            var written = try scene.fill()
            for index in 0..<60 {
                let piece = pattern(1 + index * 97, seed: UInt8(index))
                switch index % 3 {
                case 0: scene.transport.write(piece)
                case 1: scene.transport.write(piece.span)
                default: scene.transport.write(contentsOf: [piece, [], piece])
                }
                written += index % 3 == 2 ? piece + piece : piece
            }
            scene.peer.resumeReading()
            try scene.waitForBytes(written.count)
            try expectBytes(scene.peer.received, written, "bytes at the peer")
            try expectEqual(scene.transport.writeBufferSize, 0, "the drained buffer")
        },
        BatteryCase("stream/one-byte-writes", [76]) { stage in
            let scene = try stage.open()
            let written = pattern(5000)
            for byte in written { scene.transport.write([byte]) }
            try scene.waitForBytes(written.count)
            try expectBytes(scene.peer.received, written, "bytes at the peer")
        },
        BatteryCase("stream/blocked-one-byte-writes", [76]) { stage in
            let scene = try stage.open()
            var written = try scene.fill()
            for byte in pattern(5000) {
                scene.transport.write([byte])
                written.append(byte)
            }
            scene.peer.resumeReading()
            try scene.waitForBytes(written.count)
            try expectBytes(scene.peer.received, written, "bytes at the peer")
        },
        BatteryCase("stream/more-pieces-than-one-call-takes", [80]) { stage in
            // Above IOV_MAX, which is 1024 on Linux, with empty pieces among them.
            let scene = try stage.open()
            let pieces = (0..<3000).map { pattern($0 % 5, seed: UInt8(truncatingIfNeeded: $0)) }
            scene.transport.write(contentsOf: pieces)
            let written = Array(pieces.joined())
            try scene.waitForBytes(written.count)
            try expectBytes(scene.peer.received, written, "bytes at the peer")
        },
        BatteryCase("stream/no-pieces", [78, 80]) { stage in
            let scene = try stage.open()
            scene.transport.write(contentsOf: [])
            scene.transport.write(contentsOf: [[], []])
            scene.transport.write([])
            try scene.settle()
            try expectEqual(scene.peer.received.count, 0, "bytes at the peer")
            try expectEqual(scene.transport.writeBufferSize, 0, "the buffer")
        },
        BatteryCase("stream/caller-may-reuse-its-bytes", [79]) { stage in
            let scene = try stage.open()
            var written = try scene.fill()
            var buffer = pattern(1000)
            written += buffer
            scene.transport.write(buffer.span)
            for index in buffer.indices { buffer[index] = 0xEE }
            scene.peer.resumeReading()
            try scene.waitForBytes(written.count)
            try expectBytes(scene.peer.received, written, "bytes at the peer")
        },
        BatteryCase("stream/echo", [65, 76]) { stage in
            let recorder = RecordingProtocol()
            recorder.onData = { transport, bytes in transport.write(bytes) }
            let scene = try stage.open(recorder)
            let sent = pattern(500_000)
            for start in stride(from: 0, to: sent.count, by: 50_000) {
                scene.peer.send(Array(sent[start..<start + 50_000]))
            }
            try scene.waitForBytes(sent.count)
            try expectBytes(scene.peer.received, sent, "the echo")
        },
        BatteryCase("stream/eight-megabytes-to-a-slow-reader", [76, 87, 89]) { stage in
            let recorder = RecordingProtocol()
            let scene = try stage.open(recorder)
            let sent = pattern(8 << 20)
            var offset = 0
            while scene.peer.received.count < sent.count {
                scene.peer.stopReading()
                while offset < sent.count, !recorder.grammar.isWritingPaused {
                    let end = min(sent.count, offset + 50_000)
                    scene.transport.write(Array(sent[offset..<end]))
                    offset = end
                }
                try stage.settle(1)
                let before = scene.peer.received.count
                scene.peer.resumeReading()
                // The last of them may be there before the turn in which writing is resumed.
                try scene.wait("more than \(before) bytes") {
                    scene.peer.received.count > before || (offset < sent.count && !recorder.grammar.isWritingPaused)
                }
            }
            try expectBytes(scene.peer.received, sent, "bytes at the peer")
            try scene.wait("the last resumeWriting") { !recorder.grammar.isWritingPaused }
            try expectEqual(scene.transport.writeBufferSize, 0, "the drained buffer")
            try expect(recorder.count(.pause) > 0, "8 MB to a slow reader never paused the writer")
            try expectEqual(recorder.count(.pause), recorder.count(.resume), "pauses and resumes")
        },
        BatteryCase("stream/both-directions-at-once", [65, 76]) { stage in
            let scene = try stage.open()
            let there = pattern(2 << 20, seed: 1)
            let back = pattern(2 << 20, seed: 2)
            scene.transport.write(there)
            for start in stride(from: 0, to: back.count, by: 1 << 16) {
                scene.peer.send(Array(back[start..<start + (1 << 16)]))
            }
            try scene.waitForData(back.count)
            try scene.waitForBytes(there.count)
            try expectBytes(scene.recorder.trace.bytes, back, "received data")
            try expectBytes(scene.peer.received, there, "bytes at the peer")
        },
        BatteryCase("stream/write-eof", [82], over: .plain) { stage in
            let scene = try stage.open()
            try expect(scene.transport.canWriteEOF, "canWriteEOF")
            scene.transport.write([1, 2])
            scene.transport.writeEOF()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, [1, 2], "bytes at the peer")
            try expectEqual(scene.peer.end, .finish, "the end at the peer")
            try expect(!scene.transport.isClosing, "closing after writeEOF")
            scene.peer.send([3])
            try scene.waitForData(1)
            scene.peer.finish()
            try scene.waitForLost()
            try expectEqual(scene.recorder.trace.all, [.made, .data([3]), .eof, .lost(nil)], "the trace")
        },
        BatteryCase("stream/write-eof-after-the-buffer", [82], over: .plain) { stage in
            let scene = try stage.open()
            let written = try scene.fill()
            scene.transport.writeEOF()
            try scene.settle()
            scene.peer.resumeReading()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, written, "bytes at the peer")
            try expectEqual(scene.peer.end, .finish, "the end at the peer")
        },
        BatteryCase("stream/write-eof-twice-and-after-close", [81], over: .plain) { stage in
            let scene = try stage.open()
            scene.transport.writeEOF()
            scene.transport.writeEOF()
            scene.transport.close()
            scene.transport.writeEOF()
            try scene.waitForLost()
            scene.transport.writeEOF()
            try expectEqual(scene.recorder.trace.all, [.made, .lost(nil)], "the trace")
        },
        BatteryCase("stream/write-after-write-eof-is-reported", [81], over: .plain) { stage in
            stage.expectsExceptions = true
            let scene = try stage.open()
            scene.transport.write([1])
            scene.transport.writeEOF()
            scene.transport.write([2])
            scene.transport.write([3].span)
            scene.transport.write(contentsOf: [[4]])
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, [1], "bytes at the peer")
            try expectEqual(
                stage.exceptions.map(\.message),
                ["write", "write", "writelines"].map { "Cannot call \($0)() after write_eof()" }, "reports")
        },
        BatteryCase("stream/write-after-close-is-dropped-and-counted", [83]) { stage in
            let scene = try stage.open()
            scene.transport.write([1])
            scene.transport.close()
            scene.transport.write([2])
            scene.transport.write([3].span)
            scene.transport.write(contentsOf: [[4]])
            scene.transport.write([])
            try expectEqual(scene.transport.droppedWriteCount, 3, "dropped writes")
            try scene.waitForLost()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectBytes(scene.peer.received, [1], "bytes at the peer")
        },
        BatteryCase("stream/write-while-closing", [83], over: .plain) { stage in
            // What is written is appended to the flush that is under way.
            let scene = try stage.open()
            let written = try scene.fill()
            scene.transport.close()
            scene.transport.write([1, 2, 3])
            scene.peer.resumeReading()
            try scene.waitForLost()
            try scene.wait("the end at the peer") { scene.peer.end != nil }
            try expectEqual(scene.transport.droppedWriteCount, 0, "dropped writes")
            try expectBytes(scene.peer.received, written + [1, 2, 3], "bytes at the peer")
        },
        BatteryCase("stream/write-after-lost-is-dropped-and-counted", [83, 97]) { stage in
            let scene = try stage.open()
            scene.transport.abort()
            try scene.waitForLost()
            for count in 1...8 {
                scene.transport.write([1])
                try expectEqual(scene.transport.droppedWriteCount, count, "dropped writes")
            }
            scene.transport.write([])
            try expectEqual(scene.transport.droppedWriteCount, 8, "dropped writes")
        },
        BatteryCase("stream/write-after-reset", [84]) { stage in
            let scene = try stage.open()
            scene.peer.reset()
            var writes = 0
            while !scene.recorder.isLost, writes < 100 {
                scene.transport.write([1])
                writes += 1
                try stage.settle(1)
            }
            try scene.waitForLost()
            let code = scene.recorder.lostError?.errno
            try expect(code == 104 || code == 32, "lost with \(code as Any), expected ECONNRESET or EPIPE")
            let dropped = scene.transport.droppedWriteCount
            scene.transport.write([1])
            try expectEqual(scene.transport.droppedWriteCount, dropped + 1, "dropped writes")
        },
        BatteryCase("stream/reset-while-blocked", [84]) { stage in
            let scene = try stage.open()
            _ = try scene.fill()
            scene.peer.reset()
            try scene.waitForLost()
            let code = scene.recorder.lostError?.errno
            try expect(code == 104 || code == 32, "lost with \(code as Any), expected ECONNRESET or EPIPE")
            try expectEqual(scene.transport.writeBufferSize, 0, "the buffer")
        },
        BatteryCase("stream/write-buffer-size", [92]) { stage in
            let scene = try stage.open()
            try expectEqual(scene.transport.writeBufferSize, 0, "the buffer of a new transport")
            let written = try scene.fill()
            let size = scene.transport.writeBufferSize
            scene.transport.write([1, 2, 3])
            scene.transport.write(contentsOf: [[4], [5, 6]])
            // Over TLS there may be ciphertext in it: two records more.
            let sizes = size + 6...size + 6 + (stage.host.speaksTLS ? 100 : 0)
            try expect(
                sizes ~= scene.transport.writeBufferSize,
                "the buffer after 6 more bytes: expected \(sizes), got \(scene.transport.writeBufferSize)")
            scene.peer.resumeReading()
            try scene.waitForBytes(written.count + 6)
            try expectEqual(scene.transport.writeBufferSize, 0, "the drained buffer")
        },
        BatteryCase("stream/names", [97, 102]) { stage in
            let scene = try stage.open()
            let names = (scene.transport.socketName, scene.transport.peerName)
            try expect(names.0 != nil, "a connected transport has a socket name")
            scene.transport.close()
            try scene.waitForLost()
            try expectEqual(scene.transport.socketName, names.0, "the socket name after the close")
            try expectEqual(scene.transport.peerName, names.1, "the peer name after the close")
        },
    ]
}
