"""What independent parsers make of one direction of a conversation: h11, cross-checked by llhttp.

Events are tuples: ("head", method, target, version) or ("head", status, version); ("field", name, value);
("body", bytes); ("trailer", name, value); ("end",); ("upgrade",); ("surplus", bytes); ("error", code).
Names are as received, values without the white space around them; everything is bytes but the error code."""

import h11
import httptools
from h11._events import EndOfMessage, InformationalResponse, Request, Response
from importlib.metadata import version

NAMES = f"h11/{version('h11')}, httptools/{version('httptools')} (llhttp)"
LIMIT = 1 << 24


class Refused(Exception):
    """An oracle refused the stream; the events so far are kept."""

    def __init__(self, events, reason):
        super().__init__(reason)
        self.events = events


def fields(event):
    return [("field", name, value) for name, value in event.headers.raw_items()]


class Merger(list):
    """A list of events in which the body bytes of one message are one event."""

    def body(self, data):
        data = bytes(data)
        if data and self and self[-1][0] == "body":
            self[-1] = ("body", self[-1][1] + data)
        elif data:
            self.append(("body", data))


def stays_open(events):
    """Whether an HTTP/1.0 message, the last of `events`, asks for another one; h11 itself never keeps 1.0 open."""
    start = max(index for index, event in enumerate(events) if event[0] == "head")
    if events[start][-1] != b"1.0":
        return False
    return any(
        event[0] == "field" and event[1].lower() == b"connection" and event[2].lower() == b"keep-alive"
        for event in events[start:]
    )


def goes_on(connection):
    """Lets h11 answer a request in some way, so that it reads the next one; False if there may be none."""
    try:
        if connection.our_state in (h11.SEND_RESPONSE, h11.IDLE):
            connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
        if connection.our_state is h11.MUST_CLOSE or connection.their_state is not h11.DONE:
            return False
        connection.start_next_cycle()
    except h11.LocalProtocolError:
        return False
    return True


def h11_requests(stream, ending, status_of):
    """Events of a request stream; `status_of(i)` is the final status that the i-th request got, or None."""

    def begin(rest):
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMIT)
        connection.receive_data(rest)
        if ending == "fin":
            connection.receive_data(b"")
        return connection

    connection, events, index, method = begin(stream), Merger(), 0, None
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            if "closed connection" in str(error):
                events.append(("error", "unexpected-eof"))
                return events
            raise Refused(events, f"h11: {error}")
        if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
            return events
        if event is h11.PAUSED:
            status = status_of(index)
            if connection.their_state is h11.MIGHT_SWITCH_PROTOCOL:
                connect = method == b"CONNECT"
                if status is not None and ((connect and 200 <= status < 300) or status == 101):
                    events.append(("upgrade",))
                    surplus = connection.trailing_data[0]
                    if surplus:
                        events.append(("surplus", bytes(surplus)))
                    return events
            if not goes_on(connection):
                return events
            index += 1
            continue
        if isinstance(event, Request):
            method = event.method
            events.append(("head", event.method, event.target, event.http_version))
            events.extend(fields(event))
        elif isinstance(event, h11.Data):
            events.body(event.data)
        elif isinstance(event, EndOfMessage):
            events.extend(("trailer", name, value) for name, value in event.headers.raw_items())
            events.append(("end",))
            if connection.their_state in (h11.MUST_CLOSE, h11.CLOSED):
                rest = bytes(connection.trailing_data[0])
                if not (stays_open(events) and rest):
                    return events
                connection, index = begin(rest), index + 1


def h11_responses(stream, ending, methods):
    """Events of a response stream that answers `methods`, in order."""
    events, pending = Merger(), list(methods) or [b"GET"]
    connection, rest = None, stream
    while True:
        if connection is None:
            if not rest:
                return events
            if not pending:
                raise Refused(events, "h11: a response that nothing asked for")
            method = pending.pop(0)
            connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LIMIT)
            headers = [("Host", "a")] + ([] if method == b"CONNECT" else [("Upgrade", "any")])
            connection.send(h11.Request(method=method, target="a:1" if method == b"CONNECT" else "/", headers=headers))
            connection.send(h11.EndOfMessage())
            connection.receive_data(rest)
            if ending == "fin":
                connection.receive_data(b"")
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            if "closed connection" in str(error):
                events.append(("error", "unexpected-eof"))
                return events
            raise Refused(events, f"h11: {error}")
        if event is h11.PAUSED or (event is h11.NEED_DATA and connection.their_state is h11.SWITCHED_PROTOCOL):
            if connection.their_state is h11.SWITCHED_PROTOCOL:
                events.append(("upgrade",))
                surplus = connection.trailing_data[0]
                if surplus:
                    events.append(("surplus", bytes(surplus)))
            return events
        if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
            return events
        if isinstance(event, (Response, InformationalResponse)):
            events.append(("head", b"%d" % event.status_code, event.http_version))
            events.extend(fields(event))
            switches = connection.their_state is h11.SWITCHED_PROTOCOL
            if switches or isinstance(event, InformationalResponse):
                events.append(("end",))
        elif isinstance(event, h11.Data):
            events.body(event.data)
        elif isinstance(event, EndOfMessage):
            events.extend(("trailer", name, value) for name, value in event.headers.raw_items())
            events.append(("end",))
            if connection.their_state in (h11.MUST_CLOSE, h11.CLOSED) and not stays_open(events):
                return events
            rest = bytes(connection.trailing_data[0])
            connection = None


class Recorder:
    """Collects llhttp's callbacks for one message."""

    def __init__(self):
        self.start, self.header, self.parts, self.trailer, self.headers_done, self.complete = (
            [],
            [],
            Merger(),
            [],
            False,
            False,
        )
        self.keeps_open, self.parser = True, None

    def on_url(self, url):
        self.start.append(url)

    def on_status(self, reason):
        pass

    def on_header(self, name, value):
        (self.trailer if self.headers_done else self.header).append((name, value.rstrip(b" \t")))

    def on_headers_complete(self):
        self.headers_done = True
        self.keeps_open = self.parser.should_keep_alive()

    def on_body(self, data):
        self.parts.body(data)

    def on_message_complete(self):
        self.complete = True


def llhttp(stream, ending, requests, methods=(), status_of=None):
    """Events of a stream as llhttp sees them, message by message; fed byte by byte."""
    events, position, index, pending = Merger(), 0, 0, list(methods) or [b"GET"]
    while position < len(stream):
        recorder = Recorder()
        parser = (httptools.HttpRequestParser if requests else httptools.HttpResponseParser)(recorder)
        method = b"" if requests else (pending[0] if pending else b"")
        if not requests and not pending:
            raise Refused(events, "llhttp: a response that nothing asked for")
        recorder.parser = parser
        head_seen, upgraded, begun = False, False, position

        def head():
            if requests:
                events.append(
                    ("head", parser.get_method(), b"".join(recorder.start), parser.get_http_version().encode())
                )
            else:
                events.append(("head", b"%d" % parser.get_status_code(), parser.get_http_version().encode()))
            events.extend(("field", name, value) for name, value in recorder.header)

        while position < len(stream) and not recorder.complete:
            byte = stream[position : position + 1]
            position += 1
            try:
                parser.feed_data(byte)
            except httptools.HttpParserUpgrade:
                upgraded = True
            except httptools.HttpParserError as error:
                if recorder.headers_done and not head_seen:
                    head()
                if recorder.parts:
                    events.append(recorder.parts[0])
                raise Refused(events, f"llhttp: {error}")
            if recorder.headers_done and not head_seen:
                head_seen = True
                head()
                if not requests:
                    status = parser.get_status_code()
                    if method == b"CONNECT" and 200 <= status < 300 or status == 101:
                        events.extend([("end",), ("upgrade",)])
                        if stream[position:]:
                            events.append(("surplus", stream[position:]))
                        return events
                    if method == b"HEAD" and status >= 200:
                        break
            if upgraded:
                break
        if not head_seen:
            if position > begun and ending == "fin" and stream[begun:].strip(b"\r\n"):
                events.append(("error", "unexpected-eof"))
            return events
        if recorder.parts:
            events.append(recorder.parts[0])
        events.extend(("trailer", name, value) for name, value in recorder.trailer)
        until_close = (
            not requests
            and not recorder.complete
            and method != b"HEAD"
            and not any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in recorder.header)
        )
        if not recorder.complete and not upgraded and not (method == b"HEAD"):
            if ending == "fin":
                events.append(("end",) if until_close else ("error", "unexpected-eof"))
            return events
        events.append(("end",))
        if requests:
            if upgraded:
                status = status_of(index)
                if status is not None and (status == 101 or parser.get_method() == b"CONNECT" and 200 <= status < 300):
                    events.append(("upgrade",))
                    if stream[position:]:
                        events.append(("surplus", stream[position:]))
                    return events
            index += 1
            if not upgraded and not recorder.keeps_open:
                return events
        elif parser.get_status_code() >= 200:
            pending.pop(0)
            if not recorder.keeps_open and method != b"HEAD":
                return events
    return events


def statuses(response_events):
    """The final statuses in a list of response events, 101 included."""
    codes = [int(event[1]) for event in response_events if event[0] == "head"]
    return [code for code in codes if code >= 200 or code == 101]


def methods_of(request_events):
    return [event[1] for event in request_events if event[0] == "head"]
