import Testing

@testable import AnyloopHarness

struct GlobTests {
    @Test(arguments: [
        ("http1/a/b", "http1/a/b", true), ("http1/a", "http1/a/b", true), ("http1/a", "http1/ab", false),
        ("http1/*", "http1/a/b", true), ("http1/*/b", "http1/a/b", true), ("http1/*/b", "http1/a/c/b", false),
        ("**/b", "http1/a/c/b", true), ("http1/**/b", "http1/b", true), ("**", "anything/at/all", true),
        ("http1/?", "http1/ab", false), ("http1/?b", "http1/ab", true), ("http1/{a,b}/c", "http1/b/c", true),
        ("http1/{a,b}/c", "http1/d/c", false), ("", "a", false), ("*", "a/b", true), ("curl/*", "http1/a", false),
    ])
    func matches(pattern: String, name: String, expected: Bool) {
        #expect(Glob(pattern).matches(name) == expected)
    }

    @Test func alternativesAreLimited() {
        let many = String(repeating: "{a,b}", count: 20)
        #expect(Glob(many).matches(String(repeating: "a", count: 20)))
    }

    @Test func noPatternsMeanWhatTheCallerSays() {
        #expect([Glob]().match("a", empty: true))
        #expect(![Glob]().match("a", empty: false))
    }
}
