import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore
import NIOPosix
import Synchronization

/// A socket of datagrams, UDP or Unix: `AddressedEnvelope`s in and out, bare `ByteBuffer`s out as well once it is
/// connected.
// Unchecked as `HostChannel` is: touched on the loop's thread only.
final class HostDatagramChannel: HostChannel, @unchecked Sendable {
    private struct Write {
        var data: ByteBuffer
        var address: SocketAddress?
        var metadata: AddressedEnvelope<ByteBuffer>.Metadata?
        var promise: EventLoopPromise<Void>?
    }

    /// What is asked of received datagrams besides their bytes.
    struct Wanted: OptionSet {
        let rawValue: UInt8
        static let congestion = Wanted(rawValue: 1)
        static let packetInfo = Wanted(rawValue: 2)
        static let segmentSize = Wanted(rawValue: 4)
    }

    private var writes = CircularBuffer<Write>(initialCapacity: 4)
    private var flushedCount = 0
    private(set) var byteCount = 0
    var wanted: Wanted = []
    /// Datagrams a read (NIO: `datagramVectorReadMessageCount`), 0 for one.
    var vectorCount = 0

    /// A channel that is to be bound or connected.
    convenience init(
        loop: NativeEventLoop, family: NIOBSDSocket.ProtocolFamily, subtype: NIOBSDSocket.ProtocolSubtype = .default
    ) throws {
        let descriptor = try RawSocket.make(family, kind: RawSocket.datagram, protocol: subtype.rawValue)
        self.init(loop: loop, descriptor: descriptor, remote: nil)
    }

    /// A channel of a socket that is bound, which it owns from here on.
    convenience init(loop: NativeEventLoop, adopting descriptor: Int32) throws {
        try RawSocket.adopt(descriptor, kind: RawSocket.datagram)
        self.init(loop: loop, descriptor: descriptor, remote: try? RawSocket.remoteAddress(descriptor))
    }

    private init(loop: NativeEventLoop, descriptor: Int32, remote: SocketAddress?) {
        super.init(
            loop: loop, descriptor: descriptor, parent: nil, remote: remote,
            receiving: FixedSizeRecvByteBufferAllocator(capacity: 2048))
    }

    // MARK: Connecting

    override var mayReactivate: Bool { true }

    override func bind0(to address: SocketAddress, promise: EventLoopPromise<Void>?) {
        guard isOnLoop(promise) else { return }
        // NIO says the same of a closed one.
        guard phase >= .registered, isOpen else {
            promise?.fail(ChannelError.inappropriateOperationForState)
            return
        }
        do {
            try RawSocket.bind(descriptor, to: address)
            updateAddresses(remote: false)
            becomeActive(promise)
        } catch {
            promise?.fail(error)
        }
    }

    override func startConnect(to address: SocketAddress) throws -> Bool {
        // Their addresses were for a socket that is not connected.
        dropWrites(
            IOError(
                errnoCode: Errno.alreadyConnected, reason: "the socket was connected before a pending write was flushed"
            ))
        return try RawSocket.connect(descriptor, to: address)
    }

    // MARK: Reading

    override func receive() throws -> Bool {
        var hasRead = false
        // Both are the application's, so that their product may be anything.
        let (product, isOver) = maxMessagesPerRead.multipliedReportingOverflow(by: UInt(max(1, vectorCount)))
        for _ in 0..<(isOver ? .max : product) {
            guard isOpen else { throw ChannelError.eof }
            var address = RawAddress()
            var metadata = anyloop_raw_metadata()
            let (buffer, count) = received.buffer(allocator: loopAllocator) { buffer in
                receive(into: &buffer, &address, &metadata)
            }
            if count < 0 {
                if Errno.isTransient(Int32(-count)) { return hasRead }
                throw IOError(errnoCode: Int32(-count), reason: "recvmsg")
            }
            let sender = try address.address()
            received.record(actualReadBytes: count)
            readPending = false
            let envelope = AddressedEnvelope(
                remoteAddress: sender, data: buffer, metadata: wanted.isEmpty ? nil : .init(metadata))
            pipeline.syncOperations.fireChannelRead(NIOAny(envelope))
            hasRead = true
        }
        return hasRead
    }

    private func receive(
        into buffer: inout ByteBuffer, _ address: inout RawAddress, _ metadata: inout anyloop_raw_metadata
    ) -> Int {
        var result = 0
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 0) { room in
            result = unsafe address.fill { name, size in
                let (base, count) = (room.baseAddress, room.count)
                guard !wanted.isEmpty else {
                    return Int(unsafe anyloop_raw_receive(descriptor, base, count, name, size, nil))
                }
                return Int(unsafe anyloop_raw_receive(descriptor, base, count, name, size, &metadata))
            }
            return max(0, result)
        }
        return result
    }

    override func endsChannel(_ error: any Error) -> Bool {
        guard let code = (error as? IOError)?.errnoCode else { return true }
        return !Self.isPassing(code)
    }

    override func socketFailed() -> Bool {
        guard let code = try? RawSocket.pendingError(descriptor), Self.isPassing(code) else {
            hungUp()
            return false
        }
        pipeline.syncOperations.fireErrorCaught(IOError(errnoCode: code, reason: "so_error"))
        return true
    }

    /// A datagram sent before found nobody, or memory was short: the next one may do better.
    private static func isPassing(_ code: Int32) -> Bool { code == Errno.connectionRefused || code == Errno.noMemory }

    // MARK: Writing

    override var hasFlushedWrites: Bool { flushedCount > 0 }

    override func add(_ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let peer = remoteAddress
        if let envelope = tryUnwrapData(data, as: AddressedEnvelope<ByteBuffer>.self) {
            if let peer, envelope.remoteAddress != peer {
                promise?.fail(
                    DatagramChannelError.WriteOnConnectedSocketWithInvalidAddress(
                        envelopeRemoteAddress: envelope.remoteAddress, connectedRemoteAddress: peer))
                return
            }
            append(
                Write(
                    data: envelope.data, address: peer == nil ? envelope.remoteAddress : nil,
                    metadata: envelope.metadata, promise: promise))
        } else if let buffer = tryUnwrapData(data, as: ByteBuffer.self) {
            guard peer != nil else {
                promise?.fail(DatagramChannelError.WriteOnUnconnectedSocketWithoutAddress())
                return
            }
            append(Write(data: buffer, address: nil, metadata: nil, promise: promise))
        } else {
            promise?.fail(ChannelError.operationUnsupported)
        }
    }

    private func append(_ write: Write) {
        writes.append(write)
        byteCount += write.data.readableBytes
        writesGrew(to: byteCount)
    }

    override func markFlushed() { flushedCount = writes.count }

    override func sendFlushed() throws -> Bool {
        defer { tellIfWritable() }
        while isOpen, flushedCount > 0, let next = writes.first {
            let isOne = flushedCount == 1 || next.metadata != nil
            let count = isOne ? send(next) : sendSeveral()
            let code = count < 0 ? Int32(-count) : 0
            if Errno.isTransient(code) { return false }
            switch code {
            case 0: finish(isOne ? 1 : Int(count))
            case Errno.messageTooLong: failFirst(.writeMessageTooLarge)
            case Errno.hostUnreachable: failFirst(.writeHostUnreachable)
            default: throw IOError(errnoCode: code, reason: isOne ? "sendmsg" : "sendmmsg")
            }
        }
        return true
    }

    /// Sends those at the front that need nothing but bytes and an address; how many went, or a negated `errno`.
    private func sendSeveral() -> Int64 {
        unsafe withUnsafeTemporaryAllocation(of: anyloop_raw_datagram.self, capacity: Int(ANYLOOP_RAW_BATCH)) { batch in
            var held: [Unmanaged<AnyObject>] = unsafe []
            unsafe held.reserveCapacity(batch.count)
            var count = 0
            for write in writes.prefix(min(flushedCount, batch.count)) {
                guard write.metadata == nil else { break }
                unsafe write.data.withUnsafeReadableBytesWithStorageManagement { bytes, storage in
                    // The pointer outlives the closure, so its storage is kept until after the call.
                    unsafe held.append(storage.retain())
                    unsafe batch[count] = anyloop_raw_datagram()
                    unsafe batch[count].bytes = bytes.baseAddress
                    unsafe batch[count].count = bytes.count
                }
                unsafe write.address?.withSockAddr { name, size in
                    unsafe batch[count].size = UInt32(size)
                    unsafe withUnsafeMutableBytes(of: &batch[count].address) {
                        unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: name, count: min(size, $0.count)))
                    }
                }
                count += 1
            }
            defer { unsafe held.forEach { unsafe $0.release() } }
            return Int64(unsafe anyloop_raw_send_several(descriptor, batch.baseAddress, Int32(count)))
        }
    }

    private func send(_ write: Write) -> Int64 {
        unsafe write.data.withUnsafeReadableBytes { bytes in
            guard let address = write.address else { return unsafe send(bytes, nil, 0, write.metadata) }
            return unsafe address.withSockAddr { unsafe send(bytes, $0, UInt32($1), write.metadata) }
        }
    }

    private func send(
        _ bytes: UnsafeRawBufferPointer, _ address: UnsafeRawPointer?, _ size: UInt32,
        _ metadata: AddressedEnvelope<ByteBuffer>.Metadata?
    ) -> Int64 {
        guard let metadata else {
            return unsafe anyloop_raw_send(descriptor, bytes.baseAddress, bytes.count, address, size, nil)
        }
        var packed = anyloop_raw_metadata()
        packed.congestion = metadata.ecnState.bits
        packed.segment_size = Int32(clamping: metadata.segmentSize ?? 0)
        return unsafe anyloop_raw_send(descriptor, bytes.baseAddress, bytes.count, address, size, &packed)
    }

    /// So many went. Whoever is told may write, close or abort, so all of them are off the queue by then.
    private func finish(_ count: Int) {
        var done = SentPromises()
        for _ in 0..<count { if let promise = removeFirst().promise { done.append(promise) } }
        writesShrank(to: byteCount)
        done.succeed()
    }

    private func failFirst(_ error: ChannelError) {
        let write = removeFirst()
        writesShrank(to: byteCount)
        write.promise?.fail(error)
    }

    private func removeFirst() -> Write {
        let write = writes.removeFirst()
        flushedCount -= 1
        byteCount -= write.data.readableBytes
        return write
    }

    override func failWrites(_ error: any Error) { dropWrites(error) }

    private func dropWrites(_ error: any Error) {
        let dropped = writes
        writes = CircularBuffer()
        flushedCount = 0
        byteCount = 0
        for write in dropped { write.promise?.fail(error) }
    }

    // MARK: Options

    override func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        try setDatagramOption(option, value: value)
    }

    override func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        try datagramOption(option)
    }
}

extension HostDatagramChannel: CustomStringConvertible {
    var description: String {
        "HostDatagramChannel { active = \(isActive), localAddress = \(String(describing: localAddress)),"
            + " remoteAddress = \(String(describing: remoteAddress)) }"
    }
}
