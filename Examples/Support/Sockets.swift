import Foundation

/// A call of the system that failed.
struct SocketError: Error {
    var errno: Int32
}

/// Two connected Unix sockets (Python: `socket.socketpair()`).
func socketPair() throws -> (near: Int32, far: Int32) {
    var pair: [Int32] = [-1, -1]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else {
        throw SocketError(errno: errno)
    }
    return (pair[0], pair[1])
}

/// What `descriptor` has to read, up to `count` bytes (Python: `sock.recv(count)`).
func receive(_ descriptor: Int32, _ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = unsafe recv(descriptor, &bytes, count, 0)
    guard got >= 0 else { throw SocketError(errno: errno) }
    return Array(bytes.prefix(got))
}

/// Sends a short text (Python: `sock.send(text.encode())`).
func send(_ descriptor: Int32, _ text: String) throws {
    let bytes = Array(text.utf8)
    guard unsafe Foundation.send(descriptor, bytes, bytes.count, 0) == bytes.count else {
        throw SocketError(errno: errno)
    }
}

/// Closes a socket (Python: `sock.close()`).
func closeSocket(_ descriptor: Int32) { close(descriptor) }
