extension StreamReader {
    /// The lines until the end, each with its newline (asyncio: `async for line in reader`).
    public var lines: StreamLines { StreamLines(reader: self) }

    /// The bytes until the end, as they come, in pieces of at most `count`; nil: of at most `limit`.
    public func chunks(upTo count: Int? = nil) -> StreamChunks { StreamChunks(reader: self, count: count ?? limit) }
}

/// The lines of a stream, as `StreamReader.readLine` gives them.
public struct StreamLines: AsyncSequence {
    fileprivate let reader: StreamReader

    /// Reads one line a call.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let reader: StreamReader

        /// The next line; nil at the end. Throws what `readLine` throws.
        public mutating func next() async throws -> [UInt8]? {
            try await next(isolation: nil)
        }

        /// The next line; nil at the end. Throws what `readLine` throws.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            let line = try await reader.readLine()
            return line.isEmpty ? nil : line
        }
    }

    /// An iterator; two of them share the stream.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader) }
}

/// The bytes of a stream, as `StreamReader.read` gives them.
public struct StreamChunks: AsyncSequence {
    fileprivate let reader: StreamReader
    fileprivate let count: Int

    /// Reads one piece a call.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let reader: StreamReader
        fileprivate let count: Int

        /// The next piece; nil at the end. Throws what `read` throws.
        public mutating func next() async throws -> [UInt8]? {
            try await next(isolation: nil)
        }

        /// The next piece; nil at the end. Throws what `read` throws.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            let bytes = try await reader.read(count)
            return bytes.isEmpty ? nil : bytes
        }
    }

    /// An iterator; two of them share the stream.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader, count: count) }
}
