import AnyloopAsync
import AnyloopCore
import AnyloopTLS

/// The readers and writers of a play, by name.
private final class AsyncioReaders {
    var readers: [String: StreamReader] = [:]
    var writers: [String: StreamWriter] = [:]
}

extension AsyncioOperation {
    /// Stream readers and writers.
    static let readers: [String: AsyncioOperation] = [
        "reader": .plain { player, step in
            let limit = try step.table.number("limit", or: StreamReader.standardLimit)
            player.streams.readers[try step.table.text("name")] = try StreamReader(loop: player.loop, limit: limit)
        },
        "feed_data": .plain { player, step in
            let (bytes, reader) = (try step.data(), try player.reader(step).reader)
            reader.feedData(bytes.span)
        },
        "feed_eof": .plain { player, step in try player.reader(step).reader.feedEOF() },
        "feed_error": .plain { player, step in try player.reader(step).reader.setException(Boom()) },
        "read": .waits { player, step, place in
            let count = try step.table.number("count", or: -1)
            try await player.reading(step, place) { .data(try await $0.read(count)) }
        },
        "readexactly": .waits { player, step, place in
            let count = try step.table.number("count")
            try await player.reading(step, place) { .data(try await $0.readExactly(count)) }
        },
        "readline": .waits { player, step, place in
            try await player.reading(step, place) { .data(try await $0.readLine()) }
        },
        "readuntil": .waits { player, step, place in
            let separator = try step.bytes(of: try step.table.text("separator", or: "\n"), "separator")
            try await player.reading(step, place) { .data(try await $0.readUntil(separator)) }
        },
        "read_all_lines": .waits { player, step, place in
            try await player.reading(step, place, as: "lines") { try await lines(of: $0) }
        },
        "at_eof": .plain { player, step in
            let (name, reader) = try player.reader(step)
            player.call("\(name).at_eof") { .flag(reader.atEOF) }
        },
        "open_connection": .waits { player, step, _ in
            let (name, address) = (try step.table.text("as"), try player.address(step))
            let limit = try step.table.number("limit", or: StreamReader.standardLimit)
            try await player.result(step, "open_connection") {
                if let tls = try player.clientTLS(step) {
                    let (reader, writer) = try await player.loop.openConnection(
                        host: address.host, port: address.port, limit: limit, tls: tls.context,
                        serverName: tls.serverName, tlsOptions: tls.options)
                    player.keep(name, reader, writer)
                } else {
                    let (reader, writer) = try await player.loop.openConnection(
                        host: address.host, port: address.port, limit: limit)
                    player.keep(name, reader, writer)
                }
                return .name(name)
            }
        },
        "start_server": .waits { player, step, _ in
            let name = try step.table.text("as", or: "S")
            let steps = try step.steps("body")
            try await player.result(step, "start_server") {
                let handler: StreamHandler = { reader, writer in
                    try await player.handle(name, reader, writer, steps)
                }
                let server: AsyncServer
                if let tls = try player.serverTLS(step) {
                    server = try await player.loop.startServer(
                        host: "127.0.0.1", port: 0, tls: tls.contexts, tlsOptions: tls.options, handler)
                } else {
                    server = try await player.loop.startServer(host: "127.0.0.1", port: 0, handler)
                }
                player.servers[name] = server
                player.addresses[name] = server.addresses
                return .name(name)
            }
        },
        "writer_start_tls": .waits { player, step, place in
            let (name, writer) = try player.writer(step)
            let options = try player.tlsOptions(step)
            try await player.awaitedResult(step, "\(name).start_tls", place) {
                if player.isServers(name) {
                    try await writer.startTLS(try player.contexts.server(of: step), tlsOptions: options)
                } else {
                    try await writer.startTLS(
                        try player.contexts.client(of: step), serverName: try step.table.optionalText("server_name"),
                        tlsOptions: options)
                }
                player.transports[name] = writer.transport
                return .none
            }
        },
        "writer_write": writer("write") { writer, step in writer.write(try step.data()) },
        "writer_writelines": writer("writelines") { writer, step in
            writer.writeLines(try step.table.texts("data").map { try step.bytes(of: $0) })
        },
        "writer_write_eof": writer("write_eof") { writer, _ in writer.writeEOF() },
        "writer_close": writer("close") { writer, _ in writer.close() },
        "writer_is_closing": .plain { player, step in
            let (name, writer) = try player.writer(step)
            player.call("\(name).is_closing", getter: true) { .flag(writer.isClosing) }
        },
        "writer_limits": .plain { player, step in
            let (high, low) = (try step.table.optionalNumber("high"), try step.table.optionalNumber("low"))
            try player.writer(step).writer.transport.setWriteBufferLimits(try WriteBufferLimits(high: high, low: low))
        },
        "drain": .waits { player, step, place in
            let (name, writer) = try player.writer(step)
            try await player.awaitedResult(step, "\(name).drain", place) {
                try await writer.drain()
                return .none
            }
        },
        "writer_wait_closed": .waits { player, step, place in
            let (name, writer) = try player.writer(step)
            try await player.awaitedResult(step, "\(name).wait_closed", place) {
                try await writer.waitClosed()
                return .none
            }
        },
    ]

    private nonisolated(nonsending) static func lines(of reader: StreamReader) async throws -> AsyncioResult {
        var lines: [AsyncioResult] = []
        for try await line in reader.lines { lines.append(.data(line)) }
        return .list(lines)
    }

    private static func writer(
        _ label: String, _ body: @escaping @Sendable (StreamWriter, AsyncioStep) throws -> Void
    ) -> AsyncioOperation {
        .plain { player, step in
            let (name, writer) = try player.writer(step)
            player.call("\(name).\(label)") {
                try body(writer, step)
                return .none
            }
        }
    }
}

extension AsyncioPlayer {
    fileprivate var streams: AsyncioReaders { store(AsyncioReaders.init) }

    fileprivate func reader(_ step: AsyncioStep) throws -> (name: String, reader: StreamReader) {
        let name = try step.table.text("reader")
        guard let reader = streams.readers[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no reader '\(name)' (yet)")
        }
        return (name, reader)
    }

    fileprivate func writer(_ step: AsyncioStep) throws -> (name: String, writer: StreamWriter) {
        let name = try step.table.text("writer")
        guard let writer = streams.writers[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no writer '\(name)' (yet)")
        }
        return (name, writer)
    }

    fileprivate func keep(_ name: String, _ reader: StreamReader, _ writer: StreamWriter) {
        streams.readers[name] = reader
        streams.writers[name] = writer
        transports[name] = writer.transport
    }

    /// Whether a writer is one of a server's: `S0` of `S`.
    fileprivate func isServers(_ name: String) -> Bool {
        guard let last = name.last, last.isASCII, last.isNumber else { return false }
        return servers[String(name.prefix { !$0.isNumber })] != nil
    }

    /// What a server's handler does for one connection.
    fileprivate nonisolated(nonsending) func handle(
        _ name: String, _ reader: StreamReader, _ writer: StreamWriter, _ steps: [AsyncioStep]
    ) async throws {
        let actor = nextActor(name, numbered: true)
        keep(actor, reader, writer)
        line("\(actor) connected")
        do { _ = try await body(steps.map { $0.reading(actor) }) } catch {
            if Self.isMistake(error) { fail(error) }
            throw error
        }
        line("\(actor) handled")
    }

    fileprivate nonisolated(nonsending) func reading(
        _ step: AsyncioStep, _ place: AsyncioPlace, as label: String? = nil,
        _ body: nonisolated(nonsending) (StreamReader) async throws -> AsyncioResult
    ) async throws {
        let (name, reader) = try reader(step)
        try await awaitedResult(step, "\(name).\(label ?? step.op)", place) { try await body(reader) }
    }

    /// As `result` for a task of its own; otherwise as `awaited`.
    fileprivate nonisolated(nonsending) func awaitedResult(
        _ step: AsyncioStep, _ label: String, _ place: AsyncioPlace,
        _ body: nonisolated(nonsending) () async throws -> AsyncioResult
    ) async throws {
        if try step.task() == nil {
            try await awaited(label, place, body)
        } else {
            try await result(step, label, body)
        }
    }
}
