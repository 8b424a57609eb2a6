"""Records and hellos of TLS, read and built by the text of RFC 8446, RFC 5246 and RFC 6101 alone."""

import hashlib
from dataclasses import dataclass, field

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO = 1, 2
TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304
# RFC 8446 section 4.1.3: the random of a ServerHello that is a HelloRetryRequest.
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()

SERVER_NAME, GROUPS, SIGNATURES, ALPN, VERSIONS, KEY_SHARE = 0, 10, 13, 16, 43, 51

# RFC 8446 section 6, RFC 7301 section 3.2, RFC 6066 section 9.
ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}


def records(data):
    """(type, version, payload) of each whole record, and what is left over."""
    found, at = [], 0
    while at + 5 <= len(data):
        length = int.from_bytes(data[at + 3 : at + 5])
        if at + 5 + length > len(data):
            break
        found.append((data[at], int.from_bytes(data[at + 1 : at + 3]), data[at + 5 : at + 5 + length]))
        at += 5 + length
    return found, data[at:]


def alerts(data):
    """The alerts in the clear, as (level, description), up to the first record that may be encrypted."""
    found = []
    for kind, _, payload in records(data)[0]:
        if kind in (CHANGE_CIPHER_SPEC, APPLICATION_DATA):
            break
        if kind == ALERT and len(payload) == 2:
            found.append((payload[0], payload[1]))
    return found


def clear_length(data):
    """How many bytes come before the first record that may be encrypted; all of them if it is no TLS."""
    at = 0
    while at + 5 <= len(data) and data[at] in (ALERT, HANDSHAKE):
        at += 5 + int.from_bytes(data[at + 3 : at + 5])
    return at if at and at < len(data) and data[at] in (CHANGE_CIPHER_SPEC, APPLICATION_DATA) else len(data)


def handshake_messages(data):
    """(type, body) of each whole handshake message in the clear."""
    stream = b""
    for kind, _, payload in records(data)[0]:
        if kind in (CHANGE_CIPHER_SPEC, APPLICATION_DATA):
            break
        if kind == HANDSHAKE:
            stream += payload
    found = []
    while len(stream) >= 4 and len(stream) >= 4 + int.from_bytes(stream[1:4]):
        end = 4 + int.from_bytes(stream[1:4])
        found.append((stream[0], stream[4:end]))
        stream = stream[end:]
    return found


@dataclass
class Hello:
    """What a ClientHello or ServerHello says."""

    legacy_version: int
    random: bytes
    session: bytes
    ciphers: list
    extensions: dict = field(default_factory=dict)

    @property
    def versions(self):
        """The versions offered, or the one chosen: the extension's if it is there (RFC 8446 section 4.2.1)."""
        body = self.extensions.get(VERSIONS)
        if body is None:
            return [self.legacy_version]
        body = body if len(body) == 2 else body[1:]
        return [int.from_bytes(body[at : at + 2]) for at in range(0, len(body), 2)]

    @property
    def protocols(self):
        """ALPN's names (RFC 7301 section 3.1)."""
        body, names = self.extensions.get(ALPN, b"\0\0")[2:], []
        while body:
            names.append(body[1 : 1 + body[0]].decode())
            body = body[1 + body[0] :]
        return names

    @property
    def groups(self):
        """The named groups offered (RFC 8446 section 4.2.7)."""
        return numbers(self.extensions.get(GROUPS, b"\0\0")[2:])

    @property
    def shares(self):
        """The groups of the client's key shares (RFC 8446 section 4.2.8)."""
        body, found = self.extensions.get(KEY_SHARE, b"\0\0")[2:], []
        while body:
            found.append(int.from_bytes(body[:2]))
            body = body[4 + int.from_bytes(body[2:4]) :]
        return found

    @property
    def is_retry(self):
        return self.random == RETRY_RANDOM


def numbers(body):
    return [int.from_bytes(body[at : at + 2]) for at in range(0, len(body), 2)]


def read_hello(kind, body):
    version, random, at = int.from_bytes(body[:2]), body[2:34], 34
    session = body[at + 1 : at + 1 + body[at]]
    at += 1 + len(session)
    if kind == CLIENT_HELLO:
        length = int.from_bytes(body[at : at + 2])
        ciphers = numbers(body[at + 2 : at + 2 + length])
        at += 2 + length
        at += 1 + body[at]
    else:
        ciphers = [int.from_bytes(body[at : at + 2])]
        at += 3
    hello = Hello(version, random, session, ciphers)
    end = at + 2 + int.from_bytes(body[at : at + 2]) if at < len(body) else at
    at += 2
    while at < end:
        length = int.from_bytes(body[at + 2 : at + 4])
        hello.extensions[int.from_bytes(body[at : at + 2])] = body[at + 4 : at + 4 + length]
        at += 4 + length
    return hello


def hellos(data, kind):
    return [read_hello(kind, body) for found, body in handshake_messages(data) if found == kind]


# Building


def vector(size, body):
    """A body behind its length in `size` bytes."""
    return len(body).to_bytes(size) + body


def record(kind, payload, version=TLS10):
    return bytes([kind]) + version.to_bytes(2) + vector(2, payload)


def message(kind, body):
    return bytes([kind]) + vector(3, body)


def alert(level, description, version=TLS12):
    return record(ALERT, bytes([level, description]), version)


def extension(kind, body):
    return kind.to_bytes(2) + vector(2, body)


def words(values):
    return b"".join(value.to_bytes(2) for value in values)


def pattern(seed, count):
    """Bytes that look random and are the same each time."""
    return b"".join(hashlib.sha256(f"{seed} {n}".encode()).digest() for n in range((count + 31) // 32))[:count]


# The u-coordinate of the base point, a share that is valid for anyone (RFC 7748 section 4.1).
X25519_BASE = b"\x09" + bytes(31)
AES_256_GCM_13, AES_128_GCM_13, CHACHA_13 = 0x1302, 0x1301, 0x1303
ECDSA_AES_128_GCM, ECDSA_AES_256_GCM, RSA_AES_128_GCM = 0xC02B, 0xC02C, 0xC02F


def server_name(name=b"server.example"):
    return extension(SERVER_NAME, vector(2, b"\0" + vector(2, name)))


def groups(values=(0x1D, 0x17, 0x18)):
    return extension(GROUPS, vector(2, words(values)))


def signatures(values=(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501)):
    return extension(SIGNATURES, vector(2, words(values)))


def versions(values=(TLS13, TLS12)):
    return extension(VERSIONS, vector(1, words(values)))


def share(group, key):
    return group.to_bytes(2) + vector(2, key)


def key_shares(*shares):
    return extension(KEY_SHARE, vector(2, b"".join(shares or [share(0x1D, X25519_BASE)])))


def alpn(*names):
    return extension(ALPN, vector(2, b"".join(vector(1, name) for name in names)))


def basics():
    """The extensions of a plain client of TLS 1.3 and 1.2, in the order in which most send them."""
    return [
        server_name(),
        extension(0xFF01, b"\0"),
        groups(),
        extension(11, b"\1\0"),
        signatures(),
        versions(),
        extension(45, b"\1\1"),
        key_shares(),
    ]


def client_hello(
    extensions=None,
    ciphers=(AES_256_GCM_13, AES_128_GCM_13, CHACHA_13, ECDSA_AES_128_GCM, ECDSA_AES_256_GCM),
    version=TLS12,
    session=None,
    compressions=b"\0",
    random=None,
    tail=b"",
):
    """The body of a ClientHello (RFC 8446 section 4.1.2); `extensions` None for the basics, False for no block."""
    body = version.to_bytes(2) + (random or pattern("client random", 32))
    body += vector(1, pattern("session", 32) if session is None else session)
    body += vector(2, words(ciphers)) + vector(1, compressions)
    if extensions is not False:
        body += vector(2, b"".join(basics() if extensions is None else extensions))
    return body + tail


def server_hello(extensions=(), cipher=AES_256_GCM_13, version=TLS12, session=b"", random=None, compression=0):
    """The body of a ServerHello (RFC 8446 section 4.1.3)."""
    body = version.to_bytes(2) + (random or pattern("server random", 32)) + vector(1, session)
    body += cipher.to_bytes(2) + bytes([compression])
    return body + (vector(2, b"".join(extensions)) if extensions is not None else b"")
