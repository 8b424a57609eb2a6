import Foundation

/// The files that both servers serve, in a folder of their own that goes with this object.
public final class ScenarioFiles: Sendable {
    /// The folder; has `files`, `gzip`, `basic` and `store`.
    public let root: String

    /// The text behind `/gzip/text.txt`: 1,000 lines of 20 bytes.
    public static let text = (0..<1000).map { number in
        let digits = String(number)
        return "line " + String(repeating: "0", count: 4 - digits.count) + digits + " ........." + "\n"
    }.joined()

    /// Makes the folder and the files in the system's temporary place.
    ///
    /// - Throws: Foundation's errors, where the disk is full or not writable.
    public init() throws {
        let manager = FileManager.default
        let base = manager.temporaryDirectory.appendingPathComponent("anyloop-scenarios-\(UUID().uuidString)")
        root = base.path
        for folder in ["files", "gzip", "basic", "store", "tmp"] {
            try manager.createDirectory(
                at: base.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        let files: [(String, Data)] = [
            ("files/hello.txt", Data("hello, world\n".utf8)),
            ("files/empty.txt", Data()),
            ("files/pattern-64k.bin", Data(PatternBytes.bytes(count: 65536))),
            ("files/pattern-1m.bin", Data(PatternBytes.bytes(count: 1 << 20))),
            ("files/pattern-32m.bin", Data(PatternBytes.bytes(count: 1 << 25))),
            ("gzip/text.txt", Data(Self.text.utf8)),
            ("basic/index.txt", Data("welcome\n".utf8)),
        ]
        // The same old date for all, so that Last-Modified is the same on every server.
        let date = Date(timeIntervalSince1970: 1_577_836_800)
        for (name, content) in files {
            let url = base.appendingPathComponent(name)
            try content.write(to: url)
            try manager.setAttributes([.modificationDate: date], ofItemAtPath: url.path)
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)
    }
}
