import AnyloopSubjects

/// A conversation in raw bytes over a connection that curl made: for protocols that this libcurl does not speak.
struct WireDialogue: Sendable {
    /// One step of it.
    enum Step: Sendable {
        /// Sends these bytes.
        case send([UInt8])
        /// Sends them one by one.
        case sendByBytes([UInt8])
        /// Waits for exactly these.
        case expect([UInt8])
        /// Waits for a head's end, an empty line; it must contain these parts.
        case expectHead([String])
        /// Waits for the end; nothing else may come.
        case expectEnd
    }

    /// The steps, in order.
    let steps: [Step]

    /// Milliseconds that an answer may take.
    private static let timeLimit: Int32 = 10_000

    /// What went amiss at `target`; empty if nothing did.
    func run(against target: ScenarioTarget) -> [String] {
        guard let curl = CurlHandle() else { return ["libcurl is out of memory"] }
        let code = curl.connectOnly(target)
        guard code == 0 else { return ["curl could not connect: \(code)"] }
        var held: [UInt8] = []
        for (index, step) in steps.enumerated() {
            if let failure = perform(step, curl, &held) { return ["step \(index + 1): \(failure)"] }
        }
        return []
    }

    private func perform(_ step: Step, _ curl: CurlHandle, _ held: inout [UInt8]) -> String? {
        switch step {
        case .send(let bytes): return send(bytes, curl)
        case .sendByBytes(let bytes):
            for byte in bytes {
                if let failure = send([byte], curl) { return failure }
            }
            return nil
        case .expect(let bytes):
            let end = fill(&held, curl) { $0.count >= bytes.count }
            guard held.starts(with: bytes) else {
                let difference = zip(held, bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? held.count
                return "\(held.count) bytes came, which differ from \(bytes.count) at \(difference)\(end)"
            }
            held.removeFirst(bytes.count)
            return nil
        case .expectHead(let parts):
            let emptyLine = Array("\r\n\r\n".utf8)
            let end = fill(&held, curl) { $0.firstRange(of: emptyLine) != nil }
            guard let found = held.firstRange(of: emptyLine) else { return "no head came\(end)" }
            let head = String(decoding: held[..<found.upperBound], as: UTF8.self)
            held.removeFirst(found.upperBound)
            return parts.first { !head.contains($0) }.map { "the head lacks '\($0)': \(head)" }
        case .expectEnd:
            let (bytes, code) = curl.receiveAll(limit: 1 << 20, timeLimit: Self.timeLimit)
            held += bytes
            guard held.isEmpty else { return "\(held.count) bytes came before the end" }
            return code == 0 ? nil : "the connection did not end cleanly: curl says \(code)"
        }
    }

    private func send(_ bytes: [UInt8], _ curl: CurlHandle) -> String? {
        let code = curl.send(bytes, timeLimit: Self.timeLimit)
        return code == 0 ? nil : "curl could not send: \(code)"
    }

    /// Receives until `enough` is; otherwise says why nothing more came.
    private func fill(_ held: inout [UInt8], _ curl: CurlHandle, until enough: ([UInt8]) -> Bool) -> String {
        while !enough(held) {
            let (bytes, code) = curl.receiveAll(limit: 1, timeLimit: Self.timeLimit)
            guard !bytes.isEmpty else { return code == 0 ? ", then the end" : ", then curl's error \(code)" }
            held += bytes
        }
        return ""
    }
}
