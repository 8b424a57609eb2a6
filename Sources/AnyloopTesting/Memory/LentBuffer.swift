/// A heap buffer of exactly the bytes it was made of, poisoned and freed once it was lent.
///
/// A reader past the end or after the call meets bytes that were never sent, or AddressSanitizer.
@safe
struct LentBuffer {
    /// What a buffer is filled with once its call is over.
    static let poison: UInt8 = 0xDB

    // Owned by whoever holds the struct last; `lend` or `drop` ends it, each of which is called once.
    private let storage: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: Span<UInt8>) {
        unsafe storage = .allocate(capacity: bytes.count)
        let target = unsafe storage
        unsafe bytes.withUnsafeBufferPointer { source in
            _ = unsafe target.initialize(from: source)
        }
    }

    var count: Int { unsafe storage.count }

    /// Gives the bytes to `body`, then poisons and frees them.
    func lend<Failure: Error>(_ body: (Span<UInt8>) throws(Failure) -> Void) throws(Failure) {
        defer {
            unsafe storage.update(repeating: LentBuffer.poison)
            unsafe storage.deallocate()
        }
        try unsafe body(Span(_unsafeElements: UnsafeBufferPointer(storage)))
    }

    /// Frees the bytes unread.
    func drop() {
        unsafe storage.deallocate()
    }
}
