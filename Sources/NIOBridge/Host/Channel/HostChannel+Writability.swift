import NIOCore
import Synchronization

/// Who may write and when (NIO: `WriteBufferWaterMark`): not above the high mark, again below the low one.
extension HostChannel {
    /// `count` bytes wait now, more than before.
    final func writesGrew(to count: Int) {
        guard count > waterMark.high, writability.load(ordering: .relaxed) else { return }
        writability.store(false, ordering: .relaxed)
        toldWritable = false
        pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    /// `count` bytes wait now, fewer than before; handlers hear of it once the flush is over.
    final func writesShrank(to count: Int) {
        if count < waterMark.low { writability.store(true, ordering: .relaxed) }
    }

    /// The flush is over.
    final func tellIfWritable() {
        guard !toldWritable, isWritable else { return }
        toldWritable = true
        pipeline.syncOperations.fireChannelWritabilityChanged()
    }
}
