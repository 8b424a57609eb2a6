import AnyloopAsync
import AnyloopCore
import CAnyloopSystem

extension AsyncioOperation {
    /// What goes beyond this process's own sockets.
    static let processGroups = [pipes, subprocesses, sending]

    /// Connecting pipes.
    static let pipes: [String: AsyncioOperation] = [
        "connect_read_pipe": .waits { player, step, _ in try await connectPipe(player, step, isReading: true) },
        "connect_write_pipe": .waits { player, step, _ in try await connectPipe(player, step, isReading: false) },
    ]

    private nonisolated(nonsending) static func connectPipe(
        _ player: AsyncioPlayer, _ step: AsyncioStep, isReading: Bool
    ) async throws {
        guard let loop = player.loop as? any TaskLoop & PipeLoop else {
            throw LiveScenario.Unsupported("this loop connects no pipes (protocol PipeLoop)")
        }
        let (near, far) = try pipeEnds(player, step, isReading: isReading)
        if let far { player.peers[try step.table.text("peer")] = far }
        let factory = player.factory(try step.table.text("as"), AsyncioStream.self)
        var isTaken = false
        try await player.result(step, step.op) {
            let (transport, made) =
                isReading
                ? try await loop.connectReadPipe(factory, descriptor: near)
                : try await loop.connectWritePipe(factory, descriptor: near)
            isTaken = true
            return try player.connected(transport, made)
        }
        // On an error it stayed ours.
        if !isTaken { _ = anyloop_close(near) }
    }

    /// The loop's end of a pipe, and the driver's.
    private static func pipeEnds(
        _ player: AsyncioPlayer, _ step: AsyncioStep, isReading: Bool
    ) throws -> (near: Int32, far: AsyncioPeer?) {
        var (first, second): (Int32, Int32) = (-1, -1)
        switch try step.table.text("kind", or: "pipe") {
        case "pipe":
            try AsyncioSocket.checked(unsafe anyloop_pipe(&first, &second), "pipe")
            if !isReading { swap(&first, &second) }
        case "socket":
            let code = unsafe anyloop_socketpair(Int32(ANYLOOP_STREAM), &first, &second)
            try AsyncioSocket.checked(code, "socketpair")
        case "terminal":
            try AsyncioSocket.checked(unsafe anyloop_open_terminal(&second, &first), "openpty")
        case "file":
            let path = "\(try player.folder())/a file"
            try FixtureFiles.write([], to: path)
            let descriptor = unsafe path.withCString { unsafe anyloop_open_reading($0) }
            return (try AsyncioSocket.checked(descriptor, "open"), nil)
        default: throw step.table.error("kind", expected: "pipe, socket, terminal or file")
        }
        try AsyncioSocket.checked(anyloop_set_non_blocking(second), "fcntl")
        return (first, AsyncioPeer(descriptor: second))
    }
}
