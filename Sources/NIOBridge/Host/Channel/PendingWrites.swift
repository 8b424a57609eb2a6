import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore

/// What a stream channel still has to send, in order, with the promises of whoever wrote it.
///
/// Small pieces that are sent together (a response's head, body and end) are put together in the loop's flat buffer and
/// sent by one send(2); larger ones by sendmsg(2) from where they lie; parts of files by sendfile(2).
struct PendingWrites {
    struct Write {
        var data: IOData
        var promise: EventLoopPromise<Void>?
    }

    /// How far a send came.
    enum Progress {
        /// What was offered went.
        case sent
        /// The socket takes no more now.
        case blocked
    }

    /// Bytes that are copied together rather than gathered.
    static let flatLimit = 16384
    /// Pieces of one gathering call, at most.
    static let sliceLimit = 64

    private var writes = CircularBuffer<Write>(initialCapacity: 4)
    /// How many of `writes` were flushed.
    private(set) var flushedCount = 0
    /// Bytes of all of them, flushed or not.
    private(set) var byteCount = 0

    var isEmpty: Bool { writes.isEmpty }

    mutating func append(_ data: IOData, _ promise: EventLoopPromise<Void>?) {
        writes.append(Write(data: data, promise: promise))
        byteCount += data.readableBytes
    }

    mutating func markFlushed() { flushedCount = writes.count }

    /// Takes everything out; the promises that wait for it.
    mutating func removeAll() -> [EventLoopPromise<Void>] {
        let promises = writes.compactMap(\.promise)
        writes.removeAll()
        flushedCount = 0
        byteCount = 0
        return promises
    }

    /// Sends as much of what is flushed as one call does; `done` gets the promises of what went.
    mutating func send(
        to descriptor: Int32, flat: UnsafeMutableRawBufferPointer, done: inout SentPromises
    ) throws(IOError) -> Progress {
        guard flushedCount > 0, let first = writes.first else { return .sent }
        let offered: Int
        let count: Int64
        let operation: String
        switch first.data {
        case .fileRegion(let region):
            offered = region.readableBytes
            count = offered > 0 ? Self.sendFile(region, to: descriptor) : 0
            // The file is shorter than its region says: it would never end.
            guard offered == 0 || count != 0 else { throw IOError(errnoCode: Errno.io, reason: "sendfile: file ended") }
            operation = "sendfile"
        case .byteBuffer(let buffer) where flushedCount == 1:
            offered = buffer.readableBytes
            count = offered > 0 ? Self.send(buffer, to: descriptor) : 0
            operation = "send"
        case .byteBuffer:
            (count, offered) = unsafe sendSeveral(to: descriptor, flat: flat)
            operation = "sendmsg"
        }
        guard count >= 0 else {
            let code = Int32(-count)
            if Errno.isTransient(code) { return .blocked }
            throw IOError(errnoCode: code, reason: operation)
        }
        remove(Int(count), of: offered, &done)
        return Int(count) == offered ? .sent : .blocked
    }

    private static func send(_ buffer: ByteBuffer, to descriptor: Int32) -> Int64 {
        unsafe buffer.withUnsafeReadableBytes { unsafe anyloop_send(descriptor, $0.baseAddress, $0.count) }
    }

    private static func sendFile(_ region: FileRegion, to descriptor: Int32) -> Int64 {
        let result = try? region.fileHandle.withUnsafeFileDescriptor { file in
            anyloop_sendfile(descriptor, file, Int64(region.readerIndex), region.readableBytes)
        }
        return result ?? Int64(-Errno.badDescriptor)
    }

    private func sendSeveral(
        to descriptor: Int32, flat: UnsafeMutableRawBufferPointer
    ) -> (sent: Int64, offered: Int) {
        let copied = unsafe copy(into: flat)
        if copied > 0 { return (unsafe anyloop_send(descriptor, flat.baseAddress, copied), copied) }
        return gather(to: descriptor)
    }

    /// Puts the leading buffers together if they are small; 0 if they are not, or if they are empty.
    private func copy(into flat: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        for write in writes.prefix(flushedCount) {
            guard case .byteBuffer(let buffer) = write.data else { break }
            let size = buffer.readableBytes
            guard count + size <= Self.flatLimit else { return 0 }
            guard size > 0 else { continue }
            unsafe buffer.withUnsafeReadableBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: flat[count..<count + size]).copyMemory(from: bytes)
            }
            count += size
        }
        return count
    }

    private func gather(to descriptor: Int32) -> (sent: Int64, offered: Int) {
        unsafe withUnsafeTemporaryAllocation(of: anyloop_slice.self, capacity: Self.sliceLimit) { slices in
            var held: [Unmanaged<AnyObject>] = unsafe []
            unsafe held.reserveCapacity(Self.sliceLimit)
            var count = 0
            var offered = 0
            for write in writes.prefix(flushedCount) {
                guard case .byteBuffer(let buffer) = write.data, count < Self.sliceLimit else { break }
                unsafe buffer.withUnsafeReadableBytesWithStorageManagement { bytes, storage in
                    // The pointer outlives the closure, so its storage is kept until after the call.
                    unsafe held.append(storage.retain())
                    unsafe slices[count] = unsafe anyloop_slice(bytes: bytes.baseAddress, count: bytes.count)
                }
                offered += buffer.readableBytes
                count += 1
            }
            defer { unsafe held.forEach { unsafe $0.release() } }
            guard offered > 0 else { return (0, 0) }
            return (unsafe anyloop_send_slices(descriptor, slices.baseAddress, count), offered)
        }
    }

    /// Takes `count` bytes off the front; with all that was offered gone, empty writes behind them go as well.
    private mutating func remove(_ count: Int, of offered: Int, _ done: inout SentPromises) {
        var left = count
        byteCount -= count
        while flushedCount > 0, let size = writes.first?.data.readableBytes {
            guard size <= left else {
                if left > 0 { writes[writes.startIndex].data.moveReaderIndex(forwardBy: left) }
                return
            }
            // What was not sent keeps its place, also if it is empty.
            guard size > 0 || left > 0 || count == offered else { return }
            left -= size
            flushedCount -= 1
            if let promise = writes.removeFirst().promise { done.append(promise) }
        }
    }
}

/// Promises of one flush, told once the state behind them is in order: mostly none or one.
struct SentPromises {
    private var first: EventLoopPromise<Void>?
    private var others: [EventLoopPromise<Void>] = []

    mutating func append(_ promise: EventLoopPromise<Void>) {
        if first == nil { first = promise } else { others.append(promise) }
    }

    /// Succeeds them in their order.
    func succeed() {
        guard let first else { return }
        first.succeed(())
        for promise in others { promise.succeed(()) }
    }
}
