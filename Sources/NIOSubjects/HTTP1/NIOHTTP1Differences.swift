// swift-format-ignore-file
// Written by Tests/NIOHarnessTests/DifferenceTests.swift; see Documentation/nio-http1-differences.md.

/// What NIOHTTP1's decoders make of the fixtures that they read otherwise than the RFCs have it.
enum NIOHTTP1Differences {
    /// Of requests.
    static let server = ##"""
        http1/chunked/extension-bad-double-semicolon events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked"; body "hello"; end
        http1/chunked/extension-bad-empty-name events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked"; body "hello"; end
        http1/chunked/extension-bad-empty-value events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked"; body "hello"; end
        http1/chunked/extension-bws events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked"; error invalid character in chunk size header
        http1/chunked/extension-endless events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked"
        http1/chunked/size-overflow-63 events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked"; body "hello"
        http1/chunked/size-overflow-64 events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked"; body "hello"
        http1/connect/lower-case-method events error invalid HTTP method
        http1/connect/missing-host events head CONNECT www.example.com:443 HTTP/1.1; end
        http1/content-length/overflow-63 events head POST /form HTTP/1.1; field "Host: shop.example"; field "Content-Length: 9223372036854775808"
        http1/content-length/surrounding-whitespace events error invalid character in content-length header
        http1/headers/line-endless events nothing
        http1/headers/name-endless events head GET / HTTP/1.1; field "Host: shop.example"; field "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn… #e5730f8c94885855
        http1/headers/value-obs-text events head GET / HTTP/1.1; field "Host: shop.example"; field "X-Latin1: gr\xef\xbf\xbd\xef\xbf\xbde \xef\xbf\xbd\xef\xbf\xbd"; field "X-Utf8: \xe2\x82\xac"; end
        http1/headers/value-ows events head GET / HTTP/1.1; field "Host: shop.example"; field "X-Padded: one \t two\t "; end
        http1/host/backslash events head GET / HTTP/1.1; field "Host: shop.example\\@evil.example"; end
        http1/host/bad-percent events head GET / HTTP/1.1; field "Host: sh%zz.example"; end
        http1/host/bad-port events head GET / HTTP/1.1; field "Host: shop.example:80x"; end
        http1/host/bare-ipv6 events head GET / HTTP/1.1; field "Host: 2001:db8::7"; end
        http1/host/duplicate-apart events head GET / HTTP/1.1; field "Host: shop.example"; field "Accept: */*"; field "hOST: shop.example"; end
        http1/host/duplicate-differing events head GET / HTTP/1.1; field "Host: shop.example"; field "Host: evil.example"; end
        http1/host/duplicate-equal events head GET / HTTP/1.1; field "Host: shop.example"; field "Host: shop.example"; end
        http1/host/duplicate-http10 events head GET / HTTP/1.0; field "Host: shop.example"; field "Host: shop.example"; end
        http1/host/inner-space events head GET / HTTP/1.1; field "Host: shop.example evil.example"; end
        http1/host/missing events head GET / HTTP/1.1; field "Accept: */*"; end
        http1/host/missing-absolute-form events head GET http://shop.example/ HTTP/1.1; end
        http1/host/missing-no-fields events head GET / HTTP/1.1; end
        http1/host/negative-port events head GET / HTTP/1.1; field "Host: shop.example:-80"; end
        http1/host/non-ascii events head GET / HTTP/1.1; field "Host: caf\xc3\xa9.example"; end
        http1/host/path events head GET / HTTP/1.1; field "Host: shop.example/admin"; end
        http1/host/query events head GET / HTTP/1.1; field "Host: shop.example?x"; end
        http1/host/quoted events head GET / HTTP/1.1; field "Host: \"shop.example\""; end
        http1/host/scheme events head GET / HTTP/1.1; field "Host: http://shop.example"; end
        http1/host/surrounding-whitespace events head GET / HTTP/1.1; field "Host: shop.example \t"; end
        http1/host/text-after-bracket events head GET / HTTP/1.1; field "Host: [::1]evil"; end
        http1/host/two-ports events head GET / HTTP/1.1; field "Host: shop.example:80:80"; end
        http1/host/unclosed-bracket events head GET / HTTP/1.1; field "Host: [2001:db8::7"; end
        http1/host/userinfo events head GET / HTTP/1.1; field "Host: user@shop.example"; end
        http1/keep-alive/http10-keep-alive-and-close reply "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n/\n"
        http1/keep-alive/http10-proxy-connection reply "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n/\n"
        http1/keep-alive/http11-proxy-connection events head GET / HTTP/1.1; field "Host: shop.example"; field "Proxy-Connection: close"; end
        http1/line-endings/nel-is-no-line-end events head GET / HTTP/1.1; field "X-Note: one\xc2\x85Host: shop.example\xe2\x80\xa8Host: shop.example"; end
        http1/methods/head-lower-case events error invalid HTTP method
        http1/methods/lower-case events error invalid HTTP method
        http1/methods/odd-token events error invalid HTTP method
        http1/methods/one-letter events error invalid HTTP method
        http1/methods/prefix-of-known events error invalid HTTP method
        http1/methods/unknown events error invalid HTTP method
        http1/methods/webdav events head PROPFIND /dav/ HTTP/1.1; field "Host: shop.example"; field "Depth: 1"; end; head MKCOL /dav/new HTTP/1.1; field "Host: shop.example"; end; error invalid HTTP method
        http1/recorded/aiohttp/curl-expect-unknown events head GET /hello HTTP/1.1; field "Host: 127.0.1.1:8080"; field "User-Agent: curl/7.88.1"; field "Accept: */*"; field "Expect: a-miracle"; end
        http1/recorded/apache/curl-too-many-fields events head GET /hello.txt HTTP/1.1; field "Host: 127.0.1.1:8080"; field "User-Agent: curl/7.88.1"; field "Accept: */*"; field "X-0: 0"; field "X-1: 1"; field "X-2: 2"; field "X-3: 3"; field "X-4: 4"; field "X-5: 5"; field "X-6: 6"; field "X-7: 7"; field "X-8: 8"; field "X-9: 9"; field "X-10: 10"; field "X-11: 11"; field "X-12: 12"; field "X-13: 13"; field "X-14: 14"; field "X-15: 15"… #5624153842a06d15
        http1/recorded/apache/socket-encoding-in-http10 events head POST /hello.txt HTTP/1.0; field "Host: site.test"; field "Transfer-Encoding: chunked"; end
        http1/recorded/apache/socket-two-hosts events head GET /hello.txt HTTP/1.1; field "Host: a.test"; field "Host: b.test"; end
        http1/recorded/apache/socket-two-spaces events head GET /hello.txt HTTP/1.1; field "Host: site.test"; end
        http1/recorded/caddy/socket-no-host events head GET /hello.txt HTTP/1.1; field "User-Agent: none"; end
        http1/recorded/caddy/socket-unknown-coding events head POST /hello.txt HTTP/1.1; field "Host: site.test"; field "Transfer-Encoding: snappy, chunked"; end
        http1/recorded/h2o/curl-upgrade-h2c events head GET /hello.txt HTTP/1.1; field "Host: 127.0.1.1:8080"; field "User-Agent: curl/7.88.1"; field "Accept: */*"; field "Connection: Upgrade, HTTP2-Settings"; field "Upgrade: h2c"; field "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"; end; upgrade; surplus 73 #282f92f94aa95787; error errno-104
        http1/recorded/haproxy/curl-too-many-fields events head GET /hello.txt HTTP/1.1; field "Host: 127.0.1.1:8080"; field "User-Agent: curl/7.88.1"; field "Accept: */*"; field "X-0: 0"; field "X-1: 1"; field "X-2: 2"; field "X-3: 3"; field "X-4: 4"; field "X-5: 5"; field "X-6: 6"; field "X-7: 7"; field "X-8: 8"; field "X-9: 9"; field "X-10: 10"; field "X-11: 11"; field "X-12: 12"; field "X-13: 13"; field "X-14: 14"; field "X-15: 15"… #5624153842a06d15
        http1/recorded/haproxy/socket-encoding-in-http10 events head POST /hello.txt HTTP/1.0; field "Host: site.test"; field "Transfer-Encoding: chunked"; end
        http1/recorded/haproxy/socket-two-hosts events head GET /hello.txt HTTP/1.1; field "Host: a.test"; field "Host: b.test"; end
        http1/recorded/lighttpd/curl-target-too-long events head GET /hello.txt?qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq… #ceb2f3aa8e8ec234
        http1/recorded/lighttpd/socket-bad-host events head GET /hello.txt HTTP/1.1; field "Host: a b@c/d"; end
        http1/recorded/nginx/curl-field-too-long events head GET /hello.txt HTTP/1.1; field "Host: 127.0.1.1:8080"; field "User-Agent: curl/7.88.1"; field "Accept: */*"; field "X-Test: fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff… #403faa1eee800efc
        http1/recorded/nginx/curl-target-too-long events head GET /hello.txt?qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq… #ceb2f3aa8e8ec234
        http1/recorded/nginx/socket-bad-host events head GET /hello.txt HTTP/1.1; field "Host: a b@c/d"; end
        http1/recorded/nginx/socket-fragment events head GET /hello.txt#part HTTP/1.1; field "Host: site.test"; end
        http1/recorded/nginx/socket-no-host events head GET /hello.txt HTTP/1.1; field "User-Agent: none"; end
        http1/recorded/nginx/socket-unknown-coding events head POST /hello.txt HTTP/1.1; field "Host: site.test"; field "Transfer-Encoding: snappy, chunked"; end
        http1/recorded/node/curl-field-too-long events head GET /hello.txt HTTP/1.1; field "Host: 127.0.1.1:8080"; field "User-Agent: curl/7.88.1"; field "Accept: */*"; field "X-Test: fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff… #403faa1eee800efc
        http1/recorded/node/socket-two-spaces events head GET /hello.txt HTTP/1.1; field "Host: site.test"; end
        http1/recorded/python/curl-not-implemented events error invalid HTTP method
        http1/recorded/python/curl-upgrade-declined events head GET /hello HTTP/1.1; field "Host: 127.0.1.1:8080"; field "User-Agent: curl/7.88.1"; field "Accept: */*"; field "Connection: Upgrade"; field "Upgrade: something/1"; end
        http1/recorded/varnish/curl-field-too-long events head GET /hello.txt HTTP/1.1; field "Host: 127.0.1.1:8080"; field "User-Agent: curl/7.88.1"; field "Accept: */*"; field "X-Test: fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff… #403faa1eee800efc
        http1/recorded/varnish/socket-fragment events head GET /hello.txt#part HTTP/1.1; field "Host: site.test"; end
        http1/recorded/varnish/socket-no-host events head GET /hello.txt HTTP/1.1; field "User-Agent: none"; end
        http1/request-line/backslash-in-target events head GET "/a\\..\\b" HTTP/1.1; field "Host: shop.example"; end
        http1/request-line/bad-percent-encoding events head GET /100%zz HTTP/1.1; field "Host: shop.example"; end
        http1/request-line/endless events nothing
        http1/request-line/fragment-in-target events head GET /page#section HTTP/1.1; field "Host: shop.example"; end
        http1/request-line/method-too-long reply "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        http1/smuggling/http10-te events head POST / HTTP/1.0; field "Host: shop.example"; field "Connection: keep-alive"; field "Transfer-Encoding: chunked"; end; head GET /admin HTTP/1.1; field "Host: evil.example"; end
        http1/smuggling/te-unaccompanied events head POST / HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: xchunked"; error unknown (http_parser error)
        http1/smuggling/upgrade-h2c-not-taken events head GET / HTTP/1.1; field "Host: shop.example"; field "Connection: Upgrade, HTTP2-Settings"; field "Upgrade: h2c"; field "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"; end
        http1/target-forms/absolute-bad-port events head GET http://shop.example:8o/ HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/absolute-empty-host events head GET http:///etc/passwd HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/absolute-unclosed-ipv6 events head GET http://[2001:db8::7/ HTTP/1.1; field "Host: [2001:db8::7]"; end
        http1/target-forms/asterisk-get events head GET * HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/asterisk-with-path events head OPTIONS */index.html HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/connect-absolute-form events head CONNECT http://shop.example:80/ HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/connect-empty-port events head CONNECT shop.example: HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/connect-origin-form events head CONNECT /index.html HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/connect-port-too-large events head CONNECT shop.example:65536 HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/connect-userinfo events head CONNECT user@shop.example:443 HTTP/1.1; field "Host: shop.example"; end
        http1/target-forms/connect-without-port events head CONNECT shop.example HTTP/1.1; field "Host: shop.example"; end
        http1/transfer-encoding/chunked-parameter events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked;q=1"; error unknown (http_parser error)
        http1/transfer-encoding/empty events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: "; end; error invalid HTTP method
        http1/transfer-encoding/gzip-alone events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: gzip"; error unknown (http_parser error)
        http1/transfer-encoding/gzip-chunked-two-lines events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: gzip"; field "Transfer-Encoding: chunked"; body "a=1"; end
        http1/transfer-encoding/identity events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: identity"; error unknown (http_parser error)
        http1/transfer-encoding/identity-chunked events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: identity, chunked"; body "a=1"; end
        http1/transfer-encoding/not-a-token events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: \"chunked\""; error unknown (http_parser error)
        http1/transfer-encoding/only-commas events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: , ,"; error unknown (http_parser error)
        http1/transfer-encoding/unknown-chunked events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: br2, chunked"; body "a=1"; end
        http1/transfer-encoding/whitespace events head POST /form HTTP/1.1; field "Host: shop.example"; field "Transfer-Encoding: chunked \t"; error unknown (http_parser error)
        http1/upgrade/bad-host events head GET /chat HTTP/1.1; field "Connection: Upgrade"; field "Upgrade: websocket"; end
        http1/upgrade/declined events head GET /chat HTTP/1.1; field "Host: shop.example"; field "Connection: Upgrade"; field "Upgrade: websocket"; end
        http1/upgrade/declined-list events head GET /hello HTTP/1.1; field "Host: shop.example"; field "Connection: upgrade"; field "Upgrade: websocket, IRC/6.9, RTA/x11"; end
        http1/upgrade/declined-with-body events head POST /chat HTTP/1.1; field "Host: shop.example"; field "Connection: Upgrade"; field "Upgrade: h2c"; field "Content-Length: 3"; body "a=1"; end
        http1/version/http09 reply "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        http1/version/http12 events error invalid HTTP version
        http1/version/http19-post events error invalid HTTP version
        http1/version/http20 reply "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        http1/version/other-protocol events head GET / HTTP/1.0; field "Host: shop.example"; end
        """##

    /// Of responses.
    static let client = ##"""
        http1/recorded/apache/curl-connect-refused events head 405 HTTP/1.1; field "Date: Mon, 23 Nov 2026 03:11:50 GMT"; field "Server: Apache/2.4.71 (Debian)"; field "Allow: GET,POST,OPTIONS,HEAD,TRACE"; field "Content-Length: 264"; field "Content-Type: text/html; charset=iso-8859-1"; end; error invalid constant string
        http1/recorded/nginx/curl-connect-refused events head 400 HTTP/1.1; field "Server: nginx/1.22.1"; field "Date: Mon, 23 Nov 2026 03:11:50 GMT"; field "Content-Type: text/html"; field "Content-Length: 157"; field "Connection: close"; end
        http1/recorded/node/node-connect events,cuts head 200 HTTP/1.1; end; upgrade; error invalid constant string
        http1/recorded/python/curl-odd-fields events head 200 HTTP/1.1; field "Server: BaseHTTP/0.6 Python/3.11.7"; field "Date: Mon, 23 Nov 2026 03:13:53 GMT"; field "Content-Type: text/plain"; field "X-Empty: "; field "x-lower: a"; field "X-LOWER: b"; field "X-Latin: caf\xef\xbf\xbd"; field "X-Tab: a\tb"; field "X-Punct: !#$%&'*+-.^_`|~ \"q\", (c)"; field "Content-Length: 4"; body "odd\n"; end
        http1/recorded/squid/curl-connect events,cuts head 200 HTTP/1.1; end; upgrade; error unsolicitedResponse
        http1/recorded/squid/curl-connect-fails events head 503 HTTP/1.1; field "Server: squid/5.7"; field "Mime-Version: 1.0"; field "Date: Mon, 23 Nov 2026 03:14:38 GMT"; field "Content-Type: text/html;charset=utf-8"; field "Content-Length: 3070"; field "X-Squid-Error: ERR_CONNECT_FAIL 111"; end; error invalid constant string
        http1/recorded/squid/node-connect events,cuts head 200 HTTP/1.1; end; upgrade; error unsolicitedResponse
        http1/response-body/head-neither events head 200 HTTP/1.1; end
        http1/response-chunked/chunked-twice events head 200 HTTP/1.1; field "Transfer-Encoding: chunked, chunked"; body "hello"; end
        http1/response-head/fields events head 200 HTTP/1.1; field "server: probe"; field "Set-Cookie: a=1"; field "Set-Cookie: b=2 "; field "X-Empty: "; field "CONTENT-LENGTH: 0"; end
        http1/response-head/obs-text events head 200 HTTP/1.1; field "Content-Disposition: attachment; filename=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.txt\""; field "Content-Length: 0"; end
        http1/response-upgrade/connect-100 events,cuts head 100 HTTP/1.1; end; head 200 HTTP/1.1; end; upgrade; error invalid constant string
        http1/response-upgrade/connect-200 events,cuts head 200 HTTP/1.1; end; upgrade; error invalid constant string
        http1/response-upgrade/connect-200-chunked events,cuts head 200 HTTP/1.1; field "Transfer-Encoding: chunked"; end; upgrade; error invalid constant string
        http1/response-upgrade/connect-200-length events,cuts head 200 HTTP/1.1; field "Content-Length: 5"; end; upgrade; error invalid constant string
        http1/response-upgrade/connect-204 events,cuts head 204 HTTP/1.1; end; upgrade; error invalid constant string
        http1/response-upgrade/connect-407 events head 407 HTTP/1.1; field "Proxy-Authenticate: Basic realm=\"proxy\""; field "Content-Length: 5"; end; error invalid constant string
        http1/response-upgrade/connect-502 events head 502 HTTP/1.1; field "Transfer-Encoding: chunked"; end; error invalid constant string
        http1/response-upgrade/connect-http10 events,cuts head 200 HTTP/1.0; field "Proxy-Agent: probe"; end; upgrade; error data received after completed connection: close message
        http1/status-line/code-below-100 events head 99 HTTP/1.1; field "Content-Length: 0"; end
        http1/status-line/reason-control events head 200 HTTP/1.1; field "Content-Length: 0"; end
        http1/status-line/reason-nul events head 200 HTTP/1.1; field "Content-Length: 0"; end
        http1/status-line/version-12 events error invalid HTTP version
        """##
}
