import AnyloopCore
import NIOCore

/// What a pipeline has written and the transport has not passed on yet.
struct PendingWrites {
    private struct Write {
        var data: IOData
        var promise: EventLoopPromise<Void>?
    }

    private struct Passing {
        /// How many bytes the transport must have passed on.
        var end: Int
        var promise: EventLoopPromise<Void>
    }

    /// The marks that writability goes by.
    var marks = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)
    private var writes: [Write] = []
    private var queuedBytes = 0
    private var passing: ArraySlice<Passing> = []
    private var givenBytes = 0
    /// The files under way: what comes behind them has left the transport's buffer only once they have, too.
    private var files = 0
    private var watched: Int?

    /// Bytes that are queued here or in the transport.
    func queued(_ transport: (any StreamTransport)?) -> Int { queuedBytes + (transport?.writeBufferSize ?? 0) }

    /// Whether nothing waits, here or in the transport.
    func isEmpty(_ transport: (any StreamTransport)?) -> Bool {
        writes.isEmpty && files == 0 && (transport?.writeBufferSize ?? 0) == 0
    }

    mutating func add(_ data: IOData, _ promise: EventLoopPromise<Void>?) {
        writes.append(Write(data: data, promise: promise))
        if case .byteBuffer(let buffer) = data { queuedBytes += buffer.readableBytes }
    }

    /// Gives the transport all that was written, bytes that stand together in one piece.
    mutating func flush(to transport: any StreamTransport, fileSent: @escaping (Result<Int, TransportError>) -> Void) {
        let batch = writes
        writes = []
        queuedBytes = 0
        var piece: [UInt8] = []
        for write in batch {
            switch write.data {
            case .byteBuffer(let buffer):
                piece.append(contentsOf: buffer.readableBytesView)
                givenBytes += buffer.readableBytes
                if let promise = write.promise { passing.append(Passing(end: givenBytes, promise: promise)) }
            case .fileRegion(let region):
                if !piece.isEmpty { transport.write(piece) }
                piece = []
                send(region, write.promise, to: transport, fileSent)
            }
        }
        if !piece.isEmpty { transport.write(piece) }
    }

    private mutating func send(
        _ region: FileRegion, _ promise: EventLoopPromise<Void>?, to transport: any StreamTransport,
        _ fileSent: @escaping (Result<Int, TransportError>) -> Void
    ) {
        do {
            let descriptor = try region.fileHandle.withUnsafeFileDescriptor { $0 }
            files += 1
            transport.sendFile(
                descriptor: descriptor, offset: Int64(region.readerIndex), count: region.readableBytes
            ) { result in
                switch result {
                case .success: promise?.succeed(())
                case .failure(let error): promise?.fail(error.forChannels)
                }
                fileSent(result)
            }
        } catch {
            promise?.fail(error)
        }
    }

    /// A file is through.
    mutating func fileEnded() { files -= 1 }

    /// The next promise whose bytes the transport has passed on.
    mutating func takePassed(_ transport: (any StreamTransport)?) -> EventLoopPromise<Void>? {
        guard let first = passing.first, first.end <= givenBytes - (transport?.writeBufferSize ?? 0) else { return nil }
        passing.removeFirst()
        return first.promise
    }

    /// Takes everything; the promises are the caller's to fail.
    mutating func takeAll() -> [EventLoopPromise<Void>] {
        defer {
            writes = []
            queuedBytes = 0
            passing = []
        }
        return passing.map(\.promise) + writes.compactMap(\.promise)
    }

    /// Has the transport call `resumeWriting` once it holds `limit` bytes at most.
    mutating func watch(_ limit: Int, on transport: (any StreamTransport)?) {
        guard let transport, watched != limit, let limits = try? WriteBufferLimits(high: limit, low: limit) else {
            return
        }
        watched = limit
        transport.setWriteBufferLimits(limits)
    }
}
