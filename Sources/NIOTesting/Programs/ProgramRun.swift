import NIOConcurrencyHelpers
import NIOCore

/// One run of a program: does its actions on the channel's loop and writes down what came of them.
final class ProgramRun: Sendable {
    /// An error that a program sends through its pipeline.
    struct OwnError: Error {}

    /// What is written down of one run at most; a channel that says more is in a circle.
    static let entryLimit = 3000

    /// How far the channel has come.
    private enum Life {
        case new, registered, active
    }

    private struct State {
        var channel: (any Channel)?
        var first: ProgramHandler?
        var second: ProgramHandler?
        var life = Life.new
        /// How many handlers' `channelReadComplete` are under way.
        var readCompletes = 0
        var allowsHalfClosure = false
        /// The far end has sent its last.
        var farIsDone = false
        var farIsClosed = false
        var reactionsLeft: [Int]
        var entries: [String] = []
        /// Where the present segment begins.
        var segmentStart = 0
        /// What has no determined place among the segment's entries.
        var unordered: [String] = []
        var writes: UInt8 = 0
        var sends: UInt8 = 0
        var promises: [(name: String, promise: EventLoopPromise<Void>, isOpen: Bool)] = []
        /// Big writes whose promises are open.
        var bigOpen: Set<Int> = []
        /// Big writes among those that were flushed.
        var bigFlushed: Set<Int> = []
        /// A big write was open at some time of this segment.
        var isLoose = false
        /// A big write failed, and how much of it had gone is the kernel's affair.
        var isTorn = false
        var far: FarSocket?
        var farReads = true
        var farRuns: [ByteRun] = []
        var farEnd: FarSocket.End?
        var isOver = false

        /// In the `channelReadComplete` of the stream's end, where the channel stays open for output.
        var isAtFarEnd: Bool { readCompletes > 0 && allowsHalfClosure && farIsDone }
    }

    let program: NIOProgram
    private let state: NIOLockedValueBox<State>

    init(_ program: NIOProgram) {
        self.program = program
        state = NIOLockedValueBox(State(reactionsLeft: program.reactions.map(\.times)))
    }

    // MARK: What the stage asks

    /// All that was written down.
    var entries: [String] { state.withLockedValue { $0.entries } }

    /// Changes whenever anything comes.
    var progress: [Int] {
        state.withLockedValue { [$0.entries.count, $0.unordered.count, $0.farRuns.reduce(0) { $0 + $1.count }] }
    }

    /// Whether the channel is to be waited for: a big write is on its way to a peer that reads.
    var awaitsBigWrite: Bool {
        state.withLockedValue { state in
            state.farReads && state.far != nil && state.farEnd == nil
                && !state.bigFlushed.isDisjoint(with: state.bigOpen)
        }
    }

    var channel: (any Channel)? { state.withLockedValue { $0.channel } }

    var isTooLong: Bool { state.withLockedValue { $0.entries.count >= Self.entryLimit } }

    /// The far end is there.
    func connect(_ far: FarSocket) { state.withLockedValue { $0.far = far } }

    /// Prepares the channel, as a bootstrap's initializer.
    ///
    /// - Parameter address: where a datagram channel's datagrams go.
    func begin(_ channel: any Channel, datagramsTo address: SocketAddress? = nil) throws {
        state.withLockedValue { $0.channel = channel }
        for action in program.setUp { perform(action) }
        channel.closeFuture.whenComplete { [self] _ in hear("", .closed, "closed") }
        if let address { try channel.pipeline.syncOperations.addHandler(ProgramEnvelopes(address)) }
        try channel.pipeline.syncOperations.addHandler(first(ProgramHandler(self, "1")))
    }

    private func first(_ handler: ProgramHandler) -> ProgramHandler {
        state.withLockedValue { $0.first = handler }
        return handler
    }

    /// The far end receives what is there.
    func drainFar() { state.withLockedValue { Self.drain(&$0) } }

    private static func drain(_ state: inout State) {
        guard let far = state.far, state.farReads, state.farEnd == nil else { return }
        state.farEnd = far.drain(into: &state.farRuns)
    }

    /// What has come since the last settle belongs together.
    func endSegment() {
        state.withLockedValue { state in
            state.entries += state.unordered.sorted()
            state.unordered = []
            state.isLoose = !state.bigOpen.isEmpty
            if !state.isTorn, state.bigOpen.isEmpty {
                let sum = state.farRuns.map(\.description).joined(separator: ", ")
                if !sum.isEmpty { state.entries.append("far received \(sum)") }
            }
            switch state.farEnd {
            case .finished: state.entries.append("far saw the end")
            case .failed(let code): state.entries.append("far failed: errno \(code)")
            case nil: break
            }
            state.entries.append("—")
        }
    }

    /// Closes the far end, and gives up promises that nobody kept.
    func end() {
        let (far, open) = state.withLockedValue { state in
            state.isOver = true
            let open = state.promises.filter(\.isOpen)
            if !open.isEmpty {
                state.entries.append("never told: " + open.map(\.name).joined(separator: ", "))
            }
            state.promises = []
            (state.first, state.second) = (nil, nil)
            defer { state.far = nil }
            return (state.far, open)
        }
        far?.close()
        // A promise that is dropped traps in debug builds.
        for (_, promise, _) in open { promise.fail(OwnError()) }
    }

    // MARK: What comes

    /// Something came; the program may react to what its first handler hears.
    func hear(_ label: String, _ trigger: NIOProgram.Trigger?, _ text: String) {
        note(label.isEmpty ? text : "\(label) \(text)")
        switch trigger {
        case .registered: state.withLockedValue { $0.life = .registered }
        case .active: state.withLockedValue { $0.life = .active }
        default: break
        }
        if label != "2", let trigger { react(trigger) }
    }

    /// Runs `body` in the midst of a handler's `channelReadComplete`.
    func withinReadComplete(_ body: () -> Void) {
        state.withLockedValue { $0.readCompletes += 1 }
        body()
        state.withLockedValue { $0.readCompletes -= 1 }
    }

    /// Behind a big write that is under way the kernel decides when a channel is writable again.
    func hearWritability(_ label: String, _ isWritable: Bool) {
        let text = isWritable ? "writable" : "not writable"
        let isLoose = state.withLockedValue { state in
            guard isWritable, state.isLoose, !state.isOver else { return false }
            state.unordered.append("\(label) \(text) at some time")
            return true
        }
        if !isLoose { hear(label, .writability, text) }
    }

    /// Something came that has no determined place in its segment.
    func hearUnordered(_ text: String) { state.withLockedValue { $0.unordered.append(text) } }

    private func note(_ text: String) {
        state.withLockedValue { state in
            guard !state.isOver, state.entries.count < Self.entryLimit else { return }
            state.entries.append(text)
        }
    }

    private func react(_ trigger: NIOProgram.Trigger) {
        for (index, reaction) in program.reactions.enumerated() where reaction.trigger == trigger {
            let mayRun = state.withLockedValue { state in
                guard !state.isOver, state.reactionsLeft[index] > 0 else { return false }
                state.reactionsLeft[index] -= 1
                return true
            }
            if mayRun {
                note("  \(reaction.action):")
                perform(reaction.action)
            }
        }
    }

    /// An error's kind, without its words.
    static func name(of error: any Error) -> String {
        switch error {
        case let error as IOError: "errno \(error.errnoCode)"
        case let error as ChannelError: "ChannelError.\(error)"
        default: "\(type(of: error))"
        }
    }

    // MARK: Actions

    /// Does what a step says, on the channel's loop.
    func perform(_ action: NIOProgram.Action) {
        guard isAllowed(action), !performFar(action), let channel else { return }
        switch action {
        case .write(let count, let hasPromise):
            let (data, promise) = write(count, hasPromise, channel)
            channel.write(data, promise: promise)
        case .writeAndFlush(let count, let hasPromise):
            let (data, promise) = write(count, hasPromise, channel)
            markFlushed()
            channel.writeAndFlush(data, promise: promise)
        case .flush:
            markFlushed()
            channel.flush()
        case .read: channel.read()
        case .close(let mode): channel.close(mode: mode, promise: promise("close(\(mode))", channel))
        case .inboundEvent: channel.pipeline.fireUserInboundEventTriggered(0)
        case .outboundEvent: channel.triggerUserOutboundEvent(0, promise: promise("outbound event", channel))
        case .error: channel.pipeline.fireErrorCaught(OwnError())
        case .addHandler(let first): addHandler(channel, first)
        case .removeHandler: removeHandler(channel)
        case .look: look(channel)
        case .autoRead(let isOn): set(.autoRead, isOn, action, channel)
        case .halfClosure(let isOn):
            set(.allowRemoteHalfClosure, isOn, action, channel)
            state.withLockedValue { $0.allowsHalfClosure = isOn }
        case .messagesPerRead(let count): set(.maxMessagesPerRead, count, action, channel)
        case .waterMark(let low, let high):
            set(.writeBufferWaterMark, ChannelOptions.Types.WriteBufferWaterMark(low: low, high: high), action, channel)
        case .bufferSize(let size):
            set(.recvAllocator, FixedSizeRecvByteBufferAllocator(capacity: size), action, channel)
        case .farSend, .farFinish, .farClose, .farReset, .farPause, .farResume: break
        }
    }

    /// What NIO's channels meet with a trap in debug builds is left out, and what is known to differ.
    private func isAllowed(_ action: NIOProgram.Action) -> Bool {
        state.withLockedValue { state in
            switch action {
            case .halfClosure: !program.connection.isDatagram
            // Between being registered and being active.
            case .read, .autoRead: state.life != .registered
            // Nor are closed channels to close a half: NIO's then fail with EBADF, and may say `outputClosed`.
            case .close(.input), .close(.output): state.life == .active && state.channel?.isActive == true
            case .close(.all), .flush: !state.isAtFarEnd
            // NIO tries a short write again at once, and so finds out if the peer is gone.
            case .write(let count, _): mayWrite(count, state)
            case .writeAndFlush(let count, _): !state.isAtFarEnd && mayWrite(count, state)
            case .farClose:
                state.bigOpen.isEmpty || !state.farReads && !state.bigOpen.isDisjoint(with: state.bigFlushed)
            default: true
            }
        }
    }

    private func mayWrite(_ count: Int, _ state: State) -> Bool {
        // NIO's datagram channels stay unwritable behind a datagram that is too long, and trap before they are active.
        if program.connection.isDatagram { return count < NIOProgram.big && state.life == .active }
        return count < NIOProgram.big || !state.farIsClosed
    }

    private func performFar(_ action: NIOProgram.Action) -> Bool {
        state.withLockedValue { state in
            switch action {
            case .farSend(let count):
                guard let far = state.far else { return true }
                let code = far.send(state.sends, count)
                state.sends &+= 1
                if code != 0 { state.entries.append("far could not send: errno \(code)") }
            case .farFinish:
                state.far?.finish()
                state.farIsDone = true
            case .farClose, .farReset:
                // It has seen what was there to be seen, however fast the stage is.
                Self.drain(&state)
                if action == .farClose { state.far?.close() } else { state.far?.reset() }
                state.far = nil
                state.farIsDone = true
                state.farIsClosed = action == .farClose
            case .farPause: state.farReads = false
            case .farResume: state.farReads = true
            default: return false
            }
            return true
        }
    }

    /// The bytes of the next write and its promise; a big one always has a promise, which says when it is over.
    private func write(
        _ count: Int, _ hasPromise: Bool, _ channel: any Channel
    ) -> (data: ByteBuffer, promise: EventLoopPromise<Void>?) {
        let byte = state.withLockedValue { state in
            defer { state.writes &+= 1 }
            return state.writes
        }
        let isBig = count >= NIOProgram.big
        return (
            ByteBuffer(repeating: byte, count: count),
            hasPromise || isBig ? promise("write #\(byte)", channel, isBig: isBig) : nil
        )
    }

    private func markFlushed() { state.withLockedValue { $0.bigFlushed.formUnion($0.bigOpen) } }

    /// A promise whose outcome is written down.
    private func promise(_ name: String, _ channel: any Channel, isBig: Bool = false) -> EventLoopPromise<Void> {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        let index = state.withLockedValue { state in
            state.promises.append((name, promise, true))
            let index = state.promises.count - 1
            if isBig {
                state.bigOpen.insert(index)
                state.isLoose = true
            }
            return index
        }
        promise.futureResult.whenComplete { [self] result in
            state.withLockedValue { state in
                guard !state.isOver else { return }
                state.promises[index].isOpen = false
                if state.bigOpen.remove(index) != nil, case .failure = result { state.isTorn = true }
            }
            switch result {
            case .success: hear("", .succeeded, "\(name) succeeded")
            case .failure(let error): hear("", .failed, "\(name) failed: \(Self.name(of: error))")
            }
        }
        return promise
    }

    private func set<Option: ChannelOption>(
        _ option: Option, _ value: Option.Value, _ action: NIOProgram.Action, _ channel: any Channel
    ) {
        do { try channel.syncOptions?.setOption(option, value: value) } catch {
            note("\(action) failed: \(Self.name(of: error))")
        }
    }

    private func addHandler(_ channel: any Channel, _ first: Bool) {
        let handlers = state.withLockedValue { state -> (first: ProgramHandler, second: ProgramHandler)? in
            guard state.second == nil, let own = state.first else { return nil }
            let handler = ProgramHandler(self, "2")
            state.second = handler
            return (own, handler)
        }
        guard let handlers else { return }
        do {
            try channel.pipeline.syncOperations.addHandler(
                handlers.second, position: first ? .before(handlers.first) : .last)
        } catch {
            state.withLockedValue { $0.second = nil }
            note("adding failed: \(Self.name(of: error))")
        }
    }

    private func removeHandler(_ channel: any Channel) {
        let handler = state.withLockedValue { state in
            defer { state.second = nil }
            return state.second
        }
        guard let handler else { return }
        channel.pipeline.syncOperations.removeHandler(handler, promise: promise("removing", channel))
    }

    private func look(_ channel: any Channel) {
        let isTorn = state.withLockedValue { $0.isLoose }
        let buffered = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)).flatMap { $0 }
        note(
            "active \(channel.isActive), writable \(isTorn ? "?" : "\(channel.isWritable)"),"
                + " buffered \(isTorn ? "?" : "\(buffered ?? -1)"), local address \(channel.localAddress != nil)")
    }
}
