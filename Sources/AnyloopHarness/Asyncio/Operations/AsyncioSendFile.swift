import AnyloopAsync
import AnyloopCore
import CAnyloopSystem

/// The files of a scenario, by name.
final class AsyncioFileTable {
    private var files: [String: SendFileSource] = [:]

    deinit {
        for case .descriptor(let descriptor) in files.values { _ = anyloop_close(descriptor) }
    }

    func add(_ source: SendFileSource, as name: String) { files[name] = source }

    func file(_ step: AsyncioStep, key: String = "file") throws -> SendFileSource {
        let name = try step.table.text(key)
        guard let file = files[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no file '\(name)' (yet)")
        }
        return file
    }
}

/// Bytes as a file without a descriptor (Python: `io.BytesIO`).
final class AsyncioMemoryFile: ReadableFile {
    private let bytes: [UInt8]
    /// Set on the loop's thread only, by `seek`; never read from another.
    private nonisolated(unsafe) var place: Int64

    init(_ bytes: [UInt8], position: Int64) {
        self.bytes = bytes
        unsafe place = position
    }

    var position: Int64 { unsafe place }

    func read(_ count: Int, at offset: Int64) -> [UInt8] { Array(bytes.dropFirst(Int(offset)).prefix(count)) }

    func seek(to offset: Int64) { unsafe place = offset }
}

extension AsyncioOperation {
    /// Files, and sending them over transports.
    static let sending: [String: AsyncioOperation] = [
        "file": .plain { player, step in
            let (name, bytes) = (try step.table.text("name"), try step.data())
            let position = Int64(try step.table.number("position", or: 0))
            let files = player.store(AsyncioFileTable.init)
            guard try !step.table.flag("memory", or: false) else {
                return files.add(.file(AsyncioMemoryFile(bytes, position: position)), as: name)
            }
            let path = "\(try player.folder())/\(name)"
            try FixtureFiles.write(bytes, to: path)
            let descriptor = unsafe path.withCString { unsafe anyloop_open_reading($0) }
            try AsyncioSocket.checked(descriptor, "open")
            _ = anyloop_seek(descriptor, position)
            files.add(.descriptor(descriptor), as: name)
        },
        "file_position": .plain { player, step in
            let position: Int64
            switch try player.store(AsyncioFileTable.init).file(step, key: "name") {
            case .descriptor(let descriptor): position = anyloop_position(descriptor)
            case .file(let file): position = (file as? AsyncioMemoryFile)?.position ?? -1
            }
            player.line("\(try step.table.text("name")).position = \(position)")
        },
        "sendfile": .waits { player, step, _ in
            guard let loop = player.loop as? any TaskLoop & SendFileLoop else {
                throw LiveScenario.Unsupported("this loop sends no files (protocol SendFileLoop)")
            }
            let transport = try player.transport(step)
            let source = try player.store(AsyncioFileTable.init).file(step)
            let offset = Int64(try step.table.number("offset", or: 0))
            let count = try step.table.optionalNumber("count")
            let fallback = try step.table.flag("fallback", or: true)
            try await player.result(step, "\(try step.on()).sendfile") {
                .number(try await loop.sendFile(transport, source, offset: offset, count: count, fallback: fallback))
            }
        },
    ]
}
