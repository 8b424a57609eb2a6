"""Our server, asked by others: each row is a client and a version of TLS."""

import re
import select
import socket
import ssl
import tempfile
import threading
import time

from crossing import HOST, LARGE, PATIENCE, Failed, Talk, digest, expect, run

COLUMNS = [
    "handshake",
    "ALPN",
    "no ALPN",
    "none in common",
    "10 MB down",
    "10 MB both ways",
    "resumed",
    "client certificate",
    "without one",
    "close_notify",
    "key update",
    "renegotiation refused",
]
REQUEST = f"GET /%s HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"


class Servers:
    """Ours, one for each purpose; each is a port."""

    def __init__(self, files, echo, guarded):
        self.files, self.echo, self.guarded = files, echo, guarded


def request(path):
    return (REQUEST % path).encode()


def body_of(answer):
    return answer.partition(b"\r\n\r\n")[2]


class Client:
    """A client in one version of TLS. What it lacks it does not define."""

    # Columns that make sense in one version only.
    only = {"key_update": "1.3", "renegotiation": "1.2"}

    def __init__(self, version, material, servers):
        self.version, self.material, self.servers = version, material, servers

    def check_version(self, text, *names):
        expect(any(name in text for name in names), f"not {self.version}: {text[-500:]}")


class OpenSSL(Client):
    name = "OpenSSL s_client"

    def command(self, port, *more):
        flag = "-tls1_2" if self.version == "1.2" else "-tls1_3"
        trust = ["-CAfile", self.material.root, "-verify_return_error", "-verify_hostname", HOST]
        return ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", HOST, flag, *trust, *more]

    def ask(self, port, *more, path="hello"):
        output, code = run(self.command(port, "-ign_eof", *more), request(path))
        return output, code

    def handshake(self):
        output, _ = self.ask(self.servers.files)
        expect("Verification: OK" in output and "hello, world" in output, output[-600:])
        self.check_version(output, f"New, TLSv{self.version}")
        return output

    def alpn(self):
        output, _ = self.ask(self.servers.files, "-alpn", "h2,http/1.1")
        expect("ALPN protocol: http/1.1" in output, output[-600:])

    def no_alpn(self):
        expect("No ALPN negotiated" in self.handshake(), "a protocol without ALPN")

    def none_in_common(self):
        output, code = self.ask(self.servers.files, "-alpn", "imap")
        expect(code != 0 and "alert number 120" in output, output[-600:])

    def large_down(self):
        output, _ = run(self.command(self.servers.files, "-quiet", "-verify_quiet"), request("large"), text=False)
        body = output[output.find(b"\r\n\r\n") + 4 :]
        expect(digest(body) == digest(self.material.large), f"{len(body)} bytes, other ones than were sent")

    def large_both_ways(self):
        echo(Talk(self.command(self.servers.echo, "-quiet", "-verify_quiet")), self.material.large)

    def resumed(self):
        session = self.material.folder / f"session-{self.version}"
        self.ask(self.servers.files, "-sess_out", session)
        output, _ = self.ask(self.servers.files, "-sess_in", session)
        expect(f"Reused, TLSv{self.version}" in output and "hello, world" in output, output[-600:])

    def client_certificate(self):
        own = ["-cert", self.material.chain, "-cert_chain", self.material.chain, "-key", self.material.key]
        output, _ = self.ask(self.servers.guarded, *own)
        expect("200 OK" in output, output[-600:])

    def without_certificate(self):
        output, _ = self.ask(self.servers.guarded)
        # RFC 8446 section 4.4.2.4; RFC 5246 section 7.4.6 has handshake_failure.
        wanted = "alert number 116" if self.version == "1.3" else "alert number 40"
        expect(wanted in output and "200 OK" not in output, output[-600:])

    def close_notify(self):
        # s_client says "unexpected eof" where it is missing, and -msg shows it.
        output, _ = self.ask(self.servers.files, "-msg")
        expect("close_notify" in output.split("hello, world")[-1] and "unexpected eof" not in output, output[-600:])

    def key_update(self):
        with Talk(self.command(self.servers.echo, "-msg")) as talk:
            talk.say(b"one\n")
            talk.await_(rb"\none\n")
            # k: ours is new; K: and the peer is asked for a new one as well.
            for number, command in enumerate((b"k\n", b"K\n", b"K\n", b"k\n")):
                talk.say(command)
                talk.await_(rb"(?s)(KEYUPDATE.*){%d}" % (number + 1))
                talk.say(b"line %d\n" % number)
                talk.await_(rb"\nline %d\n" % number)
            talk.await_(rb"<<< TLS 1.3, Handshake \[length \w+\], KeyUpdate")

    def renegotiation(self):
        with Talk(self.command(self.servers.echo)) as talk:
            talk.say(b"one\n")
            talk.await_(rb"\none\n")
            talk.say(b"R\n")
            output, code = talk.await_end()
            expect("no renegotiation" in output or "handshake failure" in output or code != 0, output[-400:])
            expect(output.count("Verification: OK") <= 1, "it was done")


class GnuTLS(Client):
    name = "GnuTLS gnutls-cli"
    # It writes what it gets byte by byte, which takes it many seconds: the slow reader among the clients.
    only = Client.only | {"large_down": "1.3", "large_both_ways": "1.2"}

    def command(self, port, *more):
        priority = f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}"
        trust = ["--x509cafile", self.material.root, "--sni-hostname", HOST, "--verify-hostname", HOST]
        return ["gnutls-cli", *trust, "--priority", priority, "-p", port, *more, "127.0.0.1"]

    def ask(self, port, *more, path="hello"):
        with Talk(self.command(port, *more)) as talk:
            talk.say(request(path))
            return talk.await_end()

    def handshake(self):
        output, _ = self.ask(self.servers.files)
        expect("Handshake was completed" in output and "hello, world" in output, output[-600:])
        self.check_version(output, f"(TLS{self.version}")
        return output

    def alpn(self):
        output, _ = self.ask(self.servers.files, "--alpn=h2", "--alpn=http/1.1")
        expect("Application protocol: http/1.1" in output, output[-600:])

    def no_alpn(self):
        expect("Application protocol" not in self.handshake(), "a protocol without ALPN")

    def none_in_common(self):
        output, code = self.ask(self.servers.files, "--alpn=imap")
        expect(code != 0 and "[120]" in output, output[-600:])

    def large_down(self):
        log = self.material.folder / f"gnutls-{self.version}.log"
        with Talk(self.command(self.servers.files, f"--logfile={log}")) as talk:
            talk.say(request("large"))
            talk.await_end()
            body = body_of(bytes(talk.output))
        expect(digest(body) == digest(self.material.large), f"{len(body)} bytes, other ones than were sent")

    def large_both_ways(self):
        log = self.material.folder / f"gnutls-echo-{self.version}.log"
        echo(Talk(self.command(self.servers.echo, f"--logfile={log}")), self.material.large)

    def resumed(self):
        # It waits until it has a ticket, then connects again.
        with Talk(self.command(self.servers.files, "--resume", "--waitresumption")) as talk:
            talk.await_(rb"This is a resumed session")
            talk.say(request("hello"))
            output, _ = talk.await_end()
        expect("hello, world" in output, output[-600:])

    def client_certificate(self):
        own = ["--x509certfile", self.material.chain, "--x509keyfile", self.material.key]
        output, _ = self.ask(self.servers.guarded, *own)
        expect("200 OK" in output, output[-600:])

    def without_certificate(self):
        output, code = self.ask(self.servers.guarded)
        expect(code != 0 and ("[116]" if self.version == "1.3" else "[40]") in output, output[-600:])

    def close_notify(self):
        # Without it: "The TLS connection was non-properly terminated".
        output, _ = self.ask(self.servers.files)
        expect("Peer has closed the GnuTLS connection" in output and "non-properly" not in output, output[-600:])

    def key_update(self):
        with Talk(self.command(self.servers.echo, "--inline-commands")) as talk:
            talk.say(b"one\n")
            talk.await_(rb"\none\n")
            for number in range(3):
                talk.say(b"^rekey^\n")
                talk.say(b"line %d\n" % number)
                talk.await_(rb"\nline %d\n" % number)
            expect(b"Rekey was completed" in talk.output or b"ekey" in talk.output, bytes(talk.output[-400:]))

    def renegotiation(self):
        output, code = run(self.command(self.servers.echo, "--rehandshake"), b"one\n", patience=10)
        expect(code != 0 or "rehandshake was performed" not in output.lower(), output[-600:])


class NSS(Client):
    name = "NSS tstclnt"

    def command(self, port, *more, store=None):
        versions, store = f"tls{self.version}:tls{self.version}", store or self.material.nss_stranger
        return ["tstclnt", "-h", "127.0.0.1", "-p", port, "-a", HOST, "-d", store, "-V", versions, *more]

    def ask(self, port, *more, path="hello", store=None):
        # A file of its own: others ask for the same at the same time.
        with tempfile.NamedTemporaryFile(dir=self.material.folder, prefix="nss-request-") as file:
            file.write(request(path))
            file.flush()
            return run(self.command(port, "-A", file.name, *more, store=store), b"", text=False)

    def handshake(self):
        output, code = self.ask(self.servers.files, "-v")
        text = output.decode(errors="replace")
        expect("hello, world" in text, text[-600:])
        self.check_version(text, f"SSL version 3.{3 if self.version == '1.2' else 4}")

    def large_down(self):
        output, _ = self.ask(self.servers.files, "-S", path="large")
        at = output.find(self.material.large[:64])
        expect(at >= 0 and digest(output[at : at + LARGE]) == digest(self.material.large), output[-200:])

    def resumed(self):
        output, _ = self.ask(self.servers.files, "-v", "-u", "-L", "2")
        text = output.decode(errors="replace")
        expect(text.count("hello, world") == 2 and re.search(r"[1-9] (cache hits|stateless resumes)", text), text[-800:])

    def client_certificate(self):
        output, _ = self.ask(self.servers.guarded, "-n", "own", store=self.material.nss_client)
        expect(b"200 OK" in output, output[-600:])

    def without_certificate(self):
        output, _ = self.ask(self.servers.guarded)
        expect(b"200 OK" not in output and b"SSL_ERROR" in output, output[-600:])


class Curl(Client):
    name = "curl"
    # Debian's curl turns tickets off, and ours keeps no sessions of TLS 1.2 but by tickets.
    only = {"resumed": "1.3"}

    def command(self, port, path, *more):
        trust = ["--cacert", self.material.root, "--resolve", f"{HOST}:{port}:127.0.0.1"]
        return ["curl", "-sS", f"--tlsv{self.version}", "--tls-max", self.version, *trust, *more] + [
            f"https://{HOST}:{port}/{path}"
        ]

    def handshake(self):
        output, code = run(self.command(self.servers.files, "hello", "-v"))
        expect(code == 0 and "hello, world" in output, output[-600:])
        self.check_version(output, f"SSL connection using TLSv{self.version}")
        return output

    def alpn(self):
        expect("server accepted http/1.1" in self.handshake(), "no ALPN")

    def no_alpn(self):
        output, _ = run(self.command(self.servers.files, "hello", "-v", "--no-alpn"))
        expect("hello, world" in output and "server accepted" not in output, output[-600:])

    def large_down(self):
        output, _ = run(self.command(self.servers.files, "large"), text=False)
        expect(digest(output) == digest(self.material.large), f"{len(output)} bytes")

    def resumed(self):
        # Two connections of one process, the second with the first one's session.
        again = f"https://{HOST}:{self.servers.files}/hello"
        output, _ = run(self.command(self.servers.files, "hello", "-v", "-H", "Connection: close") + [again])
        expect(output.count("hello, world") == 2 and "SSL re-using session ID" in output, output[-800:])

    def client_certificate(self):
        own = ["--cert", self.material.chain, "--key", self.material.key]
        output, code = run(self.command(self.servers.guarded, "", *own))
        expect(code == 0, output)

    def without_certificate(self):
        output, code = run(self.command(self.servers.guarded, ""))
        expect(code != 0 and "alert" in output, output)


class Python(Client):
    name = "Python ssl"

    def context(self, protocols=(), certificate=False):
        context = ssl.create_default_context(cafile=self.material.root)
        exact = ssl.TLSVersion.TLSv1_2 if self.version == "1.2" else ssl.TLSVersion.TLSv1_3
        context.minimum_version = context.maximum_version = exact
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if certificate:
            context.load_cert_chain(self.material.chain, self.material.key)
        return context

    def connect(self, port, context=None, session=None):
        raw = socket.create_connection(("127.0.0.1", port), timeout=30)
        try:
            # An end without close_notify is an error.
            return (context or self.context()).wrap_socket(
                raw, server_hostname=HOST, suppress_ragged_eofs=False, session=session
            )
        except (OSError, ValueError):
            raw.close()
            raise

    def ask(self, connection, path="hello"):
        connection.sendall(request(path))
        answer = bytearray()
        while piece := connection.recv(65536):
            answer += piece
        return bytes(answer)

    def handshake(self):
        with self.connect(self.servers.files) as connection:
            self.check_version(connection.version(), f"TLSv{self.version}")
            expect(b"hello, world" in self.ask(connection), "no greeting")

    def alpn(self):
        with self.connect(self.servers.files, self.context(["h2", "http/1.1"])) as connection:
            expect(connection.selected_alpn_protocol() == "http/1.1", connection.selected_alpn_protocol())

    def no_alpn(self):
        with self.connect(self.servers.files) as connection:
            expect(connection.selected_alpn_protocol() is None, connection.selected_alpn_protocol())

    def none_in_common(self):
        try:
            self.connect(self.servers.files, self.context(["imap"])).close()
        except ssl.SSLError as error:
            expect("no application protocol" in str(error), error)
            return
        raise Failed("it was accepted")

    def large_down(self):
        with self.connect(self.servers.files) as connection:
            body = body_of(self.ask(connection, "large"))
        expect(digest(body) == digest(self.material.large), f"{len(body)} bytes")

    def large_both_ways(self):
        data, answer, sent, end = memoryview(self.material.large), bytearray(), 0, time.monotonic() + PATIENCE
        with self.connect(self.servers.echo) as connection:
            # By one thread: OpenSSL's connections bear no two. As much as goes is written before anything is read, so
            # that both directions back up.
            connection.setblocking(False)
            while len(answer) < LARGE:
                expect(time.monotonic() < end, f"{sent} bytes sent, {len(answer)} back in {PATIENCE} s")
                try:
                    if sent < LARGE:
                        sent += connection.send(data[sent : sent + 65536])
                        continue
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
                try:
                    piece = connection.recv(65536)
                    expect(piece, f"the end after {len(answer)} bytes")
                    answer += piece
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    select.select([connection], [connection] if sent < LARGE else [], [], 1)
        expect(digest(answer) == digest(self.material.large), f"{len(answer)} bytes")

    def resumed(self):
        context = self.context()
        with self.connect(self.servers.files, context) as connection:
            self.ask(connection)
            session = connection.session
        with self.connect(self.servers.files, context, session) as connection:
            expect(connection.session_reused, "a new session")
            expect(b"hello, world" in self.ask(connection), "no greeting")

    def client_certificate(self):
        with self.connect(self.servers.guarded, self.context(certificate=True)) as connection:
            expect(b"200 OK" in self.ask(connection), "no greeting")

    def without_certificate(self):
        try:
            with self.connect(self.servers.guarded) as connection:
                answer = self.ask(connection)
        except (ssl.SSLError, ConnectionError) as error:
            wanted = "CERTIFICATE_REQUIRED" if self.version == "1.3" else "HANDSHAKE_FAILURE"
            expect(wanted in str(error), error)
            return
        raise Failed(f"it was accepted: {answer[:80]}")

    def close_notify(self):
        # Ours ends the connection: recv gives nothing, and no error.
        with self.connect(self.servers.files) as connection:
            expect(b"hello, world" in self.ask(connection), "no greeting")
        # The client ends it: ours answers with close_notify, which unwrap waits for.
        with self.connect(self.servers.echo) as connection:
            connection.sendall(b"bye")
            expect(connection.recv(3), "no echo")
            raw = connection.unwrap()
            expect(raw.recv(1) == b"", "something in the clear after the end")
            raw.close()


class Go(Client):
    name = "Go crypto/tls"

    def ask(self, port, *more, path="/hello"):
        exact = ["-min", self.version, "-max", self.version, "-ca", self.material.root, "-name", HOST]
        return run([self.material.go_peer, "client", f"127.0.0.1:{port}", *exact, "-path", path, *more])

    def handshake(self):
        output, code = self.ask(self.servers.files)
        expect(code == 0 and "200" in output, output)
        self.check_version(output, "303 " if self.version == "1.2" else "304 ")

    def alpn(self):
        output, _ = self.ask(self.servers.files, "-alpn", "h2,http/1.1")
        expect('"http/1.1"' in output, output)

    def no_alpn(self):
        output, _ = self.ask(self.servers.files)
        expect('""' in output, output)

    def none_in_common(self):
        output, code = self.ask(self.servers.files, "-alpn", "imap")
        expect(code != 0 and "no application protocol" in output, output)

    def large_down(self):
        output, _ = self.ask(self.servers.files, path="/large")
        expect(digest(self.material.large) in output, output)

    def resumed(self):
        output, _ = self.ask(self.servers.files, "-times", "2")
        expect(output.count("resumed 200") == 1, output)

    def client_certificate(self):
        output, code = self.ask(self.servers.guarded, "-cert", self.material.chain, "-key", self.material.key, path="/")
        expect(code == 0, output)

    def without_certificate(self):
        output, code = self.ask(self.servers.guarded, path="/")
        expect(code != 0 and ("certificate required" in output or "handshake failure" in output), output)


CLIENTS = {"openssl": OpenSSL, "gnutls": GnuTLS, "nss": NSS, "curl": Curl, "python": Python, "go": Go}
METHODS = [
    "handshake",
    "alpn",
    "no_alpn",
    "none_in_common",
    "large_down",
    "large_both_ways",
    "resumed",
    "client_certificate",
    "without_certificate",
    "close_notify",
    "key_update",
    "renegotiation",
]


def echo(talk, data):
    """Sends all of it through a process while reading what comes back."""
    with talk:
        sender = threading.Thread(target=talk.say, args=[data], daemon=True)
        sender.start()
        talk.await_(len(data))
        answer = bytes(talk.output[: len(data)])
        talk.hang_up()
        sender.join(5)
    expect(digest(answer) == digest(data), f"{len(answer)} bytes, other ones than were sent: {answer[:80]!r}")


def crossings(names, material, servers):
    """(row, column, what to call) for every client and version."""
    for name in names:
        for version in ("1.2", "1.3"):
            client = CLIENTS[name](version, material, servers)
            for column, method in zip(COLUMNS, METHODS):
                if hasattr(client, method) and client.only.get(method, version) == version:
                    yield f"{client.name} {material.versions[name]}, TLS {version}", column, getattr(client, method)
