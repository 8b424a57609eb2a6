"""Python's http.server with a handler that writes down what it saw (VIEW_LOG, one JSON object a line).

Its answers are written by hand, so it can send what other servers cannot: trailers, bodies until close,
interim responses, chunk extensions."""

import gzip
import hashlib
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LINE = b"0123456789abcde\n"
VIEW_LOG = os.environ["VIEW_LOG"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 1.5

    def log_message(self, *arguments):
        pass

    def read_body(self):
        trailers = []
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                if size == 0:
                    break
                body += self.rfile.read(size)
                self.rfile.readline()
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                trailers.append([name, value.strip()])
            return body, trailers, True
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        return body, trailers, len(body) == length

    def serve(self):
        try:
            body, trailers, complete = self.read_body()
        except (OSError, ValueError):
            body, trailers, complete = b"", [], False
        view = {
            "method": self.command,
            "target": self.path,
            "version": self.request_version.removeprefix("HTTP/"),
            "headers": list(self.headers.items()),
            "body_length": len(body),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "trailers": trailers,
            "complete": complete,
        }
        with open(VIEW_LOG, "a") as log:
            log.write(json.dumps(view) + "\n")
        if not complete:
            self.close_connection = True
            return
        name = self.path.split("?")[0].strip("/").replace("-", "_") or "hello"
        getattr(self, "answer_" + name, self.not_found)(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = serve

    def full(self, body, status=200, fields=()):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def head_only(self, *fields, status=200):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()

    def not_found(self, body):
        self.send_error(404)

    def answer_hello(self, body):
        self.full(b"hello, world\n")

    def answer_echo(self, body):
        self.full(body)

    def answer_large(self, body):
        self.full(LINE * 6000)

    def answer_chunked(self, body):
        self.head_only(("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked"))
        for part in (b"alpha\n", b"beta\n", b"gamma\n"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
            time.sleep(0.02)
        self.wfile.write(b"0\r\n\r\n")

    def answer_trailers(self, body):
        self.head_only(("Trailer", "X-Checksum, X-Lines"), ("Transfer-Encoding", "chunked"))
        digest = hashlib.sha256(b"first\nsecond\n").hexdigest()[:16].encode()
        self.wfile.write(b"6\r\nfirst\n\r\n7\r\nsecond\n\r\n0\r\nX-Checksum: " + digest + b"\r\nX-Lines: 2\r\n\r\n")

    def answer_extensions(self, body):
        self.head_only(("Transfer-Encoding", "chunked"))
        self.wfile.write(b'5;part=1\r\nhello\r\n6;part=2;note="a \\"b\\""\r\n world\r\n0;last\r\n\r\n')

    def answer_upper_hex(self, body):
        self.head_only(("Transfer-Encoding", "chunked"))
        self.wfile.write(b"000A\r\n0123456789\r\n0F\r\nabcdefghijklmno\r\n000\r\n\r\n")

    def answer_until_close(self, body):
        self.head_only(("Content-Type", "text/plain"), ("Connection", "close"))
        self.wfile.write(LINE * 4)
        self.close_connection = True

    def answer_early_hints(self, body):
        self.head_only(("Link", "</style.css>; rel=preload; as=style"), status=103)
        time.sleep(0.02)
        self.full(b"after the hints\n")

    def answer_processing(self, body):
        self.head_only(status=102)
        time.sleep(0.02)
        self.head_only(status=102)
        self.full(b"done\n")

    def answer_no_content(self, body):
        self.head_only(status=204)

    def answer_reset_content(self, body):
        self.head_only(("Content-Length", "0"), status=205)

    def answer_not_modified(self, body):
        self.head_only(("ETag", '"v1"'), ("Content-Length", "13"), status=304)

    def answer_gzip(self, body):
        packed = gzip.compress(LINE * 30, mtime=0)
        self.full(packed, fields=[("Content-Encoding", "gzip")])

    def answer_empty_reason(self, body):
        self.wfile.write(b"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nok\n")

    def answer_odd_fields(self, body):
        self.full(
            b"odd\n",
            fields=[
                ("X-Empty", ""),
                ("x-lower", "a"),
                ("X-LOWER", "b"),
                ("X-Latin", "caf\xe9"),
                ("X-Tab", "a\tb"),
                ("X-Punct", '!#$%&\'*+-.^_`|~ "q", (c)'),
            ],
        )

    def answer_short(self, body):
        """Promises more than it sends, then FIN."""
        self.head_only(("Content-Length", "100"))
        self.wfile.write(LINE * 2)
        self.close_connection = True

    def answer_short_chunk(self, body):
        """Ends inside a chunk."""
        self.head_only(("Transfer-Encoding", "chunked"))
        self.wfile.write(b"10\r\n" + LINE + b"\r\n10\r\n0123")
        self.close_connection = True

    def answer_no_last_chunk(self, body):
        """Ends between chunks, without the last one."""
        self.head_only(("Transfer-Encoding", "chunked"))
        self.wfile.write(b"10\r\n" + LINE + b"\r\n")
        self.close_connection = True

    def answer_short_head(self, body):
        """Ends inside the response's head."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        self.close_connection = True

    def answer_bad_chunk_size(self, body):
        self.head_only(("Transfer-Encoding", "chunked"))
        self.wfile.write(b"5\r\nhello\r\nzz\r\nworld\r\n0\r\n\r\n")
        self.close_connection = True

    def answer_bad_status_line(self, body):
        self.wfile.write(b"HTTP/1.1 abc OK\r\nContent-Length: 3\r\n\r\nok\n")
        self.close_connection = True

    def answer_header_without_colon(self, body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nno colon here\r\n\r\nok\n")
        self.close_connection = True

    def answer_two_lengths(self, body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nok\n")
        self.close_connection = True

    def answer_signed_length(self, body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nok\n")
        self.close_connection = True

    def answer_close_at_once(self, body):
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True


host, port = sys.argv[1].rsplit(":", 1)
Server((host, int(port)), Handler).serve_forever()
