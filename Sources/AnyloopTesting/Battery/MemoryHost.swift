import AnyloopCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The batteries' host for `MemoryLoop`.
public final class MemoryHost: BatteryHost {
    private let memoryLoop = MemoryLoop()
    private var descriptors: [Int32] = []

    /// A host with a new loop.
    public init() {}

    /// `memory`
    public var name: String { "memory" }

    /// The loop under test.
    public var loop: any Loop { memoryLoop }

    /// asyncio's order.
    public var discipline: BatteryDiscipline { .asyncio }

    /// A pair whose far end is a `MemoryPeer`.
    public func makePair(_ streamProtocol: any StreamProtocol) -> any BatteryPeer {
        MemoryStream.pair(on: memoryLoop, streamProtocol).peer
    }

    /// One turn; the clock moves by at most a millisecond.
    public func step() throws { try memoryLoop.runOnce(timeout: .milliseconds(1)) }

    /// A temporary file with those bytes, without a name.
    public func makeFile(_ bytes: [UInt8]) throws -> Int32 {
        let descriptor = try TemporaryFile.make(bytes)
        descriptors.append(descriptor)
        return descriptor
    }

    /// Closes the loop and the files.
    public func tearDown() {
        memoryLoop.closeLoop()
        for descriptor in descriptors { close(descriptor) }
        descriptors = []
    }
}

/// Files that vanish with their descriptor.
public enum TemporaryFile {
    /// An open descriptor of a file with those bytes; the caller closes it.
    ///
    /// - Throws: `TransportError.system` if the system makes none.
    public static func make(_ bytes: [UInt8]) throws(TransportError) -> Int32 {
        var path = Array("/tmp/anyloop-XXXXXX".utf8CString)
        let descriptor = unsafe path.withUnsafeMutableBufferPointer { buffer in
            guard let name = buffer.baseAddress else { return Int32(-1) }
            let descriptor = unsafe mkstemp(name)
            if descriptor >= 0 { _ = unsafe unlink(name) }
            return descriptor
        }
        guard descriptor >= 0 else {
            throw .system(SystemError(errno: errno, operation: "mkstemp", text: "cannot make a temporary file"))
        }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
            }
            guard count > 0 else {
                let code = errno
                close(descriptor)
                throw .system(SystemError(errno: code, operation: "write", text: "cannot write a temporary file"))
            }
            written += count
        }
        return descriptor
    }
}
