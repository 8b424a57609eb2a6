import AnyloopWire
import Testing

@Suite("HTTP/1 dates, ranges, lists and paths")
struct HelperTests {
    /// 2026-11-23 00:00 UTC.
    static let now = 1_795_392_000

    @Test(
        "dates both ways (RFC 9110 §5.6.7)",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ])
    func dates(_ seconds: Int, _ text: String) {
        #expect(HTTP1Date.string(seconds) == text)
        #expect(HTTP1Date.parse(text, now: Self.now) == seconds)
    }

    @Test("moments past what the form can say")
    func clampedDates() {
        #expect(HTTP1Date.string(.max) == "Fri, 31 Dec 9999 23:59:59 GMT")
        let distant = HTTP1Date.parse("Sun, 06 Nov 9994 08:49:37 GMT", now: 0)
        #expect(HTTP1Date.parse("Sunday, 06-Nov-94 08:49:37 GMT", now: .max) == distant)
        #expect(HTTP1Date.string(.min) == "Sat, 01 Jan 0000 00:00:00 GMT")
    }

    @Test(
        "obsolete forms",
        arguments: [
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777), ("Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Sun Nov 16 08:49:37 1997", 879_670_177), ("Saturday, 01-Jan-00 00:00:00 GMT", 946_684_800),
        ])
    func obsoleteDates(_ text: String, _ seconds: Int) {
        #expect(HTTP1Date.parse(text, now: Self.now) == seconds)
    }

    @Test("two-digit years more than 50 years ahead are past ones")
    func centuries() {
        #expect(HTTP1Date.parse("Friday, 01-Jan-77 00:00:00 GMT", now: Self.now) == nil, "2077 begins on a Friday")
        #expect(HTTP1Date.parse("Saturday, 01-Jan-77 00:00:00 GMT", now: Self.now) == 220_924_800)
        #expect(HTTP1Date.parse("Wednesday, 01-Jan-76 00:00:00 GMT", now: Self.now) == 3_345_062_400)
    }

    @Test(
        "what is no date",
        arguments: [
            "", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ", "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Thu, 30 Feb 1995 00:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:37 PST", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
            "784111777", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT",
        ])
    func badDates(_ text: String) {
        #expect(HTTP1Date.parse(text, now: Self.now) == nil)
    }

    @Test(
        "ranges (RFC 9110 §14.1.2)",
        arguments: [
            ("bytes=0-499", [HTTP1ByteRange.closed(0, 499)]), ("bytes=9500-", [.from(9500)]),
            ("bytes=-500", [.suffix(500)]),
            ("BYTES=0-0, ,-1", [.closed(0, 0), .suffix(1)]),
            ("bytes=0-99999999999999999999", [.closed(0, .max)]),
        ])
    func ranges(_ value: String, _ parts: [HTTP1ByteRange]) {
        #expect(HTTP1Range.parse(value) == parts)
    }

    @Test(
        "what is no range",
        arguments: [
            "", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "lines=0-1", "bytes=1-2-3", "bytes=+1-2",
        ])
    func badRanges(_ value: String) {
        #expect(HTTP1Range.parse(value) == nil)
    }

    @Test("ranges up to the limit and one past")
    func rangeLimit() {
        let part = "0-0,"
        #expect(HTTP1Range.parse("bytes=" + String(repeating: part, count: 16))?.count == HTTP1Range.partLimit)
        #expect(HTTP1Range.parse("bytes=" + String(repeating: part, count: 17)) == nil)
    }

    @Test(
        "ranges of ten bytes",
        arguments: [
            (HTTP1ByteRange.closed(0, 4), 0..<5), (.closed(8, .max), 8..<10), (.from(9), 9..<10), (.from(10), nil),
            (.closed(10, 11), nil), (.suffix(3), 7..<10), (.suffix(30), 0..<10), (.suffix(0), nil),
        ] as [(HTTP1ByteRange, Range<Int>?)])
    func resolved(_ range: HTTP1ByteRange, _ bytes: Range<Int>?) {
        #expect(range.resolved(length: 10) == bytes)
        #expect(range.resolved(length: 0) == nil)
    }

    @Test("Content-Range (RFC 9110 §14.4)")
    func contentRange() {
        #expect(HTTP1Range.contentRange(42..<1234, length: 1234) == "bytes 42-1233/1234")
        #expect(HTTP1Range.unsatisfied(length: 1234) == "bytes */1234")
    }

    @Test("lists (RFC 9110 §5.6.1)")
    func lists() {
        #expect(HTTP1List.elements(of: " foo ,bar,, \"a,\\\"b\" ,") == ["foo", "bar", "\"a,\\\"b\""])
        #expect(HTTP1List.elements(of: " , ") == [])
        #expect(HTTP1List.contains("CLOSE", in: "keep-alive, close"))
        #expect(!HTTP1List.contains("close", in: "closed, \"close\""))
    }

    @Test("quoted strings (RFC 9110 §5.6.4)")
    func quoted() {
        #expect(HTTP1List.quoted("a\"b\\c") == "\"a\\\"b\\\\c\"")
        #expect(HTTP1List.quoted("a\r") == nil)
        #expect(HTTP1List.unquoted("\"a\\\"b\\\\c\"") == "a\"b\\c")
        #expect(HTTP1List.unquoted("token") == "token")
        for bad in ["", "\"", "\"a", "\"a\"b", "a b", "\"a\\"] { #expect(HTTP1List.unquoted(bad) == nil) }
        #expect(HTTP1List.isToken("a-b") && !HTTP1List.isToken("") && !HTTP1List.isToken("a b"))
    }

    @Test(
        "dot segments (RFC 3986 §5.2.4, §5.4)",
        arguments: [
            ("/a/b/c/./../../g", "/a/g"), ("mid/content=5/../6", "mid/6"), ("/b/c/../../../g", "/g"),
            ("/b/c/..g", "/b/c/..g"), ("/b/c/g..", "/b/c/g.."), ("/b/c/.", "/b/c/"), ("/b/c/..", "/b/"), ("/..", "/"),
            ("/.", "/"), ("/", "/"), ("", ""), ("/a//b/..", "/a//"),
        ])
    func dotSegments(_ path: String, _ plain: String) {
        #expect(HTTP1Path.removingDotSegments(path) == plain)
    }

    @Test(
        "normal forms (RFC 3986 §6.2.2)",
        arguments: [
            ("/%7euser/%2f%3A", "/~user/%2F%3A"), ("/a/%2e%2E/b", "/b"), ("/%zz", nil), ("/%4", nil), ("/é", "/é"),
        ] as [(String, String?)])
    func normalForms(_ path: String, _ normal: String?) {
        #expect(HTTP1Path.normalized(path) == normal)
    }

    @Test(
        "paths stay inside their root",
        arguments: [
            ("/", [""]), ("/a//./b", ["a", "b"]), ("/a/", ["a", ""]), ("/a%20b", ["a b"]), ("/..", nil),
            ("/a/../b", nil),
            ("/%2e%2e/etc", nil), ("/a%2fb", nil), ("/a%5Cb", nil), ("/a%00", nil), ("/%ff", nil), ("/%", nil),
            ("a", nil),
            ("", nil), ("/...", ["..."]),
        ] as [(String, [String]?)])
    func segments(_ path: String, _ segments: [String]?) {
        #expect(HTTP1Path.segments(of: path) == segments)
    }

    @Test("percent-encoding there and back (RFC 3986 §2.1)")
    func encoding() {
        #expect(HTTP1Path.encoded("/a b/é%?#") == "/a%20b/%C3%A9%25%3F%23")
        #expect(HTTP1Path.decoded("/a%20b/%c3%A9")?.elementsEqual("/a b/é".utf8) == true)
        #expect(HTTP1Path.decoded("%G0") == nil)
    }
}
