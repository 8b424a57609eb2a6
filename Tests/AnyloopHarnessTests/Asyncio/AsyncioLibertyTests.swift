import AnyloopCore
import AnyloopNativeLoop
import Foundation
import Testing

@testable import AnyloopHarness
@testable import AnyloopSubjects

/// The liberties of native mode: each is needed, and none hides more than it says.
@Suite struct AsyncioLibertyTests {
    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures").path

    private static let withEffects = LoopLiberty.all.filter { !$0.effects.isEmpty }.map(\.liberty.id)

    private func outcome(_ scenario: String, liberties: [AsyncioLiberty]) throws -> AsyncioComparison.Outcome {
        let provider = try #require(Registry.anyloop.loopProvider(mode: .native, poller: "epoll"))
        let file = "\(Self.fixtures)/\(scenario).json"
        let played = try AsyncioFiles.scenario(file)
        let expected = try AsyncioFiles.recording(besides: file).trace(of: played.follows)
        let got = try AsyncioPlayer.play(played, from: provider)
        return AsyncioComparison(expected: expected, got: got, rules: played.rules).outcome(under: liberties)
    }

    @Test(arguments: withEffects) func isNeededByItsScenario(_ id: String) throws {
        let scenario = try #require(LoopLiberty.all.first { $0.liberty.id == id }?.scenario)
        let all = LoopLiberty.taken(byNative: true)
        guard case .equal(let needed) = try outcome(scenario, liberties: all) else {
            Issue.record("\(scenario) differs under all liberties")
            return
        }
        #expect(needed.contains(id), "\(scenario) needs \(needed) only: \(id) is stale, or names the wrong scenario")
    }

    @Test func compatTakesNoneWithAnEffect() {
        let some = LoopLiberty.taken(byNative: false).filter { !$0.effects.isEmpty }
        #expect(some.isEmpty)
    }

    /// Takes a trace; gives it with a fault, nil where it has no place for it.
    private static let faults: [@Sendable ([String]) -> [String]?] = [
        { lines in lines.firstIndex { $0.contains(" connection_lost") }.map { lines.without($0) } },
        { lines in
            lines.firstIndex { $0.contains(" connection_lost") }.map { Array(lines[...$0]) + Array(lines[$0...]) }
        },
        { lines in lines.firstIndex { $0.contains(" data_received ") }.map { lines.without($0) } },
        { lines in
            guard let place = lines.firstIndex(where: { $0.contains(" data_received ") }) else { return nil }
            var changed = lines
            changed[place] += "!"
            return changed
        },
        { lines in
            guard let end = lines.firstIndex(where: { $0.hasSuffix(" eof_received") }),
                let lost = lines.firstIndex(of: lines[end].replacing(" eof_received", with: " connection_lost"))
            else { return nil }
            var changed = lines
            changed.swapAt(end, lost)
            return changed
        },
        { lines in
            guard let paused = lines.firstIndex(where: { $0.hasSuffix(" pause_writing") }) else { return nil }
            return lines.without(paused)
        },
    ]

    @Test func hidesNoPlantedFault() throws {
        let liberties = LoopLiberty.taken(byNative: true)
        var planted = 0
        for file in AsyncioFiles.find(in: Self.fixtures) {
            let scenario = try AsyncioFiles.scenario(file)
            let trace = try AsyncioFiles.recording(besides: file).trace(of: scenario.follows)
            for (number, fault) in Self.faults.enumerated() {
                guard let changed = fault(trace) else { continue }
                planted += 1
                let comparison = AsyncioComparison(expected: trace, got: changed, rules: scenario.rules)
                if case .equal(let needed) = comparison.outcome(under: liberties) {
                    Issue.record("fault \(number) in \(scenario.id) is hidden by \(needed)")
                }
            }
        }
        #expect(planted > 500)
    }
}

extension [String] {
    fileprivate func without(_ place: Int) -> [String] { Array(self[..<place]) + Array(self[(place + 1)...]) }
}
