"""Our client, answered by others: each row is a server and a version of TLS."""

import re
import socket
import ssl
import threading

from crossing import LARGE, digest, expect, run, start

COLUMNS = [
    "handshake",
    "ALPN",
    "no ALPN",
    "none in common",
    "10 MB down",
    "10 MB up",
    "resumed",
    "client certificate",
    "without one",
    "truncated",
    "key update",
    "renegotiation refused",
]
METHODS = [
    "handshake",
    "alpn",
    "no_alpn",
    "none_in_common",
    "large_down",
    "large_up",
    "resumed",
    "client_certificate",
    "without_certificate",
    "truncated",
    "key_update",
    "renegotiation",
]


class Server:
    """A server in one version of TLS. What it lacks it does not define."""

    # Columns that make sense in one version only.
    only = {"key_update": "1.3", "renegotiation": "1.2"}

    def __init__(self, version, material):
        self.version, self.material = version, material

    def get(self, port, path="/hello", *more, text=True):
        """Our client; TLS 1.2 is the server's choice, 1.3 ours as well."""
        least = ["--tls-minimum", self.version]
        url = f"https://127.0.0.1:{port}{path}"
        # What it says of TLS goes to the error stream, which is read along.
        info = ["--tls-info"] if text else []
        return run([self.material.anyloop, "get", "-i", "--ca", self.material.root, *info, *least, *more, url], text=text)

    def own(self):
        return ["--cert", self.material.chain, "--key", self.material.key]

    def fetch(self, port, path="/hello", *more):
        output, code = self.get(port, path, *more)
        expect(code == 0 and re.search(r"^HTTP/1\.[01] 200", output, re.M), output[-600:])
        expect(f"TLSv{self.version}, " in output, f"not {self.version}: {output[-600:]}")
        return output

    def refused_without_certificate(self, port, pattern="certificate_required"):
        # In TLS 1.3 the client is done before the server has seen that it has no certificate: the request may meet a
        # closed connection before the alert is read.
        later = pattern + "|connection was lost"
        # gnutls-serv has decode_error for an empty list of certificates.
        self.refused(port, later if self.version == "1.3" else "handshake_failure|bad_certificate|decode_error")

    def refused(self, port, pattern, *more):
        output, code = self.get(port, "/hello", *more)
        expect(code == 1 and re.search(pattern, output), output[-600:])

    def download(self, port, path, wanted):
        output, code = self.get(port, path, text=False)
        body = output.partition(b"\r\n\r\n")[2]
        expect(code == 0 and digest(body) == digest(wanted), f"{len(body)} bytes of {len(wanted)}: {output[-200:]}")


class OpenSSL(Server):
    name = "OpenSSL s_server"

    def start(self, *more, folder=None):
        flag = "-tls1_2" if self.version == "1.2" else "-tls1_3"
        own = ["-cert", self.material.address_chain, "-cert_chain", self.material.address_chain]
        command = lambda port: ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *own, "-key", self.material.key] + [
            flag,
            *more,
        ]
        return start(command, folder=folder)

    def handshake(self):
        with self.start("-www") as server:
            expect(f"TLSv{self.version}" in self.fetch(server.port, "/"), "another version")

    def alpn(self):
        with self.start("-www", "-alpn", "h2,http/1.1") as server:
            expect(", http/1.1, " in self.fetch(server.port, "/"), "no protocol")

    def no_alpn(self):
        with self.start("-www") as server:
            expect(", http/1.1, " not in self.fetch(server.port, "/"), "a protocol")

    def none_in_common(self):
        with self.start("-www", "-alpn", "imap") as server:
            self.refused(server.port, "no_application_protocol")

    def large_down(self):
        # -HTTP: the file is the whole response.
        path = self.material.folder / f"response-{self.version}"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\nConnection: close\r\n\r\n".encode()
        path.write_bytes(head + self.material.large)
        with self.start("-HTTP", folder=self.material.folder) as server:
            self.download(server.port, "/" + path.name, self.material.large)

    def client_certificate(self):
        with self.start("-www", "-Verify", "3", "-verify_return_error", "-CAfile", self.material.root) as server:
            self.fetch(server.port, "/", *self.own())

    def without_certificate(self):
        with self.start("-www", "-Verify", "3", "-verify_return_error", "-CAfile", self.material.root) as server:
            self.refused_without_certificate(server.port)

    def key_update(self):
        record = rb">>> TLS 1\.\d, InnerContent"

        def answer(server):
            server.await_(rb"GET /hello")
            # Commands are lines of one letter; what else is typed is sent.
            for line in (b"k\n", b"HTTP/1.1 200 OK\r\n", b"K\n", b"Content-Length: 6\r\n\r\n", b"K\n", b"hello\n"):
                sent = len(re.findall(record, server.output))
                server.say(line)
                # Two lines that it reads at once would be one, of data: each line is one record that -msg tells of.
                server.await_(rb"(?s)(?:%s.*?){%d}" % (record, sent + 1))

        with self.start("-msg") as server:
            threading.Thread(target=answer, args=[server], daemon=True).start()
            expect(self.fetch(server.port).endswith("hello\n"), "another body")

    def renegotiation(self):
        def answer(server):
            server.await_(rb"GET /hello")
            server.say(b"R\n")

        with self.start() as server:
            threading.Thread(target=answer, args=[server], daemon=True).start()
            output, code = self.get(server.port, "/hello", "--timeout", "10s")
            expect(code == 1, output[-600:])
            expect(b"DONE" in server.output or b"ERROR" in server.output or b"no renegotiation" in server.output,
                bytes(server.output[-600:]))


class GnuTLS(Server):
    name = "GnuTLS gnutls-serv"

    def start(self, *more, clients="--disable-client-cert"):
        own = ["--x509certfile", self.material.address_chain, "--x509keyfile", self.material.key]
        priority = ["--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}"]
        return start(lambda port: ["gnutls-serv", "--http", "-p", port, *own, *priority, clients, *more])

    def handshake(self):
        with self.start() as server:
            expect(f"TLS{self.version}" in self.fetch(server.port, "/"), "another version")

    def alpn(self):
        with self.start("--alpn=http/1.1", "--alpn=h2") as server:
            self.fetch(server.port, "/")
            server.await_(rb"Application protocol: http/1.1")

    def no_alpn(self):
        with self.start() as server:
            self.fetch(server.port, "/")
            expect(b"Application protocol" not in server.output, "a protocol")

    def none_in_common(self):
        with self.start("--alpn=imap", "--alpn-fatal") as server:
            self.refused(server.port, "no_application_protocol")

    def client_certificate(self):
        trust = ["--x509cafile", self.material.root, "--verify-client-cert"]
        with self.start(*trust, clients="--require-client-cert") as server:
            self.fetch(server.port, "/", *self.own())

    def without_certificate(self):
        trust = ["--x509cafile", self.material.root, "--verify-client-cert"]
        with self.start(*trust, clients="--require-client-cert") as server:
            self.refused_without_certificate(server.port, "alert")


class NSS(Server):
    name = "NSS selfserv"

    def start(self, *more):
        versions = f"tls{self.version}:tls{self.version}"
        store = self.material.nss_server
        return start(lambda port: ["selfserv", "-p", port, "-d", store, "-n", "own", "-V", versions, *more])

    def handshake(self):
        with self.start() as server:
            self.fetch(server.port, "/")

    def client_certificate(self):
        with self.start("-r", "-r") as server:
            self.fetch(server.port, "/", *self.own())

    def without_certificate(self):
        with self.start("-r", "-r") as server:
            self.refused_without_certificate(server.port)


class Nginx(Server):
    name = "nginx"
    CONFIGURATION = """daemon off; pid {folder}/pid; error_log stderr notice; worker_processes 1; master_process off;
    events {{ }}
    http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
      uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; client_max_body_size 20m;
      server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key};
        ssl_protocols TLSv{version}; ssl_session_cache shared:peers:1m; root {root}; {more}
        location = /again {{ keepalive_timeout 0; return 302 https://127.0.0.1:{port}/resumed; }}
        location = /resumed {{ return 200 "resumed $ssl_session_reused"; }}
        location = /which {{ return 200 "$ssl_protocol $ssl_client_verify"; }} }} }}
    """

    def start(self, more=""):
        def command(port):
            folder = self.material.folder / f"nginx-{port}"
            folder.mkdir()
            (folder / "conf").write_text(
                self.CONFIGURATION.format(
                    folder=folder, port=port, chain=self.material.address_chain, key=self.material.key,
                    version=self.version, root=self.material.files, more=more,
                )
            )
            return ["nginx", "-e", "stderr", "-p", folder, "-c", folder / "conf"]

        return start(command)

    def handshake(self):
        with self.start() as server:
            expect(f"TLSv{self.version} NONE" in self.fetch(server.port, "/which"), "another version")

    def large_down(self):
        with self.start() as server:
            self.download(server.port, "/large", self.material.large)

    def resumed(self):
        with self.start() as server:
            expect("resumed r" in self.fetch_redirected(server.port), "a new session")

    def fetch_redirected(self, port):
        output, code = self.get(port, "/again", "-L")
        expect(code == 0, output[-600:])
        return output

    def client_certificate(self):
        trust = f"ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate {self.material.root};"
        with self.start(trust) as server:
            expect("SUCCESS" in self.fetch(server.port, "/which", *self.own()), "not verified")


class Python(Server):
    """A server of its own in a thread, which answers one request a connection."""

    name = "Python ssl"

    class Running:
        def __init__(self, context, answer):
            self.context, self.answer, self.listener = context, answer, socket.create_server(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
            self.seen = []
            threading.Thread(target=self.run, daemon=True).start()

        def run(self):
            while True:
                try:
                    raw, _ = self.listener.accept()
                except OSError:
                    return
                threading.Thread(target=self.serve, args=[raw], daemon=True).start()

        def serve(self, raw):
            raw.settimeout(20)
            try:
                with self.context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False) as connection:
                    self.answer(connection, self)
            except (OSError, ValueError):
                raw.close()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.listener.close()

    def start(self, answer, protocols=(), clients=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        exact = ssl.TLSVersion.TLSv1_2 if self.version == "1.2" else ssl.TLSVersion.TLSv1_3
        context.minimum_version = context.maximum_version = exact
        context.load_cert_chain(self.material.address_chain, self.material.key)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if clients:
            context.load_verify_locations(self.material.root)
            context.verify_mode = ssl.CERT_REQUIRED
        return self.Running(context, answer)

    @staticmethod
    def request(connection):
        """The request's head and content."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                raise OSError("no request")
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = bytearray(body)
        while length and len(body) < int(length[1]):
            body += connection.recv(65536)
        return head, bytes(body)

    @staticmethod
    def respond(connection, body, status="200 OK", fields=""):
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{fields}\r\n"
        connection.sendall(head.encode() + body)

    def greet(self, connection, running):
        self.request(connection)
        text = f"{connection.version()} {connection.selected_alpn_protocol()} {connection.session_reused}"
        self.respond(connection, text.encode())
        connection.unwrap()

    def handshake(self):
        with self.start(self.greet) as server:
            expect(f"TLSv{self.version}" in self.fetch(server.port), "another version")

    def alpn(self):
        with self.start(self.greet, ["http/1.1", "h2"]) as server:
            expect(" http/1.1 " in self.fetch(server.port), "no protocol")

    def no_alpn(self):
        with self.start(self.greet) as server:
            expect(" None " in self.fetch(server.port), "a protocol")

    def large_down(self):
        def answer(connection, running):
            self.request(connection)
            self.respond(connection, self.material.large)
            connection.unwrap()

        with self.start(answer) as server:
            self.download(server.port, "/large", self.material.large)

    def large_up(self):
        def answer(connection, running):
            _, body = self.request(connection)
            self.respond(connection, digest(body).encode())
            connection.unwrap()

        with self.start(answer) as server:
            output = self.fetch(server.port, "/hash", "--data", f"@{self.material.files / 'large'}")
            expect(digest(self.material.large) in output, output[-200:])

    def resumed(self):
        def answer(connection, running):
            head, _ = self.request(connection)
            if head.startswith(b"GET /again"):
                self.respond(connection, b"", "302 Found", f"Location: https://127.0.0.1:{running.port}/resumed\r\n")
            else:
                self.respond(connection, f"reused {connection.session_reused}".encode())
            connection.unwrap()

        with self.start(answer) as server:
            output, code = self.get(server.port, "/again", "-L")
            expect(code == 0 and "reused True" in output, output[-600:])

    def client_certificate(self):
        with self.start(self.greet, clients=True) as server:
            self.fetch(server.port, "/hello", *self.own())

    def without_certificate(self):
        with self.start(self.greet, clients=True) as server:
            self.refused_without_certificate(server.port)

    def truncated(self):
        # A body up to the close, which is not there: it may have been cut short by anyone.
        def cut(connection, running):
            self.request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of it")
            socket.socket(fileno=connection.detach()).close()

        def whole(connection, running):
            self.request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it")
            connection.unwrap()

        with self.start(cut) as server:
            self.refused(server.port, "close_notify")
        with self.start(whole) as server:
            expect("all of it" in self.fetch(server.port), "not all of it")


class Go(Server):
    name = "Go crypto/tls"

    def start(self, *more):
        own = ["-cert", self.material.address_chain, "-key", self.material.key]
        exact = ["-min", self.version, "-max", self.version]
        return start(lambda port: [self.material.go_peer, "server", f"127.0.0.1:{port}", *own, *exact, *more])

    def handshake(self):
        with self.start() as server:
            expect("hello, world" in self.fetch(server.port), "no greeting")

    def alpn(self):
        with self.start("-alpn", "http/1.1") as server:
            self.fetch(server.port)

    def none_in_common(self):
        with self.start("-alpn", "imap") as server:
            self.refused(server.port, "no_application_protocol")

    def large_down(self):
        with self.start() as server:
            self.download(server.port, f"/blob/{LARGE}", bytes(LARGE))

    def large_up(self):
        with self.start() as server:
            output = self.fetch(server.port, "/hash", "--data", f"@{self.material.files / 'large'}")
            expect(digest(self.material.large) in output, output[-200:])

    def resumed(self):
        with self.start() as server:
            output, code = self.get(server.port, "/again", "-L")
            expect(code == 0 and "resumed true" in output, output[-600:])

    def client_certificate(self):
        with self.start("-client-ca", self.material.root) as server:
            self.fetch(server.port, "/hello", *self.own())

    def without_certificate(self):
        with self.start("-client-ca", self.material.root) as server:
            # Go 1.19 says bad_certificate in both versions.
            self.refused_without_certificate(server.port, "certificate_required|bad_certificate")


SERVERS = {"openssl": OpenSSL, "gnutls": GnuTLS, "nss": NSS, "nginx": Nginx, "python": Python, "go": Go}


def crossings(names, material):
    """(row, column, what to call) for every server and version."""
    for name in names:
        for version in ("1.2", "1.3"):
            server = SERVERS[name](version, material)
            for column, method in zip(COLUMNS, METHODS):
                if hasattr(server, method) and server.only.get(method, version) == version:
                    yield f"{server.name} {material.versions[name]}, TLS {version}", column, getattr(server, method)
