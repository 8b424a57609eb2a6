import AnyloopCore
@testable import AnyloopHarness
import Testing

/// Values, errors and messages are written as the recorder writes them.
@Suite struct AsyncioTextTests {
    @Test func quotesBytes() {
        #expect(AsyncioText.quoted([13, 10, 9, 92, 34, 0x7F, 0xFF, 0x41]) == #""\r\n\t\\\"\x7f\xffA""#)
    }

    @Test func longDataIsCountAndDigest() {
        #expect(AsyncioText.data(Array(repeating: 0x61, count: 64)).hasPrefix("\"aaa"))
        #expect(AsyncioText.data(Array(repeating: 0x61, count: 65)) == "65 bytes sha256:635361c4")
    }

    @Test(arguments: [
        (TransportError.system(SystemError(errno: 104, operation: "recv", text: "")), "ECONNRESET"),
        (.usage(.argument("bad fd 7")), #"ValueError "bad fd N""#), (.usage(.invalidState("x")), "InvalidStateError"),
        (.callback(name: "x", error: Boom()), "Boom"), (.cancelled, "CancelledError"),
        (.timedOut(what: "x", after: .seconds(1)), "TimeoutError"),
        (.resolution(host: "x", code: -2, text: ""), "gaierror EAI_NONAME"),
        (.loopClosed, #"RuntimeError "Event loop is closed""#),
    ])
    func errorsHavePythonsNames(_ error: TransportError, _ text: String) {
        #expect(AsyncioText.error(error) == text)
    }

    @Test func messagesEndWhereObjectsBegin() {
        #expect(AsyncioText.message("Exception in callback f() at x.py:3") == "Exception in callback")
        #expect(AsyncioText.message("Executing <Handle 1> took 1 s") == "Executing")
        #expect(AsyncioText.message("bound to 127.0.0.1:80 now\nsecond") == "bound to ADDR now")
    }

    @Test func exceptionsTellTheirKeys() {
        let exception = LoopException(message: "m", error: Boom(), handle: Handle {})
        #expect(AsyncioText.exception(exception) == #"handler "m" Boom [exception, handle]"#)
    }

    @Test func traceJoinsDataAndDropsTheLastTurn() {
        var trace = AsyncioTrace()
        trace.append("S0", "data_received", [0x61])
        trace.append("S0", "data_received", [0x62])
        #expect(trace.occurrences(of: #"S0 data_received "ab""#) == 1)
        trace.append("S1", "data_received", [0x63])
        trace.append("|")
        #expect(trace.lines == [#"S0 data_received "ab""#, #"S1 data_received "c""#])
        #expect(trace.received == ["S0": 2, "S1": 1])
    }
}
