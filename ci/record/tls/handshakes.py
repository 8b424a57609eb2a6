"""The table of recorded handshakes: who, against whom, and what the RFCs ask of a server and a client that read it."""

from dataclasses import dataclass

import hello as tls
from clients import OLD
from outcomes import *


@dataclass
class Handshake:
    group: str
    name: str
    client: list
    server: list
    title: str
    spec: str
    # Whether the recording is what its title says: told the ClientHellos, the ServerHellos.
    claim: object
    # Outcomes as lines for a reader of `>` and of `<`; None where that side is not judged. A client's is made of the
    # server's alert where this is "alert".
    reads_client: list | None
    reads_server: object = "alert"
    # So many ClientHellos are kept, and the ServerHello after them; 0 for all.
    flights: int = 0

    @property
    def id(self):
        return f"tls/recorded/{self.group}/{self.name}"


TABLE = []


def add(*columns, **more):
    TABLE.append(Handshake(*columns, **more))


def newest(hellos):
    """The newest version offered, but for the numbers that mean nothing (RFC 8701)."""
    return max(version for hello in hellos for version in hello.versions if version & 0x0F0F != 0x0A0A)


# Versions that we refuse: clients that offer nothing else, and servers that choose them.

VERSION_SPEC = "RFC8446#4.2.1 MUST"
OLD_OPENSSL = ["-cipher", OLD]
GNUTLS_OLD = "NORMAL:-VERS-ALL:+VERS-TLS{}:+SHA1:+SIGN-RSA-SHA1:+SIGN-ECDSA-SHA1:%COMPAT"
for version, label, flag, nss in (
    (tls.TLS10, "1.0", "-tls1", "tls1.0:tls1.0"),
    (tls.TLS11, "1.1", "-tls1_1", "tls1.1:tls1.1"),
):
    name = "tls" + label.replace(".", "")
    only = lambda hellos, answers, version=version: newest(hellos) == version and not answers
    chosen = lambda hellos, answers, version=version: newest(hellos) == version == answers[0].versions[0]
    clients = [
        ("openssl", ["openssl", flag, *OLD_OPENSSL], ["openssl"]),
        ("gnutls", ["gnutls", "--priority", GNUTLS_OLD.format(label)], ["gnutls"]),
        ("nss", ["nss", "-o", "-V", nss], ["nss"]),
        ("go", ["go", "-min", label, "-max", label], ["go"]),
        ("java", ["java", "TLSv1" if label == "1.0" else "TLSv1.1"], ["openssl"]),
        ("node", ["node", f'{{"minVersion":"TLSv1","maxVersion":"TLSv{label.removesuffix(".0")}","ciphers":"{OLD}"}}'],
         ["openssl"]),
        ("curl", ["curl", "-k", "--tlsv1.0", "--tls-max", label, "--ciphers", OLD], ["nginx"]),
        ("python", ["python", "min=TLSv1", f"max=TLSv{label.replace('.', '_').removesuffix('_0')}", f"ciphers={OLD}"],
         ["gnutls"]),
    ]
    for client, words, server in clients:
        title = f"{client} offers TLS {label} at most"
        add("versions", f"{client}-{name}", words, server, title, VERSION_SPEC, only, NO_VERSION)
    servers = [
        ("openssl", ["openssl", flag, "-cipher", OLD], clients[0][1]),
        ("gnutls", ["gnutls", "--priority", GNUTLS_OLD.format(label)], clients[1][1]),
        ("nss", ["nss", "-V", nss, "-c", ":C013:002F"], clients[2][1]),
        ("go", ["go", "-min", label, "-max", label], clients[3][1]),
    ]
    for server, words, client in servers:
        title = f"{server} as a server chooses TLS {label}"
        add("versions", f"{server}-server-{name}", client, words, title, VERSION_SPEC, chosen, NO_VERSION,
            reads_server=CLIENT_NO_VERSION)

ONLY = lambda wanted: lambda hellos, answers: newest(hellos) == wanted and not answers
add("versions", "nss-ssl3", ["nss", "-o", "-V", "ssl3:ssl3"], ["nss"], "NSS offers SSLv3", "RFC7568#3 MUST NOT",
    ONLY(0x0300), NO_SSL3)
add("versions", "nss-server-ssl3", ["nss", "-o", "-V", "ssl3:ssl3"], ["nss", "-V", "ssl3:ssl3", "-c", ":002F"],
    "NSS as a server chooses SSLv3", "RFC7568#3 MUST NOT",
    lambda hellos, answers: answers[0].versions == [0x0300], NO_SSL3, reads_server=CLIENT_NO_VERSION)
add("versions", "openssl102-ssl3", ["nassl", "SSLV3"], ["openssl"], "OpenSSL 1.0.2 offers SSLv3", "RFC7568#3 MUST NOT",
    ONLY(0x0300), NO_SSL3)
# A hello of SSLv2 has no TLS record around it. A server may refuse it with an alert or close at once.
SSLV2 = ["events   error no-common-version", "close", "or RFC6176#3 MUST NOT", "events   error malformed", "close",
    "or RFC6176#3 MUST NOT", "events   error plain-text", "close"]
add("versions", "openssl102-ssl2", ["nassl", "SSLV2"], ["openssl"], "OpenSSL 1.0.2 offers SSLv2", "RFC6176#3 MUST NOT",
    lambda hellos, answers: not hellos, SSLV2, reads_server=None)
add("versions", "openssl102-ssl2-compatible", ["nassl", "SSLV23", "ALL:SSLv2"], ["openssl"],
    "OpenSSL 1.0.2 offers TLS 1.2 in a hello of SSLv2's form", "RFC8446#D.5", lambda hellos, answers: not hellos,
    SSLV2 + ["or RFC5246#E.2", *GREETED, "or RFC5246#E.2", *NO_CIPHER], reads_server=None)

# Servers that refuse the only version that a client offers.

TLS12_ONLY = {
    "openssl": ["openssl", "-tls1_2"],
    "gnutls": ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"],
    "nss": ["nss", "-o", "-V", "tls1.2:tls1.2"],
    "go": ["go", "-min", "1.2", "-max", "1.2"],
}
TLS13_SERVERS = {
    "openssl": ["openssl", "-tls1_3"],
    "gnutls": ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3"],
    "nss": ["nss", "-V", "tls1.3:tls1.3", "-c", ":1301:1302:1303"],
    "go": ["go", "-min", "1.3"],
}
for server, words in TLS13_SERVERS.items():
    add("server-alerts", f"{server}-protocol-version", TLS12_ONLY["openssl"], words,
        f"{server} with TLS 1.3 alone refuses a client of TLS 1.2", VERSION_SPEC, ONLY(tls.TLS12), GREETED)
TLS12_SERVERS = {
    "openssl": ["openssl", "-tls1_2"],
    "gnutls": ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"],
    "nss": ["nss", "-V", "tls1.2:tls1.2", "-c", ":C02F:C030"],
    "go": ["go", "-max", "1.2"],
    "nginx": ["nginx", "TLSv1.2"],
}
TLS13_ONLY = ["openssl", "-tls1_3"]
for server in ("openssl", "gnutls", "go"):
    words = TLS12_SERVERS[server]
    add("server-alerts", f"{server}-protocol-version-12", TLS13_ONLY, words,
        f"{server} with TLS 1.2 alone refuses a client of TLS 1.3", VERSION_SPEC, ONLY(tls.TLS13), GREETED)

# Ciphers, groups and signatures that we refuse.

CIPHER_SPEC = "RFC8446#4.1.1 MUST"
unanswered = lambda hellos, answers: hellos and not answers
REFUSED = [
    ("openssl-static-rsa", ["openssl", "-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-SHA256:AES128-SHA"], "openssl",
     "OpenSSL offers suites without forward secrecy"),
    ("openssl-cbc", ["openssl", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384"], "openssl",
     "OpenSSL offers suites of CBC mode"),
    ("openssl-null", ["openssl", "-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"], "openssl",
     "OpenSSL offers suites without encryption"),
    ("openssl-anonymous", ["openssl", "-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"], "openssl",
     "OpenSSL offers suites without authentication"),
    ("openssl-psk", ["openssl", "-tls1_2", "-cipher", "PSK", "-psk", "00"], "openssl",
     "OpenSSL offers suites of a pre-shared key"),
    ("openssl-dhe", ["openssl", "-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"], "openssl",
     "OpenSSL offers finite-field groups for RSA"),
    ("openssl-ccm8", ["openssl", "-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256"], "openssl",
     "OpenSSL offers TLS 1.3 with a tag of 8 bytes"),
    ("gnutls-static-rsa", ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA"], "gnutls",
     "GnuTLS offers suites without forward secrecy"),
    ("gnutls-cbc", ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC"], "gnutls",
     "GnuTLS offers suites of CBC mode"),
    ("gnutls-3des", ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+3DES-CBC"], "gnutls",
     "GnuTLS offers suites of 3DES"),
    ("gnutls-ccm8", ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM-8"], "gnutls",
     "GnuTLS offers TLS 1.3 with a tag of 8 bytes"),
    ("nss-static-rsa", ["nss", "-o", "-V", "tls1.2:tls1.2", "-c", ":002F:0035:009C"], "nss",
     "NSS offers suites without forward secrecy"),
    ("nss-rc4", ["nss", "-o", "-V", "tls1.2:tls1.2", "-c", ":0005:0004"], "nss", "NSS offers suites of RC4"),
    ("go-rc4-3des", ["go", "-max", "1.2", "-ciphers", "0005,000a,c007,c011,c012"], "go",
     "Go offers suites of RC4 and 3DES"),
    ("go-static-rsa", ["go", "-max", "1.2", "-ciphers", "009c,009d,003c"], "go",
     "Go offers suites without forward secrecy"),
    ("curl-static-rsa", ["curl", "-k", "--tls-max", "1.2", "--ciphers", "AES256-GCM-SHA384:AES256-SHA"], "nginx",
     "curl offers suites without forward secrecy"),
    ("python-cbc", ["python", "max=TLSv1_2", "ciphers=ECDHE+AES+SHA384"], "openssl", "Python offers suites of CBC mode"),
]
for name, words, server, title in REFUSED:
    add("ciphers", name, words, [server], title, CIPHER_SPEC, unanswered, NO_CIPHER)
SIGNATURE_SPEC = "RFC8446#4.2.3"
for name, words, server, title in (
    ("openssl-rsa-only-12", ["openssl", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], ["openssl"],
     "OpenSSL of TLS 1.2 takes certificates of RSA alone"),
    ("openssl-rsa-only-13", ["openssl", "-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"], ["openssl"],
     "OpenSSL of TLS 1.3 takes signatures of RSA alone"),
    ("gnutls-rsa-only-13", ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256"],
     ["gnutls"], "GnuTLS of TLS 1.3 takes signatures of RSA alone"),
    ("nss-rsa-only-13", ["nss", "-o", "-V", "tls1.3:tls1.3", "-J", "rsa_pss_rsae_sha256"], ["openssl"],
     "NSS of TLS 1.3 takes signatures of RSA alone"),
):
    add("signatures", name, words, server, title, SIGNATURE_SPEC, unanswered, NO_CIPHER)
for name, words, server, title in (
    ("openssl-ffdhe-13", ["openssl", "-tls1_3", "-groups", "ffdhe2048"], ["openssl", "-groups", "X25519:P-256"],
     "OpenSSL of TLS 1.3 offers a finite-field group alone"),
    ("gnutls-ffdhe-13", ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE2048"], ["gnutls"],
     "GnuTLS of TLS 1.3 offers a finite-field group alone"),
    ("nss-ffdhe-13", ["nss", "-o", "-V", "tls1.3:tls1.3", "-I", "FF2048"], ["go"],
     "NSS of TLS 1.3 offers a finite-field group alone"),
    ("openssl-brainpool-12", ["openssl", "-tls1_2", "-groups", "brainpoolP256r1", "-cipher", "ECDHE"],
     ["openssl", "-groups", "X25519:P-256"], "OpenSSL of TLS 1.2 offers a Brainpool curve alone"),
):
    add("groups", name, words, server, title, CIPHER_SPEC, unanswered, NO_CIPHER)

# ALPN: we have http/1.1 in every fixture's server.

PROTOCOL_SPEC = "RFC7301#3.2"
for name, words, server in (
    ("openssl-h2", ["openssl", "-alpn", "h2"], ["openssl"]),
    ("openssl-h2-12", ["openssl", "-tls1_2", "-alpn", "h2,spdy/3.1"], ["openssl"]),
    ("gnutls-smtp", ["gnutls", "--alpn=smtp", "--alpn=imap"], ["openssl"]),
    ("go-h2", ["go", "-alpn", "h2"], ["openssl"]),
    ("python-h2", ["python", "alpn=h2,h3"], ["openssl"]),
    ("node-dot", ["node", '{"ALPNProtocols":["dot"]}'], ["openssl"]),
):
    add("alpn", name, words, server, f"{words[0]} offers protocols that the server lacks", PROTOCOL_SPEC,
        lambda hellos, answers: hellos[0].protocols and "http/1.1" not in hellos[0].protocols and not answers,
        NO_PROTOCOL)

# Names that a server refuses.

add("server-alerts", "nginx-reject-handshake", ["openssl"], ["nginx", "ssl_reject_handshake on;"],
    "nginx refuses every handshake", "RFC6066#3", unanswered, GREETED)
add("server-alerts", "openssl-unrecognized-name", ["openssl"],
    ["openssl", "-servername", "other.example", "-servername_fatal", "-cert2", "rsa.pem", "-key2", "rsa.key"],
    "OpenSSL has not the name that the client asks for", "RFC6066#3", unanswered, GREETED)
for server, words in (
    ("openssl", ["openssl", "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"]),
    ("gnutls", ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305"]),
    ("nss", ["nss", "-V", "tls1.2:tls1.2", "-c", ":CCA8"]),
    ("go", ["go", "-max", "1.2", "-ciphers", "cca8,cca9"]),
):
    add("server-alerts", f"{server}-handshake-failure",
        ["openssl", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"], words,
        f"{server} has no suite that the client offers", CIPHER_SPEC, unanswered, GREETED)

# Hellos that must be accepted. The server's are answers to another client than the one that reads them here: their
# legacy_session_id_echo is not what it sent (RFC 8446 section 4.1.3: illegal_parameter).

modern = lambda hellos, answers: newest(hellos) == tls.TLS13 and answers[0].versions == [tls.TLS13]
for name, words, server in (
    ("openssl", ["openssl"], ["gnutls"]),
    ("openssl-13", ["openssl", "-tls1_3", "-alpn", "http/1.1"], ["openssl"]),
    ("gnutls", ["gnutls"], ["gnutls"]),
    ("gnutls-alpn", ["gnutls", "--alpn=h2", "--alpn=http/1.1"], ["openssl"]),
    ("nss", ["nss", "-o", "-V", "tls1.2:tls1.3"], ["nss"]),
    ("nss-grease", ["nss", "-o", "-V", "tls1.2:tls1.3", "-i", "40", "-T", "-U", "-B"], ["openssl"]),
    ("go", ["go"], ["go"]),
    ("go-alpn", ["go", "-alpn", "h2,http/1.1"], ["nss"]),
    ("curl", ["curl", "-k"], ["nginx"]),
    ("python", ["python", "alpn=http/1.1"], ["go"]),
    ("node", ["node"], ["openssl"]),
    ("java", ["java"], ["openssl"]),
    ("wget", ["wget"], ["openssl"]),
    ("chromium", ["chromium"], ["nginx"]),
):
    add("hello", name, words, server, f"{name.split('-')[0]} offers TLS 1.3; {server[0]} answers another's hello",
        "RFC8446#4.1.3 MUST", modern, GREETED, reads_server=ILLEGAL, flights=1)

# TLS 1.2: from a server that could have done better, and from one that could not.

for server in ("openssl", "gnutls", "nss", "go", "nginx"):
    # curl would have nginx answer to ALPN, which our client does not offer.
    client = TLS12_ONLY.get(server, TLS12_ONLY["openssl"])
    add("downgrade", server, client, [server], f"{server} of TLS 1.3 answers a client of TLS 1.2, and says so in its random",
        "RFC8446#4.1.3 MUST",
        lambda hellos, answers: newest(hellos) == tls.TLS12 and answers[0].random.endswith(b"DOWNGRD\x01"),
        GREETED, reads_server=ILLEGAL, flights=1)
plain12 = lambda hellos, answers: answers[0].versions == [tls.TLS12] and b"DOWNGRD" not in answers[0].random
for name, client, server in (
    ("openssl", ["openssl"], TLS12_SERVERS["openssl"]),
    ("gnutls", ["gnutls"], TLS12_SERVERS["gnutls"]),
    ("nss-rsa", ["nss", "-o", "-V", "tls1.2:tls1.3"], TLS12_SERVERS["nss"]),
    ("go", ["go"], TLS12_SERVERS["go"]),
    ("nginx", ["openssl"], TLS12_SERVERS["nginx"]),
):
    add("unknown-root", name, client, server, f"{server[0]} of TLS 1.2 shows a certificate that nobody vouches for",
        "RFC5246#7.2.2", plain12, GREETED, reads_server=UNKNOWN_ROOT, flights=-1)
for server, words, client in (
    ("openssl", ["openssl", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
     ["openssl", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"]),
    ("gnutls", ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC"],
     ["gnutls", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC"]),
    ("nss", ["nss", "-V", "tls1.2:tls1.2", "-c", ":002F"], ["nss", "-o", "-V", "tls1.2:tls1.2", "-c", ":002F"]),
    ("go", ["go", "-max", "1.2", "-ciphers", "c009"], ["go", "-max", "1.2", "-ciphers", "c009"]),
):
    add("not-offered", server, client, words, f"{server} as a server chooses a suite that our client does not offer",
        "RFC8446#4.1.3 MUST", plain12, NO_CIPHER, reads_server=ILLEGAL, flights=1)

# HelloRetryRequest: the first share is of a group that the server lacks, the second hello has the one it asked for.

retried = lambda hellos, answers: len(hellos) == 2 and answers[0].is_retry and not answers[1].is_retry
CURVES = ["-groups", "X25519:P-256:P-384"]
for name, words, server in (
    ("openssl", ["openssl", "-tls1_3", "-groups", "P-521:X25519"], ["openssl", *CURVES]),
    ("openssl-ffdhe", ["openssl", "-tls1_3", "-groups", "ffdhe2048:X25519"], ["openssl", *CURVES]),
    ("gnutls", ["gnutls", "--priority", "NORMAL:-GROUP-ALL:+GROUP-SECP521R1:+GROUP-X25519", "--single-key-share"],
     ["gnutls"]),
    ("nss", ["nss", "-o", "-V", "tls1.3:tls1.3", "-I", "P521,x25519"], ["openssl", *CURVES]),
    ("go", ["go", "-groups", "25,29"], ["openssl", *CURVES]),
):
    add("retry", name, words, server, f"{name.split('-')[0]} is asked for a share of another group",
        "RFC8446#4.1.4 MUST", retried,
        ['wire     < x"160303" {any} x"' + tls.RETRY_RANDOM.hex() + '" {any} x"160303" {any}', "open"],
        reads_server=ILLEGAL, flights=2)

# Clients of TLS 1.2 that do not like the server's certificate, and say so in the clear.

for name, words, server in (
    ("openssl", ["openssl", "-tls1_2", "-verify_return_error", "-CAfile", "@CA@"], ["openssl"]),
    ("gnutls", ["gnutls", "--x509cafile", "@CA@", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"], ["openssl"]),
    ("go", ["go", "-max", "1.2", "-ca", "@CA@"], ["go"]),
    ("curl", ["curl", "--tls-max", "1.2", "--cacert", "@CA@"], ["nginx"]),
    ("python", ["python", "max=TLSv1_2", "ca=@CA@"], ["openssl"]),
):
    add("client-alerts", name, words, server, f"{name} does not trust the server's certificate", "RFC5246#7.2.2",
        lambda hellos, answers: newest(hellos) == tls.TLS12 and answers, "client-alert", reads_server=None)

# What is no TLS at all.

add("plain-text", "curl-get", ["plain-curl"], ["nginx"], "curl sends a plain request to the port of TLS",
    "RFC9110#4.2.2", lambda hellos, answers: not hellos, PLAIN_REQUEST, reads_server=["events   error plain-text", "close"])
add("plain-text", "curl-post", ["plain-curl", "-d", "a=b"], ["nginx"], "curl posts a form in the clear",
    "RFC9110#4.2.2", lambda hellos, answers: not hellos, PLAIN_REQUEST, reads_server=None)
add("plain-text", "curl-connect", ["proxy-curl"], ["openssl"], "curl takes the server for a proxy", "RFC9110#9.3.6",
    lambda hellos, answers: not hellos, PLAIN_TEXT, reads_server=None)
add("plain-text", "curl-http2", ["plain-curl", "--http2-prior-knowledge"], ["nginx"],
    "curl begins HTTP/2 in the clear", "RFC9113#3.4", lambda hellos, answers: not hellos, PLAIN_TEXT, reads_server=None)
add("plain-text", "openssh", ["ssh"], ["openssl"], "OpenSSH begins with its banner", "RFC4253#4.2",
    lambda hellos, answers: not hellos, PLAIN_TEXT, reads_server=None)
add("plain-text", "nginx", ["openssl"], ["plain-nginx"], "nginx answers a ClientHello with an HTTP response",
    "RFC9112#3", unanswered, GREETED, reads_server=PLAIN_TEXT)
add("plain-text", "http-server", ["python"], ["http.server"], "Python's http.server answers a ClientHello in HTTP",
    "RFC9112#3", unanswered, GREETED, reads_server=PLAIN_TEXT)
