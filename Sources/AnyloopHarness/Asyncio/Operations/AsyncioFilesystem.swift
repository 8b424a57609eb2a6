import AnyloopCore
import CAnyloopSystem

extension AsyncioOperation {
    /// Files of the scenario's folder, and the process's descriptors.
    static let files: [String: AsyncioOperation] = [
        "make_file": .plain { player, step in
            let path = "\(try player.folder())/\(try step.table.text("name"))"
            guard try step.table.flag("socket", or: false) else {
                return try FixtureFiles.write(try step.data(), to: path)
            }
            let stale = try AsyncioPeer(for: .unix(path: path))
            try stale.bind(to: .unix(path: path))
            stale.close()
        },
        "exists": .plain { player, step in
            let name = try step.table.text("name")
            player.line("exists \(name) = \(AsyncioFiles.exists("\(try player.folder())/\(name)"))")
        },
        "exhaust_descriptors": .plain { player, _ in
            let hoard = player.store(AsyncioHoard.init)
            try hoard.fill()
            player.cleanups.append { hoard.empty() }
        },
        "release_descriptors": .plain { player, _ in player.store(AsyncioHoard.init).empty() },
    ]
}

/// Every descriptor that the process may have, taken.
final class AsyncioHoard {
    /// The limit while it is full.
    private static let limit: Int64 = 256

    private var descriptors: [Int32] = []
    private var formerLimit: Int64?

    func fill() throws {
        let former = anyloop_descriptor_limit()
        formerLimit = former
        try AsyncioSocket.checked(anyloop_set_descriptor_limit(min(Self.limit, former)), "setrlimit")
        while true {
            let descriptor = anyloop_eventfd()
            guard descriptor >= 0 else { return }
            descriptors.append(descriptor)
        }
    }

    func empty() {
        for descriptor in descriptors { _ = anyloop_close(descriptor) }
        descriptors = []
        if let formerLimit { _ = anyloop_set_descriptor_limit(formerLimit) }
        formerLimit = nil
    }
}
