import AnyloopCore

/// Something that owns or watches a descriptor on a loop.
package class Watcher {
    /// The descriptor; -1 once it is given back.
    package final var descriptor: Int32

    /// Tells this watcher from earlier ones of the same descriptor, so that their late events miss it.
    final var generation: UInt32 = 0

    /// What the poller watches for; changed by `NativeLoop.watch` only.
    package final var interest: Interest = []

    /// Directions that were given up in the turn `mutedTurn`: what the poller had seen of them before counts no more,
    /// also when they are watched again within the turn (as asyncio cancels the handle that is in its queue).
    final private(set) var muted: Interest = []
    final private(set) var mutedTurn: UInt32 = 0

    /// Silences `directions` for the rest of this turn.
    final func mute(_ directions: Interest, turn: UInt32) {
        guard !directions.isEmpty else { return }
        muted = mutedTurn == turn ? muted.union(directions) : directions
        mutedTurn = turn
    }

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// What the poller knows this watcher by.
    final var key: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor)) }

    /// The descriptor is ready in some direction that is watched.
    func ready(_ events: Interest) {}

    /// Runs from the ready queue after `NativeLoop.end`: the last thing a transport does.
    func finish() {}

    /// The loop is being closed: give everything back, tell who waits.
    func loopCloses() {}
}

/// A descriptor of the application's, with `addReader` and `addWriter` on it.
final class DescriptorWatcher: Watcher {
    private unowned let loop: NativeLoop
    var reader: Handle?
    var writer: Handle?

    init(descriptor: Int32, loop: NativeLoop) {
        self.loop = loop
        super.init(descriptor: descriptor)
    }

    override func ready(_ events: Interest) {
        // Readable before writable (asyncio rule 34); the reader may have removed the writer.
        if events.contains(.read), let reader { loop.runKeeping(reader) }
        if events.contains(.write), let writer { loop.runKeeping(writer) }
    }

    override func loopCloses() {
        reader?.cancel()
        writer?.cancel()
        reader = nil
        writer = nil
    }
}

/// Whoever owns a descriptor without being a watcher itself.
package protocol DescriptorOwner: AnyObject {
    /// The descriptor is ready in some direction that is watched.
    func ready(_ events: Interest)

    /// The loop is being closed: give the descriptor back.
    func loopCloses()
}

/// A watcher that passes everything on, for classes that have another superclass or live in another module.
package final class DelegatingWatcher: Watcher {
    /// Held until it is set to nil, so that nothing goes while one of its events is being handled.
    package var owner: (any DescriptorOwner)?

    package init(watching descriptor: Int32) {
        super.init(descriptor: descriptor)
    }

    override func ready(_ events: Interest) { owner?.ready(events) }

    override func loopCloses() { owner?.loopCloses() }
}
