import Foundation

/// The files that both servers serve, made once a machine, and a folder for uploads that goes with this object.
public final class ScenarioFiles: Sendable {
    /// The folder that is only read: `files`, `gzip` and `basic`.
    public let root: String
    /// The folder for what is PUT.
    public let store: String

    /// The text behind `/gzip/text.txt`: 1,000 lines of 20 bytes.
    public static let text = (0..<1000).map { number in
        let digits = String(number)
        return "line " + String(repeating: "0", count: 4 - digits.count) + digits + " ........." + "\n"
    }.joined()

    /// Makes the folders in the system's temporary place, or finds those of an earlier run.
    ///
    /// - Throws: Foundation's errors, where the disk is full or not writable.
    public init() throws {
        let manager = FileManager.default
        let base = manager.temporaryDirectory
        let shared = base.appendingPathComponent("anyloop-scenario-files-\(getuid())-1")
        let own = base.appendingPathComponent("anyloop-scenario-\(UUID().uuidString)")
        root = shared.path
        store = own.path
        try manager.createDirectory(at: own, withIntermediateDirectories: true)
        guard !manager.fileExists(atPath: shared.path) else { return }
        // Made aside and moved, so that workers that start together never see a half.
        let draft = base.appendingPathComponent("anyloop-scenario-draft-\(UUID().uuidString)")
        try Self.fill(draft)
        do {
            try manager.moveItem(at: draft, to: shared)
        } catch  where manager.fileExists(atPath: shared.path) {
            try manager.removeItem(at: draft)
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: store)
    }

    private static func fill(_ base: URL) throws {
        let manager = FileManager.default
        for folder in ["files", "gzip", "basic"] {
            try manager.createDirectory(at: base.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        let files: [(String, Data)] = [
            ("files/hello.txt", Data("hello, world\n".utf8)),
            ("files/empty.txt", Data()),
            ("files/pattern-64k.bin", Data(PatternBytes.bytes(count: 65536))),
            ("files/pattern-1m.bin", Data(PatternBytes.bytes(count: 1 << 20))),
            ("files/pattern-8m.bin", Data(PatternBytes.bytes(count: 1 << 23))),
            ("gzip/text.txt", Data(text.utf8)),
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
}
