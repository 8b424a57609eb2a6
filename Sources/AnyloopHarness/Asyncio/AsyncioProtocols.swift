import AnyloopCore

/// A stream protocol that writes under an actor's name.
protocol AsyncioStreamActor: StreamProtocol {
    init(_ actor: String, _ player: AsyncioPlayer)
}

/// A stream protocol that writes what happens to it and does what the scenario says.
final class AsyncioStream: AsyncioStreamActor {
    private let actor: String
    private unowned let player: AsyncioPlayer

    init(_ actor: String, _ player: AsyncioPlayer) {
        self.actor = actor
        self.player = player
    }

    func connectionMade(_ transport: any StreamTransport) throws {
        player.transports[actor] = transport
        try player.callback(actor, "connection_made")
    }

    func dataReceived(_ data: Span<UInt8>) throws {
        try player.callback(actor, "data_received", bytes: AsyncioBytes.array(data))
    }

    func eofReceived() throws -> Bool {
        AsyncioBytes.isTrue(try player.callback(actor, "eof_received"))
    }

    func connectionLost(_ error: TransportError?) throws {
        try player.callback(actor, "connection_lost", error.map(AsyncioText.error))
    }

    func pauseWriting() throws { try player.callback(actor, "pause_writing") }

    func resumeWriting() throws { try player.callback(actor, "resume_writing") }
}

/// A buffered protocol that writes what happens to it and does what the scenario says.
final class AsyncioBuffered: AsyncioStreamActor, BufferedStreamProtocol {
    private let actor: String
    private unowned let player: AsyncioPlayer
    private var buffer: [UInt8] = []
    private var isAsked = false

    init(_ actor: String, _ player: AsyncioPlayer) {
        self.actor = actor
        self.player = player
    }

    func connectionMade(_ transport: any StreamTransport) throws {
        player.transports[actor] = transport
        try player.callback(actor, "connection_made")
    }

    func lendBuffer(sizeHint: Int, to receive: (inout MutableSpan<UInt8>) -> Void) throws {
        if !isAsked || player.scenario.everyGetBuffer, !player.isOverTLS(actor) {
            player.line("\(actor) get_buffer \(sizeHint)")
        }
        isAsked = true
        try player.react(actor, "get_buffer")
        let size = player.bufferSizes[actor] ?? player.scenario.bufferSize
        if buffer.count != size { buffer = [UInt8](repeating: 0, count: size) }
        var lent = buffer
        buffer = []
        defer { buffer = lent }
        var span = lent.mutableSpan
        receive(&span)
    }

    func bufferUpdated(_ count: Int) throws {
        try player.callback(actor, "buffer_updated", bytes: Array(buffer[..<count]))
    }

    func eofReceived() throws -> Bool {
        AsyncioBytes.isTrue(try player.callback(actor, "eof_received"))
    }

    func connectionLost(_ error: TransportError?) throws {
        try player.callback(actor, "connection_lost", error.map(AsyncioText.error))
    }

    func pauseWriting() throws { try player.callback(actor, "pause_writing") }

    func resumeWriting() throws { try player.callback(actor, "resume_writing") }
}

enum AsyncioBytes {
    static func array(_ span: Span<UInt8>) -> [UInt8] {
        unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// Whether Python takes a callback's value for true.
    static func isTrue(_ value: AsyncioValue?) -> Bool {
        switch value {
        case nil, .null: false
        case .flag(let flag): flag
        case .number(let number): number != 0
        case .text(let text): !text.isEmpty
        case .list(let list): !list.isEmpty
        case .table(let table): !table.isEmpty
        }
    }
}
