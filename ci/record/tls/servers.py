"""Starts and ends the servers: by default each takes TLS 1.2 and 1.3 with ECDHE and AEAD, and http/1.1 by ALPN."""

import os
import socket
import subprocess
import sys
import time

NAME = "server.example"
SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
MODERN = "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+AEAD:+ECDHE-ECDSA:+ECDHE-RSA"
MODERN += ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+SIGN-ALL:+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE"
NGINX = """daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ }}
http {{ access_log off; server {{ listen {address}{ssl}; ssl_certificate {cert}; ssl_certificate_key {key};
  ssl_protocols {versions}; ssl_ciphers {suites}; {more} }} }}
"""


class Servers:
    """One server at a time, at one address, with certificates made for the purpose."""

    def __init__(self, address, folder, go_peer):
        self.address, self.folder, self.go_peer = address, folder, go_peer
        self.host, self.port = address.rsplit(":", 1)
        self.process = None
        self.make_certificates()

    def make_certificates(self):
        """A self-signed leaf for server.example, with P-256 and with RSA keys; they and their keys are not kept."""
        path = lambda file: os.path.join(self.folder, file)
        for name, key in (("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]), ("rsa", ["rsa:2048"])):
            # Good for a hundred years, so that what is refused is the root that nobody knows, and not the date.
            command = ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-keyout", path(f"{name}.key")]
            command += ["-out", path(f"{name}.pem"), "-days", "36500", "-subj", f"/CN={NAME}"]
            run(command + ["-addext", f"subjectAltName=DNS:{NAME}"])
        store = path("nss")
        os.makedirs(store)
        run(["certutil", "-N", "-d", store, "--empty-password"])
        bundle = ["-in", path("rsa.pem"), "-inkey", path("rsa.key"), "-name", "server", "-passout", "pass:"]
        run(["openssl", "pkcs12", "-export", *bundle, "-out", path("rsa.p12")])
        run(["pk12util", "-i", path("rsa.p12"), "-d", store, "-W", ""])

    def start(self, words):
        command = self.command(*words)
        log = open(os.path.join(self.folder, "server.log"), "w")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
        )
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            # Asked by connecting where that does no harm; `s_server` and the like take the next one as well.
            try:
                socket.create_connection((self.host, int(self.port)), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{words} did not start: {open(log.name).read()[-500:]}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def command(self, name, *options):
        cert, key = os.path.join(self.folder, "ec.pem"), os.path.join(self.folder, "ec.key")
        match name:
            case "openssl":
                own = [] if "-cipher" in options else ["-cipher", SUITES]
                own += [] if "-alpn" in options else ["-alpn", "http/1.1"]
                return ["openssl", "s_server", "-accept", self.address, "-cert", cert, "-key", key, "-www"] + [
                    *own,
                    *options,
                ]
            case "gnutls":
                own = [] if "--priority" in options else ["--priority", MODERN]
                own += [] if "--alpn" in options else ["--alpn=http/1.1"]
                files = ["--x509certfile", cert, "--x509keyfile", key]
                return ["gnutls-serv", "--http", "-q", "-p", self.port, *files, *own, *options]
            case "nss":
                own = [] if "-V" in options else ["-V", "tls1.2:tls1.3"]
                # C02F, C030, CCA8 and the three of TLS 1.3.
                own += [] if "-c" in options else ["-c", ":C02F:C030:CCA8:1301:1302:1303"]
                return ["selfserv", "-p", self.port, "-d", os.path.join(self.folder, "nss"), "-n", "server"] + [
                    *own,
                    *options,
                ]
            case "go":
                own = [] if "-alpn" in options else ["-alpn", "http/1.1"]
                own += [] if "-min" in options else ["-min", "1.2"]
                return [self.go_peer, "server", self.address, "-cert", cert, "-key", key, *own, *options]
            case "nginx" | "plain-nginx":
                path = os.path.join(self.folder, "nginx.conf")
                with open(path, "w") as file:
                    text = {"folder": self.folder, "address": self.address, "cert": cert, "key": key}
                    text["versions"] = "TLSv1.2" if "TLSv1.2" in options else "TLSv1.2 TLSv1.3"
                    options = [option for option in options if option != "TLSv1.2"]
                    text["ssl"] = " ssl" if name == "nginx" else ""
                    file.write(NGINX.format(**text, suites=SUITES, more=" ".join(options)))
                return ["nginx", "-c", path, "-p", self.folder, "-e", os.path.join(self.folder, "nginx.err")]
            case "http.server":
                return [sys.executable, "-m", "http.server", "--bind", self.host, self.port]
        raise KeyError(name)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
