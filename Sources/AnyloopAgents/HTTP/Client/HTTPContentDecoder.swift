import CZlib

/// Undoes gzip and deflate as the bytes come (RFC 9110 §8.4.1), within a limit.
///
/// `deflate` is taken both with and without its zlib wrapper, as servers send either.
@safe
final class HTTPContentDecoder {
    private enum Coding {
        case gzip, deflate
    }

    private static let pieceSize = 65536

    private let coding: Coding
    private let limit: Int
    private var stream: UnsafeMutablePointer<z_stream>?
    private var produced = 0
    private var isAtMemberEnd = false
    private var piece: [UInt8]

    /// A decoder for the `Content-Encoding` value `coding`; nil unless it is exactly one that is known.
    init?(coding: String, limit: Int) {
        switch coding.lowercased() {
        case "gzip", "x-gzip": self.coding = .gzip
        case "deflate": self.coding = .deflate
        default: return nil
        }
        self.limit = limit
        piece = [UInt8](repeating: 0, count: Self.pieceSize)
    }

    deinit {
        guard let stream = unsafe stream else { return }
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Decodes `bytes`; `output` gets what they make, piece by piece.
    ///
    /// - Throws: `HTTPClientError.badContentCoding`, `.bodyTooLarge`, or what `output` throws.
    func decode(_ bytes: Span<UInt8>, _ output: (Span<UInt8>) throws -> Void) throws {
        guard bytes.count > 0 else { return }
        if unsafe stream == nil { try open(first: bytes[0]) }
        guard let stream = unsafe stream else { return }
        // Taken out, so that `output` is lent what nobody else can reach.
        var piece = self.piece
        self.piece = []
        defer { self.piece = piece }
        try unsafe bytes.withUnsafeBufferPointer { source in
            // zlib only reads from next_in; its type predates const.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(clamping: source.count)
            repeat {
                unsafe try startMemberIfNeeded(stream)
                let count = unsafe try inflatePiece(stream, &piece)
                if count > 0 { try output(piece.span.extracting(..<count)) }
            } while unsafe stream.pointee.avail_in > 0 || (!isAtMemberEnd && stream.pointee.avail_out == 0)
            unsafe stream.pointee.next_in = nil
        }
    }

    /// All bytes came.
    ///
    /// - Throws: `HTTPClientError.badContentCoding` if the coding is not at its end.
    func finish() throws(HTTPClientError) {
        guard unsafe stream != nil else { return }
        if !isAtMemberEnd { throw .badContentCoding("it ends too early") }
    }

    private func open(first: UInt8) throws(HTTPClientError) {
        let windowBits: Int32
        switch coding {
        case .gzip: windowBits = 15 + 16
        case .deflate: windowBits = first & 0x0F == 8 && first >> 4 <= 7 ? 15 : -15
        }
        let new = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe new.initialize(to: z_stream())
        guard unsafe inflateInit2_(new, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe new.deallocate()
            throw .badContentCoding("zlib has no memory")
        }
        unsafe stream = new
    }

    /// gzip may consist of several members one after another (RFC 1952 §2.2).
    private func startMemberIfNeeded(_ stream: UnsafeMutablePointer<z_stream>) throws(HTTPClientError) {
        guard isAtMemberEnd else { return }
        guard case .gzip = coding, unsafe inflateReset(stream) == Z_OK else {
            throw .badContentCoding("there are bytes behind its end")
        }
        isAtMemberEnd = false
    }

    /// Fills `piece`; how many bytes are in it.
    private func inflatePiece(
        _ stream: UnsafeMutablePointer<z_stream>, _ piece: inout [UInt8]
    ) throws(HTTPClientError) -> Int {
        let status = unsafe piece.withUnsafeMutableBufferPointer { target in
            unsafe stream.pointee.next_out = target.baseAddress
            unsafe stream.pointee.avail_out = UInt32(clamping: target.count)
            return unsafe inflate(stream, Z_NO_FLUSH)
        }
        let count = piece.count - Int(unsafe stream.pointee.avail_out)
        switch status {
        case Z_OK: break
        case Z_BUF_ERROR where unsafe stream.pointee.avail_in == 0: break
        case Z_STREAM_END: isAtMemberEnd = true
        default:
            throw .badContentCoding(unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib \(status)")
        }
        produced += count
        if produced > limit { throw .bodyTooLarge(limit: limit) }
        return count
    }
}
