import AnyloopCore
import CAnyloopSystem

extension AsyncioOperation {
    /// Readers, writers and signals.
    static let descriptors: [String: AsyncioOperation] = [
        "pair": .plain { player, step in
            var (first, second): (Int32, Int32) = (-1, -1)
            try AsyncioSocket.checked(
                unsafe anyloop_socketpair(Int32(ANYLOOP_STREAM), &first, &second), "socketpair")
            for (name, descriptor) in zip(try step.table.texts("names"), [first, second]) {
                try AsyncioSocket.setBuffers(descriptor, step)
                let peer = AsyncioPeer(descriptor: descriptor)
                if try step.table.flag("blocking", or: false) { try peer.setBlocking() }
                player.peers[name] = peer
            }
        },
        "raw_pipe": .plain { player, step in
            var (source, sink): (Int32, Int32) = (-1, -1)
            try AsyncioSocket.checked(unsafe anyloop_pipe(&source, &sink), "pipe")
            for (name, descriptor) in zip(try step.table.texts("names"), [source, sink]) {
                player.peers[name] = AsyncioPeer(descriptor: descriptor)
                try AsyncioSocket.checked(anyloop_set_non_blocking(descriptor), "fcntl")
            }
        },
        "peer_read": .plain { player, step in
            let peer = try player.peer(step)
            let count = try step.table.number("count", or: 1 << 16)
            player.call("\(try step.table.text("peer")).recv") {
                guard let data = try peer.receive(count) else {
                    throw AsyncioSocket.failure(-AsyncioSocket.again, "recv")
                }
                return .data(data)
            }
        },
        "add_reader": .plain { player, step in
            let loop = try player.descriptorLoop()
            try player.watch(step, "reader", add: loop.addReader) { _ = try? loop.removeReader($0) }
        },
        "add_writer": .plain { player, step in
            let loop = try player.descriptorLoop()
            try player.watch(step, "writer", add: loop.addWriter) { _ = try? loop.removeWriter($0) }
        },
        "remove_reader": .plain { player, step in
            let (label, descriptor) = try player.watched(step)
            let loop = try player.descriptorLoop()
            player.call("\(label).remove_reader", getter: true) { .flag(try loop.removeReader(descriptor)) }
        },
        "remove_writer": .plain { player, step in
            let (label, descriptor) = try player.watched(step)
            let loop = try player.descriptorLoop()
            player.call("\(label).remove_writer", getter: true) { .flag(try loop.removeWriter(descriptor)) }
        },
        "add_signal_handler": .plain { player, step in
            let (label, number) = try signal(step)
            let body = try player.named(try step.table.text("name"), try step.steps("then"))
            let loop = try player.signalLoop()
            player.cleanups.append { _ = try? loop.removeSignalHandler(number) }
            player.call("loop.add_signal_handler \(label)") {
                try loop.addSignalHandler(number, body)
                return .none
            }
        },
        "remove_signal_handler": .plain { player, step in
            let (label, number) = try signal(step)
            let loop = try player.signalLoop()
            player.call("loop.remove_signal_handler \(label)") { .flag(try loop.removeSignalHandler(number)) }
        },
        "kill": .plain { _, step in
            let (_, number) = try signal(step)
            guard step.table.has("after") else {
                anyloop_signal_raise(number)
                return
            }
            let delay = try step.table.seconds("after")
            AsyncioThread.start {
                AsyncioThread.sleep(seconds: delay)
                _ = anyloop_child_kill(anyloop_process_id(), number)
            }
        },
    ]

    private static let signals: [String: Int32] = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13,
        "ALRM": 14, "TERM": 15, "CHLD": 17, "CONT": 18, "STOP": 19, "WINCH": 28,
    ]

    /// A step's signal: as it is written, and its number.
    static func signal(_ step: AsyncioStep) throws -> (label: String, number: Int32) {
        if case .number? = step.table.values["signal"] {
            let number = try step.table.number("signal")
            return (String(number), Int32(number))
        }
        let name = try step.table.text("signal")
        guard let number = signals[name] else {
            throw step.table.error("signal", expected: "a signal's name without SIG")
        }
        return (name, number)
    }
}

extension AsyncioPlayer {
    func descriptorLoop() throws -> any DescriptorLoop {
        guard let loop = loop as? any DescriptorLoop else {
            throw LiveScenario.Unsupported("this loop watches no descriptors (protocol DescriptorLoop)")
        }
        return loop
    }

    func signalLoop() throws -> any SignalLoop {
        guard let loop = loop as? any SignalLoop else {
            throw LiveScenario.Unsupported("this loop handles no signals (protocol SignalLoop)")
        }
        return loop
    }

    /// The descriptor that a step watches, and whose it is.
    fileprivate func watched(_ step: AsyncioStep) throws -> (String, Int32) {
        if step.table.has("file") {
            guard case .descriptor(let descriptor) = try store(AsyncioFileTable.init).file(step) else {
                throw AsyncioPlayerError("\(step.table.place): the file has no descriptor")
            }
            // CPython was recorded on epoll, which takes no files; other pollers find them ready for ever.
            guard provider.poller == "epoll" else {
                throw LiveScenario.Unsupported("the recording of watched files is epoll's; run it with --poller epoll")
            }
            return (try step.table.text("file"), descriptor)
        }
        guard step.table.has("on") else { return (try step.table.text("peer"), try peer(step).descriptor) }
        return (try step.on(), try descriptor(of: try anyTransport(step), step))
    }

    /// Adds a callback, whose `times`-th call takes it away first.
    fileprivate func watch(
        _ step: AsyncioStep, _ kind: String, add: (Int32, @escaping () throws -> Void) throws -> Handle,
        remove: @escaping (Int32) -> Void
    ) throws {
        let (label, descriptor) = try watched(step)
        let body = try named(try step.table.text("name"), try step.steps("then"))
        var left = try step.table.optionalNumber("times")
        cleanups.append { remove(descriptor) }
        call("\(label).add_\(kind)") {
            _ = try add(descriptor) {
                if let count = left {
                    left = count - 1
                    if count == 1 { remove(descriptor) }
                }
                try body()
            }
            return .none
        }
    }
}
