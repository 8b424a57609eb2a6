import AnyloopCore
import AnyloopNativeLoop
import Foundation
import NIOBridge
import Testing

@testable import AnyloopHarness
@testable import AnyloopSubjects
@testable import NIOSubjects

/// The liberties of SwiftNIO's mode: each is needed, none hides more than it says, and all are told.
@Suite struct NIOLibertyTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let fixtures = root.appending(path: "Fixtures").path

    private static let withEffects = NIOLoopLiberties.all.filter { !$0.effects.isEmpty }.map(\.id)

    private func scenario(_ id: String) -> String? {
        NIOLoopLiberties.scenario(id) ?? LoopLiberty.all.first { $0.liberty.id == id }?.scenario
    }

    @Test(arguments: withEffects) func isNeededByItsScenario(_ id: String) throws {
        let name = try #require(scenario(id))
        let file = "\(Self.fixtures)/\(name).json"
        let played = try AsyncioFiles.scenario(file)
        let expected = try AsyncioFiles.recording(besides: file).trace(of: played.follows)
        let got = try AsyncioPlayer.play(played, from: .nio)
        let comparison = AsyncioComparison(expected: expected, got: got, rules: played.rules)
        guard case .equal(let needed) = comparison.outcome(under: NIOLoopLiberties.all) else {
            Issue.record("\(name) differs under all liberties")
            return
        }
        #expect(needed.contains(id), "\(name) needs \(needed) only: \(id) is stale, or names the wrong scenario")
    }

    @Test func aSecondLoopOfAThreadIsRefused() throws {
        let first = try NIOLoop()
        #expect(throws: TransportError.self) { try NIOLoop() }
        first.closeLoop()
        try NIOLoop().closeLoop()
    }

    @Test func idsAreUniqueAndNoneIsLeftOver() {
        let ids = NIOLoopLiberties.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        let shown = NIOLiberty.all.map(\.id).filter { NIOLoopLiberties.scenario($0) != nil }
        #expect(Set(NIOLiberty.all.map(\.id)).subtracting(shown) == ["one-loop-a-thread"])
    }

    @Test func theyStandInArchitecture() throws {
        let page = try String(contentsOf: Self.root.appending(path: "ARCHITECTURE.md"), encoding: .utf8)
        #expect(page.contains(NIOLiberty.table), "print NIOLiberty.table into ARCHITECTURE.md")
    }
}
