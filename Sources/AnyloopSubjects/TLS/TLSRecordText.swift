/// Reads records of TLS by means of its own, for the harness: what is in them but for what chance decides.
enum TLSRecordText {
    /// RFC 8446 §5.2: a record's content may have so many bytes once it is encrypted.
    private static let recordLimit = 16384 + 256

    private static let changeCipherSpec: UInt8 = 20
    private static let alert: UInt8 = 21
    private static let handshake: UInt8 = 22
    private static let applicationData: UInt8 = 23

    private struct Record {
        var type: UInt8
        var version: ArraySlice<UInt8>
        var content: ArraySlice<UInt8>
    }

    /// The records, and what is left over behind the last whole one.
    private static func records(of bytes: [UInt8]) -> (records: [Record], rest: ArraySlice<UInt8>) {
        var records: [Record] = []
        var rest = bytes[...]
        while rest.count >= 5 {
            let head = rest.prefix(5)
            let count = Int(head[head.startIndex + 3]) << 8 | Int(head[head.startIndex + 4])
            guard rest.count >= 5 + count else { break }
            records.append(
                Record(
                    type: head[head.startIndex], version: head.dropFirst().prefix(2),
                    content: rest.dropFirst(5).prefix(count)))
            rest = rest.dropFirst(5 + count)
        }
        return (records, rest)
    }

    /// A line for each handshake message and alert in the clear; one for all that is encrypted; other bytes as they are.
    static func lines(of bytes: [UInt8]) -> [String] {
        guard let first = bytes.first, (changeCipherSpec...applicationData).contains(first) else {
            return bytes.isEmpty ? [] : [String(decoding: bytes, as: UTF8.self)]
        }
        let (records, rest) = records(of: bytes)
        var lines: [String] = []
        var messages: [UInt8] = []
        var isEncrypted = false
        for record in records {
            switch record.type {
            case handshake where !isEncrypted:
                messages += record.content
                while let line = takeMessage(&messages) { lines.append(line) }
            case alert where !isEncrypted:
                lines.append("alert " + record.content.map { "\($0)" }.joined(separator: " "))
            default:
                if !isEncrypted, record.type != changeCipherSpec { lines.append("encrypted") }
                if record.type != changeCipherSpec { isEncrypted = true }
            }
        }
        if !messages.isEmpty { lines.append("part of a message") }
        if !rest.isEmpty { lines.append("part of a record, \(rest.count) bytes") }
        return lines
    }

    /// Takes a whole handshake message from the front: its type and, of a hello, what was chosen.
    private static func takeMessage(_ bytes: inout [UInt8]) -> String? {
        guard bytes.count >= 4 else { return nil }
        let count = Int(bytes[1]) << 16 | Int(bytes[2]) << 8 | Int(bytes[3])
        guard bytes.count >= 4 + count else { return nil }
        defer { bytes.removeFirst(4 + count) }
        let body = bytes[4..<(4 + count)]
        guard bytes[0] == 2, body.count >= 35 else { return "message \(bytes[0])" }
        // ServerHello: version, random, session, cipher suite (RFC 8446 §4.1.3).
        let cipher = body.dropFirst(35 + Int(body[body.startIndex + 34])).prefix(2)
        return "message 2, version \(hexadecimal(body.prefix(2))), suite \(hexadecimal(cipher))"
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// What breaks the rules of records, in one sentence; nil if nothing does.
    static func flaw(in bytes: [UInt8]) -> String? {
        guard !bytes.starts(with: Array("HTTP/".utf8)) else { return nil }
        let (records, rest) = records(of: bytes)
        if !rest.isEmpty { return "\(rest.count) bytes behind the last whole record" }
        var hasGivenUp = false
        var isEncrypted = false
        for (number, record) in records.enumerated() {
            func flaw(_ text: String) -> String { "record \(number + 1) \(text)" }
            if hasGivenUp { return flaw("comes after a fatal alert") }
            if !(changeCipherSpec...applicationData).contains(record.type) { return flaw("has type \(record.type)") }
            if record.version.first != 3 { return flaw("has version \(hexadecimal(record.version))") }
            if record.content.isEmpty { return flaw("is empty") }
            if record.content.count > recordLimit { return flaw("has \(record.content.count) bytes") }
            if record.type == applicationData || record.type == changeCipherSpec { isEncrypted = true }
            guard record.type == alert, !isEncrypted else { continue }
            guard record.content.count == 2, let level = record.content.first, let number = record.content.last else {
                return flaw("is an alert of \(record.content.count) bytes")
            }
            // RFC 8446 §6: all but close_notify and user_canceled are fatal.
            if level != 2, number != 0, number != 90 { return flaw("is the alert \(number) at level \(level)") }
            hasGivenUp = level == 2
        }
        return nil
    }
}
