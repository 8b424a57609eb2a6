import AnyloopHarness
import Foundation
import NIOSubjects
import Testing

/// The page and the lists of what NIOHTTP1 does otherwise than the fixtures expect are those of this build.
///
/// With `ANYLOOP_WRITE_DIFFERENCES=1` they are written instead of compared; the lists count after the next build.
@Suite struct DifferenceTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let listFile = root.appending(path: "Sources/NIOSubjects/HTTP1/NIOHTTP1Differences.swift")
    private static let pageFile = root.appending(path: "Documentation/nio-http1-differences.md")

    @Test func listsAndPageAreOfThisBuild() throws {
        let fixtures = try FixtureFiles.find(at: Self.root.appending(path: "Fixtures/http1").path).map {
            try FixtureFiles.load($0)
        }
        var page = DifferencePage()
        var lists: [String] = []
        for subject in [Subject.nioHTTP1Server, .nioHTTP1Client] {
            let found = try differences(subject, fixtures)
            lists.append(found.text)
            page.add(subject, found, fixtures: fixtures)
            guard !isWriting else { continue }
            #expect(subject.differences.entries.count == found.entries.count)
            for entry in found.entries { #expect(subject.differences[entry.fixture] == entry) }
        }
        let text = try #require(try String(contentsOf: Self.pageFile, encoding: .utf8).split(separator: mark).first)
        let whole = text + mark + "\n\n" + page.markdown
        guard isWriting else {
            let current = try String(contentsOf: Self.pageFile, encoding: .utf8)
            #expect(current == whole, "run this test with ANYLOOP_WRITE_DIFFERENCES=1")
            return
        }
        try whole.write(to: Self.pageFile, atomically: true, encoding: .utf8)
        try source(lists).write(to: Self.listFile, atomically: true, encoding: .utf8)
    }

    private var isWriting: Bool { ProcessInfo.processInfo.environment["ANYLOOP_WRITE_DIFFERENCES"] != nil }
    /// What stands above it in the page is written by hand.
    private let mark = "<!-- written by DifferenceTests from here -->"

    private func differences(_ subject: Subject, _ fixtures: [Fixture]) throws -> KnownDifferences {
        let runner = CellRunner()
        return KnownDifferences(
            try fixtures.filter { subject.takes($0) }.compactMap { try runner.difference($0, subject) })
    }

    private func source(_ lists: [String]) throws -> String {
        let old = try String(contentsOf: Self.listFile, encoding: .utf8)
        let parts = old.components(separatedBy: "##\"\"\"\n")
        let ends = parts.map { $0.components(separatedBy: "        \"\"\"##").last ?? "" }
        try #require(parts.count == 3)
        func indented(_ list: String) -> String {
            list.split(separator: "\n").map { "        \($0)\n" }.joined()
        }
        let open = "##\"\"\"\n"
        let close = "        \"\"\"##"
        return parts[0] + open + indented(lists[0]) + close + ends[1] + open + indented(lists[1]) + close + ends[2]
    }
}
