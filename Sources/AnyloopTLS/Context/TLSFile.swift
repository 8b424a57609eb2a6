import AnyloopCore
import CAnyloopTLS

/// Reading certificates, keys and lists.
enum TLSFile {
    /// The whole file; `what` says in errors what it should have been.
    static func read(_ path: String, what: String, limit: Int = TLSIdentity.fileSizeLimit) throws(TLSError) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let code = unsafe anyloop_tls_load_file(path, limit, &bytes, &count)
        guard code == 0 else {
            throw TLSError(.configuration, "the \(what) file '\(path)' cannot be read: \(text(code, limit))")
        }
        defer { unsafe anyloop_tls_bytes_free(bytes) }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    private static func text(_ code: Int32, _ limit: Int) -> String {
        switch code {
        case 2: "there is no such file"
        case 13: "permission denied"
        case 21: "it is a directory"
        case 22: "it is not a regular file"
        case 27: "it is larger than \(limit) bytes"
        default: "errno \(code)"
        }
    }
}
