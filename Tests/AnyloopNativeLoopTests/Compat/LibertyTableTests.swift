import AnyloopNativeLoop
import Foundation
import Testing

@Suite("The table of liberties")
struct LibertyTableTests {
    @Test("ARCHITECTURE.md has each liberty as the code has it")
    func documentAgrees() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("ARCHITECTURE.md"), encoding: .utf8)
        #expect(text.contains(NativeLiberty.table))
    }
}
