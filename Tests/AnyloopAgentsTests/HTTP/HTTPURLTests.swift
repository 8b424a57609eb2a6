import AnyloopAgents
import Testing

@Suite struct HTTPURLTests {
    @Test(arguments: [
        ("http://A.example", "http://a.example/"), ("http://a:80/b?c#d", "http://a/b?c"),
        ("http://a:8080?x", "http://a:8080/?x"), ("HTTP://[::1]:81/", "http://[::1]:81/"),
        ("http://a/ä b", "http://a/%C3%A4%20b"), ("https://a:443/", "https://a/"),
    ])
    func parses(_ text: String, _ canonical: String) {
        #expect(HTTPURL(text)?.description == canonical)
    }

    @Test(arguments: [
        "", "a", "/a", "ftp://a/", "http:/a", "http://", "http://:80/", "http://u@a/", "http://a:x/", "http://a:65536/",
        "http://a b/", "http://[::1/", "http://a\r\nX: y/",
    ])
    func refuses(_ text: String) {
        #expect(HTTPURL(text) == nil)
    }

    // RFC 3986 §5.4, as far as the references lead to http.
    @Test(arguments: [
        ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"),
        ("//g", "http://g/"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"), ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"), (";x", "http://a/b/c/;x"), ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"), ("..", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"),
        ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("/./g", "http://a/g"), ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."), ("..g", "http://a/b/c/..g"), ("./../g", "http://a/b/g"),
        ("g;x=1/../y", "http://a/b/c/y"), ("g?y/../x", "http://a/b/c/g?y/../x"), ("http://g/x", "http://g/x"),
    ])
    func resolvesReferences(_ reference: String, _ target: String) {
        #expect(HTTPURL("http://a/b/c/d;p?q")?.resolving(reference)?.description == target)
    }

    @Test(arguments: ["mailto:a@b", "g:h", "javascript:alert(1)"])
    func refusesToLeaveHTTP(_ reference: String) {
        #expect(HTTPURL("http://a/")?.resolving(reference) == nil)
    }
}
