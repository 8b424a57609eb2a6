/// What a step does: the table of all operations, each group in a file of its own, as the recorder's modules are.
enum AsyncioOperation: Sendable {
    typealias Plain = @Sendable (AsyncioPlayer, AsyncioStep) throws -> Void
    typealias Waiting =
        nonisolated(nonsending) @Sendable (AsyncioPlayer, AsyncioStep, AsyncioPlace) async throws -> Void

    /// Done when it returns; may stand in a reaction.
    case plain(Plain)
    /// Takes time: awaited by the driver, or run as a task of its own.
    case waits(Waiting)

    /// Every operation by its name.
    static let all: [String: AsyncioOperation] = {
        let groups = [
            driver, streams, connecting, servers, peers, callbacks, running, tasks, futures, threads, descriptors,
            datagrams, files, readers, sockets, tls,
        ]
        return (groups + processGroups).reduce(into: [:]) { all, group in
            all.merge(group) { _, _ in preconditionFailure("two operations of one name: the tables are constants") }
        }
    }()

    /// The operation of `step`.
    ///
    /// - Throws: `AsyncioPlayerError` if the player has none of that name.
    static func named(_ step: AsyncioStep) throws -> AsyncioOperation {
        guard let operation = all[step.op] else {
            throw AsyncioPlayerError(
                "\(step.table.file): \(step.table.place): the player has no operation '\(step.op)'")
        }
        return operation
    }
}

/// Where a step that takes time is performed.
enum AsyncioPlace: Sendable {
    /// By the driver, which goes on after an error that was written down.
    case driver
    /// In the body of a task, which such an error ends.
    case body
}
