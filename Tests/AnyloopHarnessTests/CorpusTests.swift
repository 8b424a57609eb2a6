import AnyloopHarness
import AnyloopSubjects
import Foundation
import Testing

/// The package's own fixtures: well-formed, in canonical form, and kept by our parsers.
@Suite struct CorpusTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures").path

    @Test func everyFixtureIsWellFormedAndUnderItsName() throws {
        let files = try FixtureFiles.find(at: Self.folder)
        #expect(files.count >= 250)
        var ids: Set<String> = []
        for file in files {
            let fixture = try FixtureFiles.load(file)
            #expect(file == "\(Self.folder)/\(fixture.id).wire")
            #expect(ids.insert(fixture.id).inserted)
            let text = try FixtureFiles.read(file)
            #expect(try Array(Fixture.format(text, file: file).utf8) == text, "\(file) is not in canonical form")
        }
    }

    @Test func recordingsAreOfManyKinds() throws {
        let recorded = try FixtureFiles.find(at: Self.folder + "/http1/recorded").map { try FixtureFiles.load($0) }
        #expect(recorded.count >= 200)
        let peers = recorded.map { $0.source.split(separator: " ").map { $0.prefix { $0 != "/" } } }
        #expect(Set(peers.map { $0[1] }).count >= 6, "servers")
        #expect(Set(peers.map { $0[3] }).count >= 6, "clients")
        for fixture in recorded {
            #expect(fixture.isRecorded && fixture.command != nil && fixture.oracle != nil, "\(fixture.id)")
            #expect(fixture.server != nil || fixture.client != nil, "\(fixture.id)")
        }
    }

    @Test(arguments: [Subject.http1Server, Subject.http1Client], [CutPlan.whole, .recorded])
    func parsersKeepThem(_ subject: Subject, _ plan: CutPlan) throws {
        let runner = CellRunner()
        for file in try FixtureFiles.find(at: Self.folder) {
            let fixture = try FixtureFiles.load(file)
            guard subject.takes(fixture) else { continue }
            let result = runner.run(fixture, subject, .parser, plan)
            let failure = result.failures.first
            #expect(
                result.verdict == .passed,
                "\(result.key.name): \(failure?.summary ?? "")\n\(failure?.details ?? "")")
        }
    }

    /// One in so many fixtures goes over each executor here; all of them do in the matrix.
    static let share = 16

    @Test(arguments: [ExecutorKind.memory, .memoryTLS, .socketpair, .tcp, .tls, .unix])
    func protocolsKeepThem(_ executor: ExecutorKind) throws {
        let runner = CellRunner()
        let registry = Registry.anyloop
        for (index, file) in try FixtureFiles.find(at: Self.folder).enumerated() where index % Self.share == 0 {
            let fixture = try FixtureFiles.load(file)
            for subject in registry.subjects where subject.takes(fixture) && subject.runs(on: executor) {
                let result = runner.run(fixture, subject, executor, loop: registry.loopProviders.first, .whole)
                let failure = result.failures.first
                #expect(
                    result.verdict != .failed,
                    "\(result.key.name): \(failure?.summary ?? "")\n\(failure?.details ?? "")")
            }
        }
    }
}

extension Subject: CustomTestStringConvertible {
    /// The name.
    public var testDescription: String { name }
}
