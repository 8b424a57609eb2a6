import CZlib

/// zlib's one-shot compression, for the bodies that the scenario application sends.
enum Compression {
    /// The container around the deflated bytes.
    enum Format: Int32 {
        /// RFC 1950; HTTP calls it `deflate`.
        case zlib = 15
        /// RFC 1952.
        case gzip = 31
    }

    /// `bytes` compressed; nil when zlib is out of memory.
    static func compress(_ bytes: [UInt8], _ format: Format) -> [UInt8]? {
        var stream = unsafe z_stream()
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        guard unsafe deflateInit2_(&stream, 6, Z_DEFLATED, format.rawValue, 8, 0, ZLIB_VERSION, size) == Z_OK else {
            return nil
        }
        defer { unsafe deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))) + 32)
        let written: Int? = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                guard unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
                return unsafe target.count - Int(stream.avail_out)
            }
        }
        return written.map { Array(output[..<$0]) }
    }
}
