import CAnyloopTLS
import Synchronization

/// The newest session with each server, for resumption; the one used least recently goes first.
final class TLSSessionCache: Sendable {
    /// A session, freed with the last reference.
    ///
    /// `@unchecked Sendable`: OpenSSL counts sessions under a lock and does not change one that was given out.
    @safe
    final class Session: @unchecked Sendable {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }
        deinit { unsafe anyloop_tls_session_free(pointer) }
    }

    private struct Entry: Sendable {
        var session: Session
        var lastUse: UInt64
    }

    private struct State: Sendable {
        var entries: [String: Entry] = [:]
        var clock: UInt64 = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = max(0, limit) }

    var count: Int { state.withLock { $0.entries.count } }

    /// Keeps the newest session with a server.
    func insert(_ session: Session, for server: String) {
        guard limit > 0 else { return }
        state.withLock { state in
            state.clock += 1
            if state.entries[server] == nil, state.entries.count >= limit,
                let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.entries[oldest.key] = nil
            }
            state.entries[server] = Entry(session: session, lastUse: state.clock)
        }
    }

    /// The session with a server; one of TLS 1.3 is given out once only (RFC 8446 §C.4).
    func take(for server: String) -> Session? {
        state.withLock { state in
            guard let entry = state.entries[server] else { return nil }
            let isResumable = unsafe anyloop_tls_session_is_resumable(entry.session.pointer)
            if !isResumable || (unsafe anyloop_tls_session_is_single_use(entry.session.pointer)) {
                state.entries[server] = nil
            } else {
                state.clock += 1
                state.entries[server]?.lastUse = state.clock
            }
            return isResumable ? entry.session : nil
        }
    }
}
