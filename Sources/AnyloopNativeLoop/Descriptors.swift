import AnyloopCore

extension NativeLoop: DescriptorLoop {
    /// Runs `callback` in every turn in which `descriptor` is readable, until removed (asyncio rules 33, 34).
    ///
    /// A second reader of a descriptor replaces the first. The descriptor stays the caller's: remove its reader
    /// before closing it.
    ///
    /// - Throws: `TransportError.usage` if a transport owns the descriptor (rule 36), `.system` if it cannot be
    ///   watched, `.loopClosed`.
    @discardableResult
    public func addReader(_ descriptor: Int32, _ callback: @escaping () throws -> Void) throws(TransportError) -> Handle
    {
        let watcher = try descriptorWatcher(descriptor)
        let handle = Handle(callback)
        try widen(watcher, .read)
        if let former = watcher.reader {
            former.cancel()
            watcher.mute(.read, turn: turnNumber)
        }
        watcher.reader = handle
        return handle
    }

    /// Runs `callback` in every turn in which `descriptor` is writable, until removed; otherwise as `addReader`.
    @discardableResult
    public func addWriter(_ descriptor: Int32, _ callback: @escaping () throws -> Void) throws(TransportError) -> Handle
    {
        let watcher = try descriptorWatcher(descriptor)
        let handle = Handle(callback)
        try widen(watcher, .write)
        if let former = watcher.writer {
            former.cancel()
            watcher.mute(.write, turn: turnNumber)
        }
        watcher.writer = handle
        return handle
    }

    /// Ends `addReader`; whether there was one (asyncio rule 35).
    ///
    /// - Throws: `TransportError.usage` for a negative number, or if a transport owns the descriptor (rule 36).
    @discardableResult
    public func removeReader(_ descriptor: Int32) throws(TransportError) -> Bool {
        guard let watcher = try existingWatcher(descriptor), let reader = watcher.reader else { return false }
        reader.cancel()
        watcher.reader = nil
        narrow(watcher, .read)
        return true
    }

    /// Ends `addWriter`; whether there was one.
    ///
    /// - Throws: `TransportError.usage` for a negative number, or if a transport owns the descriptor (rule 36).
    @discardableResult
    public func removeWriter(_ descriptor: Int32) throws(TransportError) -> Bool {
        guard let watcher = try existingWatcher(descriptor), let writer = watcher.writer else { return false }
        writer.cancel()
        watcher.writer = nil
        narrow(watcher, .write)
        return true
    }

    private func watcher(of descriptor: Int32) -> Watcher? {
        descriptor >= 0 && Int(descriptor) < watchers.count ? watchers[Int(descriptor)] : nil
    }

    private func descriptorWatcher(_ descriptor: Int32) throws(TransportError) -> DescriptorWatcher {
        guard !isClosed else { throw .loopClosed }
        if let existing = try existingWatcher(descriptor) { return existing }
        let watcher = DescriptorWatcher(descriptor: descriptor, loop: self)
        attach(watcher)
        return watcher
    }

    /// Keeps `addReader` and its like off a descriptor that a transport of another world has, until `detach`.
    package func claim(_ descriptor: Int32) -> Watcher {
        let claim = ForeignTransport(descriptor: descriptor)
        attach(claim)
        return claim
    }

    private func existingWatcher(_ descriptor: Int32) throws(TransportError) -> DescriptorWatcher? {
        guard descriptor >= 0 else { throw .usage(.argument("Invalid file descriptor: \(descriptor)")) }
        guard let existing = watcher(of: descriptor) else { return nil }
        guard let watcher = existing as? DescriptorWatcher else {
            throw .usage("File descriptor \(descriptor) is used by transport <\(type(of: existing)), use that instead>")
        }
        return watcher
    }

    private func widen(_ watcher: DescriptorWatcher, _ direction: Interest) throws(TransportError) {
        let code = watch(watcher, watcher.interest.union(direction))
        guard code != 0 else { return }
        if watcher.interest.isEmpty { detach(watcher) }
        throw .system(code, "watching descriptor \(watcher.descriptor)")
    }

    private func narrow(_ watcher: DescriptorWatcher, _ direction: Interest) {
        watch(watcher, watcher.interest.subtracting(direction))
        if watcher.interest.isEmpty { detach(watcher) }
    }
}

/// Stands for a transport whose descriptor somebody else watches.
private final class ForeignTransport: Watcher {}
