"""Reads the stream of a `.wire` file into steps, and writes fixtures from steps and events.

A step is (direction, bytes), ("|",) or (direction, "!fin") and the like; directions are ">" and "<"."""

import hashlib
import os
import re

PIECE = re.compile(
    rb'\s*(?:"((?:[^"\\]|\\.)*)"|x"([0-9a-fA-F\s]*)"|repeat\(\s*(\d+)\s*,|blob\(\s*"([^"]+)"\s*,\s*\d+\s*(?:,\s*sha256:[0-9a-f]+)?\s*\)|(\)))'
)
ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.S)
SIMPLE = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\", b'"': b'"'}
BLOB_OVER = 65536


def unescape(text):
    return ESCAPE.sub(lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" else SIMPLE[m[1]], text)


def parse_pieces(text, folder):
    out, stack = b"", []
    position = 0
    while position < len(text) and text[position:].strip() and not text[position:].strip().startswith(b"#"):
        match = PIECE.match(text, position)
        if not match:
            raise ValueError(f"not a piece: {text[position:position + 40]!r}")
        position = match.end()
        if match[1] is not None:
            out += unescape(match[1])
        elif match[2] is not None:
            out += bytes.fromhex(match[2].decode())
        elif match[3] is not None:
            stack.append((out, int(match[3])))
            out = b""
        elif match[4] is not None:
            with open(os.path.join(folder, match[4].decode()), "rb") as blob:
                out += blob.read()
        else:
            before, count = stack.pop()
            out = before + out * count
    return out


def read_steps(path):
    """The steps of the stream section, adjacent bytes of one direction and segment merged."""
    with open(path, "rb") as file:
        text = file.read()
    section = text.split(b"\n--- stream\n", 1)[1].split(b"\n--- ", 1)[0]
    steps = []
    for line in section.split(b"\n"):
        line = line.strip()
        if not line or line.startswith(b"#"):
            continue
        if line == b"|":
            steps.append(("|",))
            continue
        direction, rest = line[:1].decode(), line[1:].strip()
        if rest.startswith(b"!"):
            steps.append((direction, rest.split()[0].decode()))
            continue
        data = parse_pieces(rest, os.path.dirname(path))
        if steps and steps[-1][0] == direction and isinstance(steps[-1][1], bytes):
            steps[-1] = (direction, steps[-1][1] + data)
        else:
            steps.append((direction, data))
    return steps


def stream(steps, direction):
    """The bytes of one direction, and how it ended: "fin", "rst" or None."""
    data = b"".join(step[1] for step in steps if step[0] == direction and isinstance(step[1], bytes))
    ends = [step[1][1:] for step in steps if step[0] == direction and isinstance(step[1], str)]
    return data, (ends[-1] if ends else None)


def escape(data):
    out = []
    for byte in data:
        char = chr(byte)
        if char in '\\"':
            out.append("\\" + char)
        elif 0x20 <= byte < 0x7F:
            out.append(char)
        else:
            out.append({13: "\\r", 10: "\\n", 9: "\\t", 0: "\\0"}.get(byte, f"\\x{byte:02x}"))
    return "".join(out)


def printable(data):
    odd = sum(1 for byte in data if not (0x20 <= byte < 0x7F or byte in (9, 10, 13)))
    return odd * 8 <= len(data)


def runs(data):
    """Splits data into (bytes, count) where a period of 1 or 16 bytes repeats for long."""
    out, start, position = [], 0, 0
    while position < len(data):
        for period, least in ((1, 48), (16, 6)):
            unit = data[position : position + period]
            if len(unit) == period and data[position + period : position + period * least] == unit * (least - 1):
                # What repeats is best written as whole lines.
                shift = unit.find(b"\n") + 1
                position, unit = position + shift, unit[shift:] + unit[:shift]
                count = 1
                while data.startswith(unit, position + period * count):
                    count += 1
                if position > start:
                    out.append((data[start:position], 1))
                out.append((unit, count))
                position += period * count
                start = position
                break
        else:
            # Jump to where a run could begin: runs of 16 start after a line's end in our payloads.
            position += 1
    if start < len(data):
        out.append((data[start:], 1))
    return out


def quote(data):
    return f'"{escape(data)}"' if printable(data) else f'x"{data.hex()}"'


def lines_of(data):
    """The pieces of a chunk of bytes, one a line: split after line ends, long runs as repeat(…)."""
    for piece, count in runs(data):
        if count > 1:
            yield f"repeat({count}, {quote(piece)})"
        elif printable(piece):
            for line in re.findall(rb"[^\n]*\n|[^\n]+", piece):
                for at in range(0, len(line), 100):
                    yield f'"{escape(line[at:at + 100])}"'
        else:
            head, separator, rest = piece.partition(b"\r\n\r\n")
            if separator and printable(head):
                yield from lines_of(head + separator)
                piece = rest
            for at in range(0, len(piece), 48):
                yield f'x"{piece[at:at + 48].hex()}"'


def format_steps(steps, blob):
    """The stream section; `blob(bytes)` stores a large incompressible piece and returns its file name."""
    lines = []
    for step in steps:
        if step == ("|",):
            lines.append("|")
        elif isinstance(step[1], str):
            lines.append(f"{step[0]} {step[1]}")
        else:
            data = step[1]
            pieces = list(lines_of(data))
            if sum(map(len, pieces)) > BLOB_OVER and len(data) > BLOB_OVER:
                name = blob(data)
                pieces = [f'blob("{name}", {len(data)}, sha256:{hashlib.sha256(data).hexdigest()})']
            lines.extend(f"{step[0]} {piece}" for piece in pieces)
    return lines


def word(data):
    plain = (
        all(0x20 < byte < 0x7F and byte not in b'"\\' for byte in data)
        and data
        and data[:1] != b"#"
        and data[-1:] != b";"
    )
    return data.decode() if plain else f'"{escape(data)}"'


def format_events(events):
    """Events as the lines of an expectation: one line for a head, its fields, a body, and so on."""
    lines, current = [], []

    def flush():
        if current:
            lines.append("events   " + "; ".join(current))
            current.clear()

    for event in events:
        kind = event[0]
        if kind == "head":
            flush()
            version = "HTTP/" + event[-1].decode()
            current.append(" ".join(["head", *(word(part) for part in event[1:-1]), version]))
            flush()
        elif kind in ("field", "trailer"):
            flush()
            current.append(f'{kind} "{escape(event[1])}: {escape(event[2])}"')
            flush()
        elif kind in ("body", "surplus"):
            data = event[1]
            if len(data) <= 200:
                current.append(f"{kind} {quote(data)}")
            else:
                current.append(f"{kind} {len(data)} sha256:{hashlib.sha256(data).hexdigest()}")
        elif kind == "error":
            current.append(f"error {event[1]}")
        else:
            current.append(kind)
    flush()
    return lines
