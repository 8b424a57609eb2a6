"""How each client is told to connect to an address, and what it calls itself."""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "server.example"
# Debian's OpenSSL signs and offers nothing below TLS 1.2 unless it is told to.
OLD = "ALL:@SECLEVEL=0"


class Clients:
    """Commands, with the address and what was built for the purpose filled in."""

    def __init__(self, address, nassl_python, go_peer, ca):
        self.address, self.nassl_python, self.go_peer, self.ca = address, nassl_python, go_peer, ca
        self.host, self.port = address.rsplit(":", 1)

    def command(self, words):
        """The command for such as `openssl -tls1_1` or `gnutls NORMAL:…`; @CA@ is the file of a root."""
        name, *options = [word.replace("@CA@", self.ca) for word in words]
        peer = lambda file: os.path.join(HERE, "peers", file)
        match name:
            case "openssl":
                return ["openssl", "s_client", "-connect", self.address, "-servername", NAME, *options]
            case "gnutls":
                trust = [] if "--x509cafile" in options else ["--insecure"]
                return ["gnutls-cli", *trust, "--sni-hostname", NAME, "--verify-hostname", NAME, "-p", self.port] + [
                    *options,
                    self.host,
                ]
            case "nss":
                return ["tstclnt", "-h", self.host, "-p", self.port, "-a", NAME, "-D", "-Q", *options]
            case "curl":
                resolve = f"{NAME}:{self.port}:{self.host}"
                return ["curl", "-s", "-S", "--resolve", resolve, *options, f"https://{NAME}:{self.port}/"]
            case "plain-curl":
                return ["curl", "-s", "-S", "-m", "2", *options, f"http://{self.address}/"]
            case "proxy-curl":
                return ["curl", "-s", "-S", "-m", "2", "-p", "-x", f"http://{self.address}", f"http://{NAME}/"]
            case "python":
                return [sys.executable, peer("ssl_client.py"), self.address, *options]
            case "go":
                return [self.go_peer, "client", self.address, *options]
            case "java":
                return ["java", peer("TLSClient.java"), self.address, *options]
            case "node":
                return ["node", peer("node_client.js"), self.address, *options]
            case "nassl":
                return [self.nassl_python, peer("nassl_client.py"), self.address, *options]
            case "wget":
                return ["wget", "-q", "-t1", "-T3", "-O-", "--no-check-certificate", f"https://{self.address}/"]
            case "chromium":
                rules = f"MAP {NAME} {self.address}"
                return ["chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors"] + [
                    f"--host-resolver-rules={rules}",
                    "--dump-dom",
                    *options,
                    f"https://{NAME}:{self.port}/",
                ]
            case "ssh":
                return ["ssh", "-o", "ConnectTimeout=2", "-o", "BatchMode=yes", "-p", self.port, self.host, "true"]
        raise KeyError(name)


OPENSSL = (["openssl", "version"], r"OpenSSL (\S+)", "OpenSSL")
GNUTLS = (["gnutls-cli", "--version"], r"gnutls-cli (\S+)", "GnuTLS")
GO = (["go", "version"], r"go(\d\S+)", "Go")
NSS = (["dpkg-query", "-W", "-f", "${Version}", "libnss3-tools"], r"2:([\d.]+)", "NSS")
CURL = (["curl", "--version"], r"curl (\S+)", "curl")
VERSIONS = {
    "openssl": OPENSSL,
    "gnutls": GNUTLS,
    "nss": NSS,
    "go": GO,
    "curl": CURL,
    "plain-curl": CURL,
    "proxy-curl": CURL,
    "python": ([sys.executable, "--version"], r"Python (\S+)", "Python-ssl"),
    "java": (["java", "--version"], r"openjdk (\S+)", "OpenJDK"),
    "node": (["node", "--version"], r"v(\S+)", "Node.js"),
    "wget": (["wget", "--version"], r"Wget (\S+)", "wget"),
    "chromium": (["chromium-headless-shell", "--version"], r"(\d+\.\d+\.\d+\.\d+)", "Chromium"),
    "ssh": (["ssh", "-V"], r"OpenSSH_(\S+?),?\s", "OpenSSH"),
    "nginx": (["nginx", "-v"], r"nginx/(\S+)", "nginx"),
    "plain-nginx": (["nginx", "-v"], r"nginx/(\S+)", "nginx"),
    "http.server": ([sys.executable, "--version"], r"Python (\S+)", "Python-http.server"),
}


def version_of(name):
    """Such as `OpenSSL/3.0.19`, as the program itself says."""
    if name == "nassl":
        # The package is tied to this version: it is the last that speaks SSLv2.
        return "OpenSSL/1.0.2e"
    command, pattern, label = VERSIONS[name]
    done = subprocess.run(command, capture_output=True, text=True)
    return f"{label}/{re.search(pattern, done.stdout + done.stderr)[1]}"
