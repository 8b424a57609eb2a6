import AnyloopCore
import Testing

@Suite("What transports keep account of when writing")
struct WriteFlowTests {
    @Test("a pause is due once above the high mark, a resume once at the low mark")
    func marks() throws {
        var flow = WriteFlow(limits: try WriteBufferLimits(high: 100, low: 20))
        let pauses = [100, 101, 500].map { flow.pauses(at: $0) }
        #expect(pauses == [false, true, false] && flow.isPaused)
        let resumes = [21, 20, 0].map { flow.resumes(at: $0) }
        #expect(resumes == [false, true, false] && !flow.isPaused)
    }

    @Test("a resume in a later turn is asked for once, and called off if the buffer filled meanwhile")
    func laterResume() throws {
        var flow = WriteFlow(limits: try WriteBufferLimits(high: 100, low: 20))
        let asked = [
            flow.resumesLater(at: 0), flow.pauses(at: 101), flow.resumesLater(at: 21), flow.resumesLater(at: 20),
            flow.resumesLater(at: 20), flow.pauses(at: 500),
        ]
        #expect(asked == [false, true, false, true, false, false] && flow.isPaused)
        let told = [flow.resumes(at: 21), flow.resumesLater(at: 20), flow.resumes(at: 20)]
        #expect(told == [false, true, true] && !flow.isPaused)
    }

    @Test("the first five losses are silent, those after them are logged", arguments: [0, 1])
    func losses(before: Int) {
        var flow = WriteFlow()
        let logged = (before..<7).map { _ in flow.drop(after: before) }
        #expect(logged == (before..<7).map { $0 >= WriteFlow.silentLossCount })
        flow.refuse()
        #expect(flow.droppedCount == 8 - before)
    }

    @Test("an end of writing is named before a file that is under way, in asyncio's words")
    func refusals() {
        var refusal: WriteRefusal = []
        #expect(refusal.isNone && refusal.error(of: "write") == nil)
        #expect(refusal.fileError(isClosing: false, cause: nil) == nil)
        refusal.insert(.sendingFile)
        #expect(refusal.error(of: "writelines")?.text == "unable to writelines; sendfile is in progress")
        refusal.insert(.ended)
        #expect(refusal.error(of: "write")?.text == "Cannot call write() after write_eof()")
        #expect(
            refusal.fileError(isClosing: true, cause: nil)?.description == "unable to write; sendfile is in progress")
        refusal.remove(.sendingFile)
        #expect(!refusal.isNone)
        #expect(
            refusal.fileError(isClosing: false, cause: nil)?.description == "Cannot call write() after write_eof()")
        #expect(refusal.fileError(isClosing: true, cause: nil)?.description == "Transport is closing")
        #expect(refusal.fileError(isClosing: true, cause: .loopClosed)?.description == "Event loop is closed")
    }
}
