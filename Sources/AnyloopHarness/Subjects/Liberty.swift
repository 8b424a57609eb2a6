import AnyloopTesting

/// A point in which a loop's callbacks may differ from the memory transport's without being at fault.
///
/// The comparison of callbacks uses these and nothing else: whatever differs and is not granted is a failure. They
/// come of there being a kernel between two ends. The orders in which native mode is looser than asyncio's happen
/// inside a turn (`NativeLiberty` in AnyloopNativeLoop lists them) and leave this sequence as it is.
public enum Liberty: String, Sendable, Hashable, CaseIterable, Codable {
    /// What was read may arrive in other portions: adjacent data counts as one.
    case otherPortions
    /// `pauseWriting` and `resumeWriting` may come at other moments, or not at all: the kernel has buffers.
    case otherWatermarkMoments
    /// Over TLS, where no side can end alone (asyncio rule 123): a subject that ended its side and would read on
    /// over TCP closes; whoever closed itself may hear the peer's end, which answers that, or not (rule 126).
    case noHalfClose

    /// What a loop of that mode is granted; over TLS `noHalfClose` comes in addition.
    public static func granted(to mode: Mode) -> Set<Liberty> { [.otherPortions, .otherWatermarkMoments] }
}

/// The callbacks of one connection in order, comparable under the liberties of a loop.
struct CallbackSequence: Hashable, CustomStringConvertible {
    private(set) var callbacks: [Callback] = []
    /// The cause that `connectionLost` gave, in its normalised form.
    var lostCause: String?

    mutating func append(_ callback: Callback) { callbacks.append(callback) }

    /// What is left to compare once the liberties are taken.
    func normalised(_ liberties: Set<Liberty>) -> CallbackSequence {
        var result = CallbackSequence()
        result.lostCause = lostCause
        for callback in callbacks {
            let isWatermark = callback == .pause || callback == .resume
            if isWatermark, liberties.contains(.otherWatermarkMoments) { continue }
            let continues = callback == .data && result.callbacks.last == .data
            if continues, liberties.contains(.otherPortions) { continue }
            result.append(callback)
        }
        return result
    }

    /// Without the peer's end of stream.
    var withoutEnd: CallbackSequence {
        var result = self
        result.callbacks.removeAll { $0 == .eof }
        return result
    }

    var description: String {
        let names = callbacks.map(\.rawValue).joined(separator: " ")
        return lostCause.map { "\(names) (\($0))" } ?? names
    }
}
