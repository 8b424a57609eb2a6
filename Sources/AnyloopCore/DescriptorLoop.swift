/// A loop that watches descriptors for the application (asyncio rules 33 to 36).
public protocol DescriptorLoop: Loop {
    /// Runs `callback` in every turn in which `descriptor` is readable, until removed.
    ///
    /// A second reader of a descriptor replaces the first. The descriptor stays the caller's: remove its reader
    /// before closing it.
    ///
    /// - Throws: `TransportError.usage` if a transport owns the descriptor (rule 36), `.system` if it cannot be
    ///   watched, `.loopClosed`.
    @discardableResult
    func addReader(_ descriptor: Int32, _ callback: @escaping () throws -> Void) throws(TransportError) -> Handle

    /// Runs `callback` in every turn in which `descriptor` is writable, until removed; otherwise as `addReader`.
    @discardableResult
    func addWriter(_ descriptor: Int32, _ callback: @escaping () throws -> Void) throws(TransportError) -> Handle

    /// Ends `addReader`; whether there was one (rule 35).
    ///
    /// - Throws: `TransportError.usage` if a transport owns the descriptor (rule 36).
    @discardableResult
    func removeReader(_ descriptor: Int32) throws(TransportError) -> Bool

    /// Ends `addWriter`; whether there was one.
    ///
    /// - Throws: `TransportError.usage` if a transport owns the descriptor (rule 36).
    @discardableResult
    func removeWriter(_ descriptor: Int32) throws(TransportError) -> Bool
}

/// A loop that tells the application of the process's signals (asyncio rules 37, 38).
public protocol SignalLoop: Loop {
    /// Runs `callback` on the loop whenever the process gets `signal`.
    ///
    /// A second handler for a signal replaces the first, whichever loop it was on. Signals of a kind that come in a
    /// row may be told once.
    ///
    /// - Throws: `TransportError.usage` for a number that is no signal or cannot be caught, `.loopClosed`.
    func addSignalHandler(_ signal: Int32, _ callback: @escaping () throws -> Void) throws(TransportError)

    /// Gives `signal` its former effect back; whether there was a handler.
    ///
    /// - Throws: `TransportError.usage` for a number that is no signal.
    @discardableResult
    func removeSignalHandler(_ signal: Int32) throws(TransportError) -> Bool
}
