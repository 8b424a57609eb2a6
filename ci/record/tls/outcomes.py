"""What a server or a client must make of what it reads, as the lines of an expectation."""


def sends_alert(code, description, before="", end="close"):
    """The error, and the alert on the wire behind what comes before it; the record's version is not judged."""
    return [f"events   error {code}", f'wire     < {before}x"1503" {{any}} x"000202{description:02x}"', end]


def refuses(code, description, spec=None, *others, before=""):
    """That alert, or on the authority of `spec` one of the others."""
    lines = sends_alert(code, description, before)
    for other in others:
        lines += [f"or {spec}", *sends_alert(code, other, before)]
    return lines


def hears_alert(description, wire=None):
    """The peer's alert is the error; nothing is left to be said."""
    return [f"events   error alert-{description}", *([f"wire     < {wire}"] if wire else []), "close"]


GREETED = ['wire     < x"160303" {any}', "open"]
AFTER_HELLO = 'x"1603" {any} '
# RFC 8446 section 4.2.1 and RFC 5246 appendix E.1: MUST.
NO_VERSION = refuses("no-common-version", 70)
# An alert in SSLv3's own records can only be one of SSLv3's, which has handshake_failure for this (RFC 6101 §5.4.2).
NO_SSL3 = refuses("no-common-version", 70, "RFC6101#5.4.2", 40)
CLIENT_NO_VERSION = refuses("no-common-version", 70, before=AFTER_HELLO)
# RFC 8446 section 4.1.1: either of the two.
NO_CIPHER = refuses("no-common-cipher", 40, "RFC8446#4.1.1 MUST", 71)
NO_PROTOCOL = refuses("no-common-protocol", 120)
ILLEGAL = refuses("malformed", 47, before=AFTER_HELLO)
# RFC 5246 section 7.2.2: unknown_ca where the chain ends nowhere known, bad_certificate and certificate_unknown for
# whatever else is wrong with one.
UNKNOWN_ROOT = refuses("certificate-self-signed", 48, "RFC5246#7.2.2", 42, 46, before=AFTER_HELLO)
PLAIN_REQUEST = ["events   error plain-text", 'wire     < "HTTP/1.1 400 " {any}', "close"]
PLAIN_TEXT = ["events   error plain-text", "close"]
