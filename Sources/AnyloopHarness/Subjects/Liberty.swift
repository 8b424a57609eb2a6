/// A point in which a mode may differ from native without being at fault.
///
/// The comparison between modes uses these and nothing else: whatever differs and is not listed is a failure.
/// Liberties concern timing, never the grammar of the callbacks nor what the application sees.
public enum Liberty: String, Sendable, Hashable, CaseIterable, Codable {
    /// `connectionMade` may come in the turn after the accept rather than in the accept's own.
    case madeNextTurn
    /// `connectionLost` may come in the turn after `close` or `abort`.
    case lostNextTurn
    /// Bytes read in one turn may arrive in other portions (native reads until its budget is used up).
    case otherPortions
    /// `pauseWriting` and `resumeWriting` may come at other moments, since the queue is drained at others.
    case otherWatermarkMoments

    /// What a mode is granted, as ARCHITECTURE.md lists it.
    public static func granted(to mode: Mode) -> Set<Liberty> {
        switch mode {
        case .native: []
        case .compat: [.madeNextTurn, .lostNextTurn, .otherPortions, .otherWatermarkMoments]
        case .nio, .asyncio: Set(allCases)
        }
    }
}
