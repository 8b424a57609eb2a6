import Foundation

/// Fixtures as files: one `.wire` each, large bodies beside them.
public enum FixtureFiles {
    /// A file that cannot be read or written.
    public struct FileError: Error, CustomStringConvertible {
        /// The file.
        public var path: String
        /// What could not be done with it.
        public var action: String
        /// One sentence.
        public var description: String { "cannot \(action) '\(path)'; check that it exists and may be accessed" }
    }

    /// The `.wire` files at `path`: itself if it is a file, otherwise all below it, sorted by path.
    public static func find(at path: String) throws -> [String] {
        var isDirectory = ObjCBool(false)
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw FileError(path: path, action: "find")
        }
        guard isDirectory.boolValue else { return [path] }
        guard let names = FileManager.default.enumerator(atPath: path) else {
            throw FileError(path: path, action: "list")
        }
        let base = path.hasSuffix("/") ? path : path + "/"
        return names.compactMap { $0 as? String }.filter { $0.hasSuffix(".wire") }.map { base + $0 }.sorted()
    }

    /// The bytes of a file.
    public static func read(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw FileError(path: path, action: "read")
        }
        return Array(data)
    }

    /// Writes `bytes` to a file, at once or not at all.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw FileError(path: path, action: "write")
        }
    }

    /// The fixture in the file `path`, with its blobs.
    ///
    /// - Throws: `FixtureError` if it is malformed, `FileError` if it cannot be read.
    public static func load(_ path: String, limits: FixtureLimits = .standard) throws -> Fixture {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        return try Fixture.parse(try read(path), file: path, limits: limits) { name in
            FileManager.default.contents(atPath: folder.appendingPathComponent(name).path).map { Array($0) }
        }
    }
}
