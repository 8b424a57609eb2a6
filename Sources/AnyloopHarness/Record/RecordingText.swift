/// What a recorded fixture says of its origin.
public struct RecordingHeader: Sendable {
    /// The fixture's id; nil takes it from the file's path.
    public var id: String?
    /// The software that answered, such as `nginx/1.22.1`.
    public var server = "unknown"
    /// The software that asked, such as `curl/7.88.1`.
    public var client = "unknown"
    /// The day, as `2026-11-23`.
    public var date: String
    /// The sections it is about.
    public var specs: [String] = []
    /// The command that made it.
    public var command: String?
    /// Whose views the expectations are.
    public var oracle: String?
    /// The methods of the requests that are answered; nil leaves the line out.
    public var requests: String?
    /// What it is about; the first is the protocol.
    public var tags = "http1 recorded"
    /// One line of prose; nil names the two peers.
    public var title: String?
    /// What is hidden.
    public var redaction = Redaction(fields: [])

    /// A header for a recording made on `date`.
    public init(date: String) {
        self.date = date
    }

    /// The header's lines for the fixture in `file`.
    func lines(file: String) -> [String] {
        var lines = ["wire 1", "id       \(id ?? Self.id(of: file))"]
        lines += specs.map { "spec     \($0)" }
        lines.append("source   recorded \(server) <- \(client) \(date)")
        if let command { lines.append("command  \(command)") }
        if let oracle { lines.append("oracle   \(oracle)") }
        lines += redaction.words.map { "redact   \($0)" }
        if let requests { lines.append("requests \(requests)") }
        lines.append("tags     \(tags)")
        lines.append("title    \(title ?? "A conversation of \(client) with \(server)")")
        return lines
    }

    /// The path below `Fixtures/` without `.wire`, or the file's name.
    static func id(of file: String) -> String {
        let parts = file.split(separator: "/")
        let below = parts.lastIndex(of: "Fixtures").map { parts[($0 + 1)...] } ?? parts.suffix(1)
        let path = below.joined(separator: "/")
        return path.hasSuffix(".wire") ? String(path.dropLast(5)) : path
    }
}

/// A recording as the text of a `.wire` file.
public struct RecordingText: Sendable {
    /// The file's text.
    public private(set) var text: String
    /// The files that belong beside it, by name.
    public private(set) var blobs: [(name: String, bytes: [UInt8])] = []

    /// Runs of one direction longer than this go into files of their own, in bytes.
    public static let blobThreshold = 65536
    /// Pieces shorter than this stay in the text all the same, in bytes.
    static let blobMinimum = 4096
    /// The longest piece of text and of hexadecimal on a line, in bytes.
    static let textWidth = 96, hexadecimalWidth = 32
    /// The longest period that is written as `repeat`, in bytes.
    static let periodLimit = 256

    private let stem: String

    /// The text of `conversation` for the fixture in `file`.
    public init(_ conversation: RecordedConversation, header: RecordingHeader, file: String) {
        let redacted = header.redaction.fields.isEmpty ? conversation : conversation.redacted(header.redaction)
        let name = file.split(separator: "/").last.map(String.init) ?? file
        stem = name.hasSuffix(".wire") ? String(name.dropLast(5)) : name
        text = header.lines(file: file).joined(separator: "\n") + "\n--- stream\n"
        var runs = Self.runLengths(redacted.steps)[...]
        for step in redacted.steps {
            switch step {
            case .bytes(let direction, let bytes):
                append(bytes, direction, inBlobs: (runs.popFirst() ?? 0) > Self.blobThreshold)
            case .boundary: text += "|\n"
            case .control(let direction, let control):
                text += "\(direction.rawValue) \(WireDocument.format(control))\n"
            }
        }
    }

    /// For each step with bytes, the length of the run of its direction that it is part of.
    private static func runLengths(_ steps: [Fixture.Step]) -> [Int] {
        var lengths: [Int] = []
        var members = 0
        var total = 0
        var current: Fixture.Direction?
        func close() {
            lengths += Array(repeating: total, count: members)
            (members, total) = (0, 0)
        }
        for case .bytes(let direction, let bytes) in steps {
            if direction != current { close() }
            current = direction
            members += 1
            total += bytes.count
        }
        close()
        return lengths
    }

    private mutating func append(_ bytes: [UInt8], _ direction: Fixture.Direction, inBlobs: Bool) {
        var rest = bytes[...]
        // A head stays readable in front of whatever body follows it.
        if let end = Self.endOfHead(rest) {
            appendText(rest[..<end], direction)
            rest = rest[end...]
        }
        guard !rest.isEmpty else { return }
        if let (period, count) = Self.repetition(rest) {
            let unit = Array(rest.prefix(period))
            append(.repeated(count, Self.piece(unit[...])), direction)
            rest = rest.dropFirst(period * count)
            if !rest.isEmpty { append(Self.piece(rest), direction) }
        } else if inBlobs, rest.count >= Self.blobMinimum {
            let name = "\(stem)-\(blobs.count + 1).bin"
            blobs.append((name, Array(rest)))
            let digest = SHA256.hexadecimal(of: Array(rest))
            append(.blob(name: name, count: rest.count, sha256: digest), direction)
        } else {
            appendText(rest, direction)
        }
    }

    private mutating func appendText(_ bytes: ArraySlice<UInt8>, _ direction: Fixture.Direction) {
        var rest = bytes
        while !rest.isEmpty {
            let line = rest.prefix { $0 != UInt8(ascii: "\n") }
            let whole = rest.prefix(line.count + 1)
            let isText = Self.isText(whole.prefix(Self.textWidth))
            let taken = isText ? whole.prefix(Self.textWidth) : rest.prefix(Self.hexadecimalWidth)
            append(Self.piece(taken, isText: isText), direction)
            rest = rest.dropFirst(taken.count)
        }
    }

    private mutating func append(_ piece: WirePiece, _ direction: Fixture.Direction) {
        text += "\(direction.rawValue) \(WireDocument.format(piece))\n"
    }

    private static func piece(_ bytes: ArraySlice<UInt8>, isText: Bool? = nil) -> WirePiece {
        isText ?? self.isText(bytes) ? .text(Array(bytes)) : .hexadecimal(Array(bytes))
    }

    private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool {
        let odd = bytes.count { !(0x20...0x7E).contains($0) && !(0x09...0x0D).contains($0) }
        return odd * 8 <= bytes.count
    }

    private static func endOfHead(_ bytes: ArraySlice<UInt8>) -> Int? {
        let blank = Array("\r\n\r\n".utf8)
        var index = bytes.startIndex
        while let found = bytes[index...].firstIndex(of: blank[0]), found + 4 <= bytes.endIndex {
            if bytes[found..<found + 4].elementsEqual(blank) { return found + 4 }
            index = found + 1
        }
        return nil
    }

    /// The period of bytes that repeat from begin to end, at least three times and over 64 bytes.
    private static func repetition(_ bytes: ArraySlice<UInt8>) -> (period: Int, count: Int)? {
        guard bytes.count > 64 else { return nil }
        let start = bytes.startIndex
        for period in 1...min(periodLimit, bytes.count / 3) {
            if (start + period..<bytes.endIndex).allSatisfy({ bytes[$0] == bytes[$0 - period] }) {
                return (period, bytes.count / period)
            }
        }
        return nil
    }
}
