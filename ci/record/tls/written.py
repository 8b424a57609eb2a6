"""Writes the fixtures that come from the text of the RFCs: hellos and records that are odd in one thing each."""

import os

import transcript
from hello import *
from outcomes import *

WRITTEN = []


def to_server(group, name, title, specs, data, outcome, end=False):
    """What a client sends, in segments if it is a list, and what a server must make of it."""
    WRITTEN.append((group, name, title, specs, ">", data, outcome, end))


def to_client(group, name, title, specs, data, outcome, end=False):
    """What a server answers to a ClientHello, and what a client must make of it."""
    WRITTEN.append((group, name, title, specs, "<", data, outcome, end))


def write_all(fixtures):
    for group, name, title, specs, direction, data, outcome, end in WRITTEN:
        steps = []
        for piece in data if isinstance(data, list) else [data]:
            steps += [("|",)] if steps else []
            steps += [(direction, piece)] if piece else []
        if end:
            steps.append((direction, "!fin"))
        lines = [
            "wire 1",
            f"id       tls/{group}/{name}",
            *(f"spec     {spec}" for spec in specs),
            "source   written " + specs[0].split()[0],
            f"tags     tls {group}",
            f"title    {title}",
            "--- stream",
            *transcript.format_steps(steps, None),
            "--- expect " + ("server" if direction == ">" else "client"),
            *outcome,
        ]
        path = os.path.join(fixtures, "tls", group, name + ".wire")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")


# Outcomes. RFC 8446 section 6.2 has decode_error for lengths and ranges, illegal_parameter for values that are wrong or
# contradict others; where a text names neither, both are legal.

DECODE = refuses("malformed", 50, "RFC8446#6.2", 47)
ILLEGAL_VALUE = refuses("malformed", 47, "RFC8446#6.2", 50)
MUST_ILLEGAL = refuses("malformed", 47)
MUST_UNEXPECTED = refuses("malformed", 10)
MUST_OVERFLOW = refuses("malformed", 22)
MUST_MISSING = refuses("malformed", 109)
NOTHING = ["open"]


def after_hello(lines):
    """The same outcome for a client, whose ClientHello stands before the alert."""
    return [line.replace("wire     < ", "wire     < " + AFTER_HELLO) for line in lines]


def both(first, spec, second):
    return [*first, f"or {spec}", *second]


# Hellos

GROUP = "client-hello"
H = "RFC8446#4.1.2"


def sent(body, version=TLS10):
    return record(HANDSHAKE, message(CLIENT_HELLO, body), version)


def without(*kinds):
    """The plain extensions but for these."""
    return [item for item in basics() if int.from_bytes(item[:2]) not in kinds]


def hello(name, title, specs, body, outcome):
    to_server(GROUP, name, title, specs if isinstance(specs, list) else [specs], sent(body), outcome)


hello("plain", "A hello of TLS 1.3 and 1.2 as most clients send it", H, client_hello(), GREETED)
hello("tls12", "A hello of TLS 1.2 without the extension of versions", "RFC8446#4.2.1 MUST",
    client_hello([server_name(), extension(0xFF01, b"\0"), groups(), extension(11, b"\1\0"), signatures()]), GREETED)
hello("tls12-no-extensions", "A hello of TLS 1.2 without any extension", "RFC5246#7.4.1.2 MUST",
    client_hello(False, ciphers=[ECDSA_AES_128_GCM, 0x00FF], session=b""),
    # Without the extensions the hashes are SHA-1 (RFC 5246 section 7.4.1.4.1), which a server may refuse.
    both(GREETED, "RFC5246#7.4.1.4.1", refuses("no-common-cipher", 40)))
GREASE = 0x8A8A
hello("grease", "Values that nobody knows, wherever there may be some", ["RFC8446#4.1.2 MUST", "RFC8701#3.1"],
    client_hello([extension(0x1A1A, b""), server_name(), groups([GREASE, 0x1D, 0x17]), extension(11, b"\1\0"),
        signatures([0x2A2A, 0x0403, 0x0804]), versions([0x3A3A, TLS13, TLS12]), extension(45, b"\2\x0b\1"),
        key_shares(share(GREASE, b"\0"), share(0x1D, X25519_BASE)), alpn(b"\x4a\x4a", b"http/1.1"),
        extension(0xFF01, b"\0"), extension(0x5A5A, b"\0")], ciphers=[0x6A6A, AES_256_GCM_13, ECDSA_AES_128_GCM]),
    GREETED)
hello("future-version", "A version of the future beside TLS 1.3", "RFC8446#4.2.1 MUST",
    client_hello([*without(VERSIONS), versions([0x0305, 0x0400, TLS13])]), GREETED)
hello("only-future-version", "Only versions of the future", "RFC8446#4.2.1 MUST",
    client_hello([*without(VERSIONS), versions([0x0305, 0x0400])]), NO_VERSION)
hello("only-old-versions", "Only old versions, by the extension", "RFC8446#4.2.1 MUST",
    client_hello([*without(VERSIONS), versions([TLS11, TLS10])]), NO_VERSION)
hello("drafts-only", "Only drafts of TLS 1.3", "RFC8446#4.2.1 MUST",
    client_hello([*without(VERSIONS), versions([0x7F1C, 0x7F17])]), NO_VERSION)
hello("legacy-version-13", "TLS 1.3 where only an old version may stand, without the extension", "RFC5246#E.1",
    client_hello(without(VERSIONS, KEY_SHARE, 45), version=TLS13), GREETED)
hello("legacy-version-10", "An old version beside the extension, which alone counts", "RFC8446#4.2.1 MUST NOT",
    client_hello(version=TLS10), GREETED)
hello("legacy-version-11-alone", "TLS 1.1 without the extension", "RFC5246#E.1 MUST",
    client_hello(without(VERSIONS, KEY_SHARE, 45), version=TLS11), NO_VERSION)
hello("legacy-version-ssl3", "SSLv3 where TLS 1.2 must stand", "RFC8446#D.5 MUST",
    client_hello(without(VERSIONS, KEY_SHARE, 45), version=0x0300), NO_SSL3)
hello("versions-empty", "The list of versions is empty", "RFC8446#4.2.1",
    client_hello([*without(VERSIONS), extension(VERSIONS, b"\0")]), both(DECODE, "RFC8446#4.2.1 MUST", NO_VERSION))
hello("versions-odd", "The list of versions ends in the middle of one", "RFC8446#6.2",
    client_hello([*without(VERSIONS), extension(VERSIONS, b"\3\3\4\3")]),
    # Nor is there a version to be read.
    refuses("malformed", 50, "RFC8446#4.2.1 MUST", 70))
hello("fallback", "A fallback to TLS 1.2, with the signal that says so", "RFC7507#3 MUST",
    client_hello(without(VERSIONS, KEY_SHARE, 45), ciphers=[ECDSA_AES_128_GCM, 0x5600]),
    refuses("malformed", 86))

hello("session-33", "A session of 33 bytes", "RFC8446#4.1.2", client_hello(session=bytes(33)), DECODE)
hello("ciphers-empty", "No cipher suites", "RFC8446#4.1.2", client_hello(ciphers=[]),
    both(DECODE, "RFC8446#4.1.1 MUST", NO_CIPHER))
hello("ciphers-unknown", "Only cipher suites that nobody knows", "RFC8446#4.1.1 MUST",
    client_hello(ciphers=[0x1A1A, 0x2A2A, 0xFEFE]), NO_CIPHER)
hello("compressions-empty", "No compression methods, not even none", "RFC8446#6.2", client_hello(compressions=b""), DECODE)
hello("compression-deflate", "TLS 1.3 with a compression method besides none", "RFC8446#4.1.2 MUST",
    client_hello(compressions=b"\1\0"), MUST_ILLEGAL)
hello("compression-without-none", "TLS 1.3 with a compression method in place of none", "RFC8446#4.1.2 MUST",
    # A server that reads it for TLS 1.2 first finds that a method that must be there is missing.
    client_hello(compressions=b"\1"), refuses("malformed", 47, "RFC5246#7.4.1.2 MUST", 50))

EXTENSIONS = "RFC8446#4.2"
hello("extension-twice", "The extension of groups comes twice", "RFC8446#4.2 MUST NOT",
    client_hello([*basics(), groups()]), ILLEGAL_VALUE)
hello("server-name-twice", "The extension of the server's name comes twice", "RFC8446#4.2 MUST NOT",
    client_hello([*basics(), server_name(b"other.example")]), ILLEGAL_VALUE)
hello("unknown-extension-twice", "An extension that nobody knows comes twice", "RFC8446#4.2 MUST NOT",
    client_hello([*basics(), extension(0xABCD, b""), extension(0xABCD, b"")]),
    # What is not known is passed over, so that a server need not see it.
    both(ILLEGAL_VALUE, "RFC8446#4.1.2 MUST", GREETED))
block = b"".join(basics())
short, long = (len(block) + change for change in (-1, 1))
head = client_hello(False)
hello("extensions-too-short", "The block of extensions is a byte shorter than what it holds", "RFC8446#6.2",
    head + short.to_bytes(2) + block, DECODE)
hello("extensions-too-long", "The block of extensions is a byte longer than what it holds", "RFC8446#6.2",
    head + long.to_bytes(2) + block, DECODE)
hello("extension-past-the-end", "The last extension is longer than the message", "RFC8446#6.2",
    client_hello([*basics(), (0xABCD).to_bytes(2) + b"\xff\xff\0"]), DECODE)
hello("tail", "Bytes behind the extensions", "RFC8446#4.1.2", client_hello(tail=b"\0\0"), DECODE)
hello("cut-in-random", "The message ends in the middle of the random", "RFC8446#6.2", client_hello()[:20], DECODE)
hello("empty", "A hello of no bytes", "RFC8446#6.2", b"", DECODE)
hello("cut-in-ciphers", "The message ends in the middle of the cipher suites", "RFC8446#6.2", client_hello()[:70], DECODE)

hello("no-groups", "TLS 1.3 with a share, without groups", "RFC8446#9.2 MUST", client_hello(without(GROUPS)), MUST_MISSING)
hello("no-share", "TLS 1.3 with groups, without a share", "RFC8446#9.2 MUST", client_hello(without(KEY_SHARE)),
    both(MUST_MISSING, "RFC8446#9.2 MUST", refuses("no-common-cipher", 109)))
hello("no-signatures", "TLS 1.3 without signature algorithms", "RFC8446#9.2 MUST", client_hello(without(SIGNATURES)),
    MUST_MISSING)
hello("signatures-empty", "The list of signature algorithms is empty", "RFC8446#6.2",
    client_hello([*without(SIGNATURES), signatures([])]), DECODE)
hello("signatures-unknown", "Only signature algorithms that nobody knows", "RFC8446#4.4.2.2",
    client_hello([*without(SIGNATURES), signatures([0xFEFE, 0x2A2A])]), refuses("no-common-cipher", 40))
hello("signatures-sha1", "Only signatures with SHA-1, which TLS 1.3 does not have", "RFC8446#4.2.3",
    client_hello([*without(SIGNATURES), signatures([0x0203, 0x0201])]), refuses("no-common-cipher", 40))
SHARES = "RFC8446#4.2.8"
hello("shares-empty", "No share, which asks the server to choose a group", "RFC8446#4.2.8",
    client_hello([*without(KEY_SHARE), extension(KEY_SHARE, b"\0\0")]),
    ['wire     < x"160303" {any} x"' + RETRY_RANDOM.hex() + '" {any}', "open"])
hello("share-of-group-not-listed", "A share of a group that is not among the groups", "RFC8446#4.2.8 MAY",
    client_hello([*without(KEY_SHARE, GROUPS), groups([0x17, 0x18]), key_shares()]),
    both(MUST_ILLEGAL, "RFC8446#4.1.4", ["wire     < x\"160303\" {any} x\"" + RETRY_RANDOM.hex() + "\" {any}", "open"]))
hello("share-twice", "Two shares of one group", "RFC8446#4.2.8 MAY",
    client_hello([*without(KEY_SHARE), key_shares(share(0x1D, X25519_BASE), share(0x1D, X25519_BASE))]),
    both(MUST_ILLEGAL, "RFC8446#4.2.8 MAY", GREETED))
hello("share-31", "A share of X25519 with 31 bytes", "RFC8446#4.2.8.2",
    client_hello([*without(KEY_SHARE), key_shares(share(0x1D, X25519_BASE[:31]))]), ILLEGAL_VALUE)
hello("share-zero", "A share of X25519 that makes every secret zero", ["RFC8446#7.4.2 MUST", "RFC7748#6.1"],
    client_hello([*without(KEY_SHARE), key_shares(share(0x1D, bytes(32)))]),
    # The text says abort, and not with which alert.
    refuses("malformed", 47, "RFC8446#7.4.2 MUST", 40, 80, 50))
hello("share-off-curve", "A share of P-256 that is no point of the curve", "RFC8446#4.2.8.2 MUST",
    client_hello([*without(KEY_SHARE), key_shares(share(0x17, b"\4" + pattern("point", 64)))]), ILLEGAL_VALUE)
hello("share-past-the-end", "A share that is longer than its list", "RFC8446#6.2",
    client_hello([*without(KEY_SHARE), extension(KEY_SHARE, vector(2, b"\0\x1d\0\x21" + X25519_BASE))]), DECODE)

hello("name-empty", "The list of server names is empty", "RFC6066#3",
    client_hello([extension(SERVER_NAME, b"\0\0"), *without(SERVER_NAME)]), DECODE)
hello("names-two", "Two host names in one list", "RFC6066#3 MUST NOT",
    client_hello([extension(SERVER_NAME, vector(2, (b"\0" + vector(2, b"a.example")) * 2)), *without(SERVER_NAME)]), DECODE)
hello("name-with-zero", "A host name with a zero byte", "RFC6066#3",
    client_hello([server_name(b"server.example\0.evil.example"), *without(SERVER_NAME)]),
    both(DECODE, "RFC6066#3", refuses("malformed", 112)))
hello("name-256", "A host name of 256 bytes", "RFC6066#3",
    client_hello([server_name(b"a" * 256), *without(SERVER_NAME)]), both(DECODE, "RFC6066#3", refuses("malformed", 112)))
hello("name-255", "A host name of 255 bytes, which nobody has", "RFC6066#3 MAY",
    client_hello([server_name(b"a" * 255), *without(SERVER_NAME)]), GREETED)
hello("name-of-nobody", "A host name that the server does not know", "RFC6066#3",
    client_hello([server_name(b"nobody.example"), *without(SERVER_NAME)]), GREETED)

hello("alpn-empty", "The list of protocols is empty", "RFC7301#3.1", client_hello([*basics(), alpn()]), DECODE)
hello("alpn-empty-name", "A protocol without a name", "RFC7301#3.1 MUST NOT",
    client_hello([*basics(), alpn(b"http/1.1", b"")]), DECODE)
hello("alpn-cut", "A protocol's name is longer than the list", "RFC7301#3.1 MUST NOT",
    client_hello([*basics(), extension(ALPN, vector(2, b"\x09http/1.1"))]), DECODE)
hello("alpn-case", "Protocols are compared byte by byte", ["RFC7301#3.2", "RFC7301#6"],
    client_hello([*basics(), alpn(b"HTTP/1.1", b"http/1.0")]), NO_PROTOCOL)
hello("alpn-second", "The protocol that the server has comes last", "RFC7301#3.2",
    client_hello([*basics(), alpn(b"h3", b"h2", b"http/1.1")]), GREETED)

hello("renegotiation-info-full", "A first hello that claims to renegotiate", "RFC5746#3.6 MUST",
    client_hello([server_name(), groups(), extension(11, b"\1\0"), signatures(), extension(0xFF01, b"\x0c" + bytes(12))]),
    refuses("malformed", 40))
hello("fragment-length-9", "A maximum fragment length that does not exist", "RFC6066#4 MUST",
    client_hello([*basics(), extension(1, b"\x09")]), MUST_ILLEGAL)
PSK = vector(2, vector(2, b"ticket of nobody") + bytes(4)) + vector(2, vector(1, pattern("binder", 32)))
hello("psk-unknown", "A session that the server does not know", "RFC8446#4.2.11",
    client_hello([*basics(), extension(41, PSK)]), GREETED)
hello("psk-not-last", "A session that is not the last extension", "RFC8446#4.2.11 MUST",
    client_hello([extension(41, PSK), *basics()]), MUST_ILLEGAL)
hello("psk-without-modes", "A session without a word on how to use it", "RFC8446#4.2.9 MUST",
    client_hello([*without(45), extension(41, PSK)]),
    refuses("malformed", 109, "RFC8446#4.2.9 MUST", 47, 40))
hello("psk-binders-short", "A session's binder is too short", "RFC8446#4.2.11",
    client_hello([*basics(), extension(41, PSK[:24] + vector(2, vector(1, bytes(31))))]),
    both(DECODE, "RFC8446#4.2.11", GREETED))
hello("early-data-announced", "Early data of a session that the server does not know", "RFC8446#4.2.10",
    client_hello([*basics(), extension(42, b""), extension(41, PSK)]), GREETED)
to_server(GROUP, "early-data-skipped", "Early data that nobody can read is passed over", ["RFC8446#4.2.10 MUST"],
    [sent(client_hello([*basics(), extension(42, b""), extension(41, PSK)])),
     record(APPLICATION_DATA, pattern("early", 300), TLS12), record(APPLICATION_DATA, pattern("later", 80), TLS12)],
    GREETED)

padding = lambda count: extension(21, bytes(count))
hello("padded-16000", "A hello of 16,000 bytes", "RFC7685#3", client_hello([*basics(), padding(15700)]), GREETED)
large = message(CLIENT_HELLO, client_hello([*basics(), padding(60000)]))
to_server(GROUP, "padded-60000", "A hello of 60,000 bytes in four records", ["RFC8446#5.1", "RFC7685#3"],
    b"".join(record(HANDSHAKE, large[at : at + 16384]) for at in range(0, len(large), 16384)),
    both(GREETED, "RFC8446#6.2", refuses("malformed", 47, "RFC8446#6.2", 50, 22)))
to_server(GROUP, "length-16777215", "A hello that says it has 16,777,215 bytes", ["RFC8446#6.2"],
    record(HANDSHAKE, b"\1\xff\xff\xff" + client_hello()), refuses("malformed", 47, "RFC8446#6.2", 50, 22))
retried = client_hello([*without(KEY_SHARE), key_shares(share(0x1D, X25519_BASE))])
asks = client_hello([*without(KEY_SHARE), extension(KEY_SHARE, b"\0\0")])
RETRY_WIRE = 'x"160303" {any} x"' + RETRY_RANDOM.hex() + '" {any} '
to_server("retry", "good", "The second hello has the share that was asked for", ["RFC8446#4.1.4 MUST"],
    [sent(asks), sent(retried, TLS12)], [f'wire     < {RETRY_WIRE}x"160303" {{any}}', "open"])
to_server("retry", "without-share", "The second hello has no share either", ["RFC8446#4.1.4", "RFC8446#4.2.8"],
    [sent(asks), sent(asks, TLS12)], refuses("malformed", 47, "RFC8446#4.1.4", 109, 40, 10, before=RETRY_WIRE))
to_server("retry", "other-random", "The second hello has another random", ["RFC8446#4.1.2 MUST"],
    [sent(asks), sent(client_hello(random=pattern("another", 32)), TLS12)],
    both(refuses("malformed", 47, before=RETRY_WIRE), "RFC8446#4.1.2", [f'wire     < {RETRY_WIRE}x"160303" {{any}}', "open"]))
to_server("retry", "other-version", "The second hello does not offer TLS 1.3 any more", ["RFC8446#4.1.2 MUST"],
    [sent(asks), sent(client_hello([*without(VERSIONS), versions([TLS12])]), TLS12)],
    [*refuses("malformed", 47, "RFC8446#4.2.1", 70, before=RETRY_WIRE), "or RFC8446#4.2.1",
     *refuses("no-common-version", 70, before=RETRY_WIRE)])
to_server("retry", "alert", "The client ends the handshake when it is asked for another share", ["RFC8446#6.2"],
    [sent(asks), alert(2, 40)], hears_alert(40, RETRY_WIRE.strip()))
to_server("retry", "end", "The client hangs up when it is asked for another share", ["RFC8446#6.1"], [sent(asks)],
    ["events   error truncated", f"wire     < {RETRY_WIRE.strip()}", "close"], end=True)

# Records

GROUP = "records"
plain = message(CLIENT_HELLO, client_hello())
hello12 = sent(client_hello(without(VERSIONS, KEY_SHARE, 45)))


def records_of(name, title, specs, data, outcome):
    to_server(GROUP, name, title, specs if isinstance(specs, list) else [specs], data, outcome)


records_of("byte-by-byte", "A hello in records of one byte each", "RFC8446#5.1",
    b"".join(record(HANDSHAKE, plain[at : at + 1]) for at in range(len(plain))), GREETED)
records_of("two-records", "A hello in two records", "RFC8446#5.1",
    [record(HANDSHAKE, plain[:100]), record(HANDSHAKE, plain[100:])], GREETED)
records_of("header-split", "The message's header is in two records", "RFC8446#5.1",
    record(HANDSHAKE, plain[:3]) + record(HANDSHAKE, plain[3:]), GREETED)
records_of("empty-fragment", "An empty fragment before the hello", "RFC8446#5.1 MUST NOT",
    record(HANDSHAKE, b"") + record(HANDSHAKE, plain), both(MUST_UNEXPECTED, "RFC5246#6.2.1", GREETED))
records_of("empty-fragments-40", "Forty empty fragments", "RFC8446#5.1 MUST NOT", record(HANDSHAKE, b"") * 40,
    both(refuses("malformed", 10, "RFC8446#6.2", 50, 47), "RFC5246#6.2.1", NOTHING))
full = message(CLIENT_HELLO, client_hello([*basics(), padding(16384 - len(plain) - 4)]))
records_of("full", "A record of 16,384 bytes", "RFC8446#5.1", record(HANDSHAKE, full), GREETED)
more = message(CLIENT_HELLO, client_hello([*basics(), padding(16385 - len(plain) - 4)]))
records_of("one-past-full", "A record of 16,385 bytes", "RFC8446#5.1 MUST", record(HANDSHAKE, more), MUST_OVERFLOW)
records_of("length-65535", "A record that says it has 65,535 bytes", "RFC8446#5.1 MUST",
    bytes([HANDSHAKE, 3, 1, 255, 255]) + plain, MUST_OVERFLOW)
records_of("version-03ff", "A record version that does not exist, which is not looked at", "RFC5246#E.1 MUST",
    record(HANDSHAKE, plain, 0x03FF), GREETED)
records_of("version-0300", "The record version of SSLv3 around a hello of TLS 1.3", "RFC5246#E.1 MUST",
    record(HANDSHAKE, plain, 0x0300), GREETED)
records_of("change-cipher-spec-first", "A change_cipher_spec before the hello", "RFC8446#5 MUST",
    record(CHANGE_CIPHER_SPEC, b"\1") + record(HANDSHAKE, plain), MUST_UNEXPECTED)
records_of("application-data-first", "Application data before the hello", "RFC8446#5 MUST",
    record(APPLICATION_DATA, b"hello", TLS12), MUST_UNEXPECTED)
records_of("unknown-type", "A record of a type that does not exist", "RFC8446#5 MUST", record(24 + 75, plain),
    both(MUST_UNEXPECTED, "RFC8446#5 MUST", ["events   error plain-text", "close"]))
for number, name in ((0, "hello-request"), (2, "server-hello"), (11, "certificate"), (20, "finished"), (99, "unknown")):
    records_of(f"{name}-first", f"A handshake message of type {number} ({name.replace('-', ' ')}) first", "RFC8446#4 MUST",
        record(HANDSHAKE, message(number, b"\0\0\0")), MUST_UNEXPECTED)
records_of("two-hellos-12", "Two hellos of TLS 1.2, one behind the other", "RFC8446#4.1.2 MUST",
    [hello12, sent(client_hello(without(VERSIONS, KEY_SHARE, 45)), TLS12)],
    refuses("malformed", 10, before='x"160303" {any} '))
records_of("version-changes", "A record of another version than the one that was chosen", "RFC5246#6.2.1", [hello12, hello12],
    refuses("malformed", 70, "RFC8446#5.1", 10, before='x"160303" {any} '))
records_of("two-hellos-13", "Two hellos of TLS 1.3, one behind the other", "RFC8446#4.1.2 MUST", sent(client_hello()) * 2,
    # The alert is encrypted by then.
    ["events   error malformed", 'wire     < x"160303" {any}', "close"])
records_of("hello-and-more", "A hello and the beginning of another message in one record", "RFC8446#5.1 MUST NOT",
    record(HANDSHAKE, plain + b"\x14\0\0\x20"), ["events   error malformed", 'wire     < {any}', "close"])

# Alerts of the client

GROUP = "client-alerts"
FLIGHT = 'x"160303" {any}'
for number in (40, 42, 48, 49, 80):
    to_server(GROUP, f"alert-{number}", f"A fatal {ALERTS[number]} after the server's certificate", ["RFC5246#7.2.2 MUST"],
        [hello12, alert(2, number)], hears_alert(number, FLIGHT))
to_server(GROUP, "unknown-alert", "A fatal alert that nobody knows", ["RFC8446#6.2 MUST"], [hello12, alert(2, 250)],
    hears_alert(250, FLIGHT))
to_server(GROUP, "tls13-illegal-parameter", "A client of TLS 1.3 that cannot read the ServerHello says so in the clear",
    ["RFC8446#6.2 MUST"], [sent(client_hello()), alert(2, 47)], hears_alert(47, FLIGHT))
to_server(GROUP, "alert-first", "An alert and nothing else", ["RFC8446#6.2 MUST"], alert(2, 40),
    # One that comes before all else may be taken for the message out of order that it is.
    both(hears_alert(40), "RFC8446#6.2", ["events   error malformed", "close"]))
to_server(GROUP, "close-notify", "A close_notify within the handshake", ["RFC5246#7.2.1 MUST", "RFC8446#6.1"],
    [hello12, alert(1, 0)], ["events   error alert-0", f"wire     < {FLIGHT}", "close", "or RFC8446#6.1",
     "events   error truncated", f"wire     < {FLIGHT}", "close", "or RFC8446#6.1", "events   error closed", f"wire     < {FLIGHT}",
     "close"])
to_server(GROUP, "user-canceled", "A user_canceled, then a close_notify", ["RFC8446#6.1 SHOULD"],
    [hello12, alert(1, 90), alert(1, 0)], ["events   error alert-90", f"wire     < {FLIGHT}", "close", "or RFC8446#6.1",
     "events   error alert-0", f"wire     < {FLIGHT}", "close", "or RFC8446#6.1",
     "events   error truncated", f"wire     < {FLIGHT}", "close", "or RFC8446#6.1", "events   error closed", f"wire     < {FLIGHT}",
     "close"])
to_server(GROUP, "empty-alert", "An alert of no bytes", ["RFC8446#5.1 MUST NOT"], [hello12, record(ALERT, b"", TLS12)],
    refuses("malformed", 10, "RFC8446#6.2", 50, before=f"{FLIGHT} "))
to_server(GROUP, "short-alert", "An alert of one byte", ["RFC8446#6.2"], [hello12, record(ALERT, b"\2", TLS12)],
    refuses("malformed", 50, "RFC8446#5.1", 10, before=f"{FLIGHT} "))
to_server(GROUP, "alert-level-7", "An alert of a level that does not exist", ["RFC8446#6.2"], [hello12, alert(7, 40)],
    both(refuses("malformed", 47, "RFC8446#6.2", 50, before=f"{FLIGHT} "), "RFC8446#6 MUST", hears_alert(40, FLIGHT)))

# What is no TLS

GROUP = "plain-text"
for name, text, spec in (
    ("get", b"GET / HTTP/1.1\r\nHost: server.example\r\n\r\n", "RFC9112#3"),
    ("head", b"HEAD / HTTP/1.0\r\n\r\n", "RFC9112#3"),
    ("post", b"POST /form HTTP/1.1\r\nHost: server.example\r\nContent-Length: 3\r\n\r\na=b", "RFC9112#3"),
    ("put", b"PUT /file HTTP/1.1\r\nHost: server.example\r\nContent-Length: 0\r\n\r\n", "RFC9112#3"),
):
    to_server(GROUP, name, f"A plain {name.upper()} to the port of TLS", [spec], text, PLAIN_REQUEST)
for name, text, spec, title in (
    ("connect", b"CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n", "RFC9110#9.3.6", "CONNECT"),
    ("options", b"OPTIONS * HTTP/1.1\r\nHost: server.example\r\n\r\n", "RFC9110#9.3.7", "OPTIONS"),
    ("http2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", "RFC9113#3.4", "The preface of HTTP/2"),
    ("smtp", b"EHLO client.example\r\n", "RFC5321#4.1.1.1", "A greeting of SMTP"),
    ("starttls", b"STARTTLS\r\n", "RFC3207#4", "STARTTLS where TLS is on already"),
    ("imap", b"a1 CAPABILITY\r\n", "RFC9051#6.1.1", "A command of IMAP"),
    ("proxy", b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 443\r\n", "RFC8446#5", "The header of the PROXY protocol"),
    ("redis", b"*1\r\n$4\r\nPING\r\n", "RFC8446#5", "A command of Redis"),
    ("remote-desktop", bytes.fromhex("030000130ee000000000000100080003000000"), "RFC1006#6", "A connection request of TPKT"),
    ("zeros", bytes(64), "RFC8446#5", "Zeros"),
    ("ones", b"\xff" * 64, "RFC8446#5", "Bytes of ones"),
    ("noise", pattern("noise", 64), "RFC8446#5", "Noise"),
    ("line-feeds", b"\n" * 16, "RFC8446#5", "Line feeds"),
):
    # RFC 8446 section 5: a type that is none. Binary ones may as well be taken for broken records.
    printable = all(byte in b"\r\n" or 32 <= byte < 127 for byte in text[:16])
    to_server(GROUP, name, title, [spec], text,
        PLAIN_TEXT if printable else both(PLAIN_TEXT, "RFC8446#5 MUST", ["events   error malformed", "close"]))
for name, text, spec, title in (
    ("http-400", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "RFC9112#4", "A response of HTTP"),
    ("http2-settings", bytes.fromhex("000006040000000000000300000064"), "RFC9113#3.4", "The first frame of HTTP/2"),
    ("smtp-banner", b"220 mail.example ESMTP\r\n", "RFC5321#4.2", "The banner of SMTP"),
    ("ssh-banner", b"SSH-2.0-OpenSSH_9.2\r\n", "RFC4253#4.2", "The banner of SSH"),
    ("ftp-banner", b"220 (vsFTPd 3.0.3)\r\n", "RFC959#5.4", "The banner of FTP"),
    ("imap-banner", b"* OK IMAP4rev2 server ready\r\n", "RFC9051#7.1.1", "The banner of IMAP"),
    ("server-zeros", bytes(64), "RFC8446#5", "Zeros from a server"),
    ("server-noise", pattern("noise of a server", 64), "RFC8446#5", "Noise from a server"),
):
    printable = all(byte in b"\r\n" or 32 <= byte < 127 for byte in text[:16])
    to_client(GROUP, name, title, [spec], text,
        PLAIN_TEXT if printable else both(PLAIN_TEXT, "RFC8446#5 MUST", ["events   error malformed", "close"]))

# ServerHellos

GROUP = "server-hello"
INFO = extension(0xFF01, b"\0")


def answer(name, title, specs, data, outcome, end=False):
    to_client(GROUP, name, title, specs if isinstance(specs, list) else [specs], data, after_hello(outcome), end)


def hello_of(**more):
    """A ServerHello of TLS 1.2 unless it is told otherwise."""
    more = {"extensions": [INFO], "cipher": ECDSA_AES_128_GCM, **more}
    return record(HANDSHAKE, message(SERVER_HELLO, server_hello(**more)), TLS12)


OF_13 = lambda version=TLS13: [extension(VERSIONS, version.to_bytes(2)), extension(KEY_SHARE, share(0x1D, X25519_BASE))]
MUST = "RFC8446#4.1.3 MUST"
for version, name in ((0x0200, "0200"), (0x0300, "ssl3"), (TLS10, "tls10"), (TLS11, "tls11"), (TLS13, "0304"), (0x0505, "0505")):
    answer(f"version-{name}", f"The server chooses version {version:04x}, by the old field", "RFC5246#E.1 MUST",
        hello_of(version=version), both(NO_VERSION, "RFC8446#6.2", MUST_ILLEGAL))
answer("version-extension-12", "The server chooses TLS 1.2 by the extension", "RFC8446#4.2.1 MUST",
    hello_of(extensions=OF_13(TLS12), cipher=AES_256_GCM_13), MUST_ILLEGAL)
answer("version-extension-0305", "The server chooses a version that was not offered", "RFC8446#4.2.1 MUST",
    hello_of(extensions=OF_13(0x0305), cipher=AES_256_GCM_13),
    both(MUST_ILLEGAL, "RFC8446#6.2", NO_VERSION))
answer("session-of-another", "TLS 1.3 with the session of another client", MUST,
    hello_of(extensions=OF_13(), cipher=AES_256_GCM_13, session=pattern("session of another", 32)), MUST_ILLEGAL)
answer("session-missing", "TLS 1.3 without the session that the client sent", MUST,
    hello_of(extensions=OF_13(), cipher=AES_256_GCM_13), MUST_ILLEGAL)
answer("retry-session-of-another", "A retry with the session of another client", MUST,
    hello_of(extensions=[extension(VERSIONS, b"\3\4"), extension(KEY_SHARE, b"\0\x17")], cipher=AES_256_GCM_13,
        session=pattern("session of another", 32), random=RETRY_RANDOM), MUST_ILLEGAL)
for cipher, name, title in (
    (0x002F, "cipher-cbc", "A suite of CBC mode, which was not offered"),
    (0x0005, "cipher-rc4", "A suite of RC4"),
    (0x0000, "cipher-null", "The suite that is none"),
    (0xFFFF, "cipher-unknown", "A suite that nobody knows"),
    (0x00FF, "cipher-signal", "The suite that only signals"),
    (AES_128_GCM_13, "cipher-of-tls13", "A suite of TLS 1.3 for TLS 1.2"),
):
    answer(name, title, MUST, hello_of(cipher=cipher), MUST_ILLEGAL)
answer("compression", "The server chooses a compression method", MUST, hello_of(compression=1), MUST_ILLEGAL)
answer("downgrade", "TLS 1.2 with the random of a server that has TLS 1.3", MUST,
    hello_of(random=pattern("server", 24) + b"DOWNGRD\1"), MUST_ILLEGAL)
answer("extension-twice", "An extension comes twice", "RFC8446#4.2 MUST NOT", hello_of(extensions=[INFO, INFO]), ILLEGAL_VALUE)
answer("alpn-unasked", "A protocol that was not asked for", "RFC5246#7.4.1.4 MUST",
    hello_of(extensions=[INFO, alpn(b"h2")]), refuses("malformed", 110, "RFC8446#6.2", 47))
answer("renegotiation-info-full", "The first answer claims to renegotiate", "RFC5746#3.4 MUST",
    hello_of(extensions=[extension(0xFF01, b"\x18" + bytes(24))]),
    # handshake_failure there, illegal_parameter for whatever contradicts itself here.
    refuses("malformed", 40, "RFC8446#6.2", 47))
answer("renegotiation-info-missing", "A server that does not know secure renegotiation", "RFC5746#3.4 MAY",
    hello_of(extensions=[]), both(refuses("malformed", 40), "RFC5746#4.1", NOTHING))
answer("session-33", "A session of 33 bytes", "RFC8446#6.2", hello_of(session=bytes(33)), ILLEGAL_VALUE)
whole = server_hello([INFO], ECDSA_AES_128_GCM)
answer("tail", "Bytes behind the extensions", "RFC8446#6.2", record(HANDSHAKE, message(2, whole + b"\0"), TLS12), DECODE)
answer("cut", "The message ends in the middle of the random", "RFC8446#6.2", record(HANDSHAKE, message(2, whole[:20]), TLS12),
    DECODE)
answer("empty", "A ServerHello of no bytes", "RFC8446#6.2", record(HANDSHAKE, message(2, b""), TLS12), DECODE)
answer("extensions-too-long", "The block of extensions is longer than the message", "RFC8446#6.2",
    record(HANDSHAKE, message(2, server_hello(None, ECDSA_AES_128_GCM) + b"\0\x09" + INFO), TLS12), DECODE)
answer("length-16777215", "A ServerHello that says it has 16,777,215 bytes", "RFC8446#6.2",
    record(HANDSHAKE, b"\2\xff\xff\xff" + whole, TLS12), refuses("malformed", 47, "RFC8446#6.2", 50, 22))
answer("record-65535", "A record that says it has 65,535 bytes", "RFC8446#5.1 MUST", bytes([22, 3, 3, 255, 255]) + whole,
    MUST_OVERFLOW)
for number, name in ((1, "client-hello"), (11, "certificate"), (14, "server-hello-done"), (20, "finished"), (99, "unknown")):
    body = client_hello() if number == 1 else b"\0\0\0"
    answer(f"{name}-first", f"A handshake message of type {number} ({name.replace('-', ' ')}) first", "RFC8446#4 MUST",
        record(HANDSHAKE, message(number, body), TLS12), MUST_UNEXPECTED)
answer("application-data-first", "Application data before the ServerHello", "RFC8446#5 MUST",
    record(APPLICATION_DATA, pattern("data", 40), TLS12), MUST_UNEXPECTED)
answer("two-hellos", "Two ServerHellos of TLS 1.2", "RFC8446#4 MUST", hello_of() * 2, MUST_UNEXPECTED)
answer("done-without-certificate", "A ServerHello and nothing more before its end", "RFC8446#4 MUST",
    hello_of() + record(HANDSHAKE, message(14, b""), TLS12), MUST_UNEXPECTED)
answer("certificate-empty", "A certificate message without a certificate", "RFC5246#7.4.2",
    hello_of() + record(HANDSHAKE, message(11, b"\0\0\0"), TLS12), refuses("malformed", 50, "RFC5246#7.2.2", 47, 40, 42))
answer("certificate-garbage", "A certificate that is none", "RFC5246#7.2.2",
    hello_of() + record(HANDSHAKE, message(11, vector(3, vector(3, pattern("certificate", 200)))), TLS12),
    refuses("malformed", 42, "RFC5246#7.2.2", 50, 47))
answer("end-at-once", "The server hangs up when it has the hello", "RFC8446#6.1", b"",
    ["events   error truncated", "close"], end=True)
answer("end-after-hello", "The server hangs up after its hello", "RFC8446#6.1", hello_of(),
    ["events   error truncated", "close"], end=True)

GROUP = "server-alerts"
for number in (40, 47, 49, 70, 71, 80, 86, 112, 120):
    to_client(GROUP, f"alert-{number}", f"A fatal {ALERTS[number]}", ["RFC8446#6.2 MUST"], alert(2, number),
        hears_alert(number, 'x"1603" {any}'))
to_client(GROUP, "unknown-alert", "A fatal alert that nobody knows", ["RFC8446#6.2 MUST"], alert(2, 250),
    hears_alert(250, 'x"1603" {any}'))
to_client(GROUP, "close-notify", "A close_notify in place of a ServerHello", ["RFC8446#6.1"], alert(1, 0),
    ["events   error alert-0", "close", "or RFC8446#6.1", "events   error truncated", "close", "or RFC8446#6.1",
     "events   error closed", "close"])
to_client(GROUP, "warning-name", "A warning that the name is not known, as old servers send it", ["RFC6066#3", "RFC8446#6 MUST"],
    alert(1, 112), both(hears_alert(112), "RFC6066#3", NOTHING))
to_client(GROUP, "empty-alert", "An alert of no bytes", ["RFC8446#5.1 MUST NOT"], record(ALERT, b"", TLS12),
    after_hello(refuses("malformed", 10, "RFC8446#6.2", 50)))
to_client(GROUP, "change-cipher-spec-then-alert", "A change_cipher_spec that means nothing, then an alert",
    ["RFC8446#5 MUST"], record(CHANGE_CIPHER_SPEC, b"\1", TLS12) + alert(2, 40),
    # TLS 1.2 has it nowhere but behind a certificate; no version is chosen yet.
    both(hears_alert(40), "RFC5246#7.2.2", after_hello(MUST_UNEXPECTED)))
