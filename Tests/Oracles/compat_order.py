#!/usr/bin/env python3
"""Runs each scenario on CPython's own asyncio and writes the order of its callbacks as Swift source.

    python3.11 Tests/Oracles/compat_order.py > Tests/AnyloopNativeLoopTests/Compat/CompatOracle.swift

A trace is a list of names; `|` stands for the end of one or more turns of the loop. The Swift tests run the
same scenarios on CompatLoop and compare. The numbers in the names are rules of asyncio's contract.
"""
import asyncio
import platform
import socket
import sys
import threading

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Log:
    def __init__(self, loop):
        self.loop, self.events, self.ticking = loop, [], False

    def __call__(self, name):
        self.events.append(name)

    def soon(self, name):
        self.loop.call_soon(self, name)

    def tick(self):
        """Marks turns from here on, as long as the loop runs."""
        self.ticking = True
        self.loop.call_soon(self._tick)

    def _tick(self):
        if self.events and self.events[-1] != "|":
            self.events.append("|")
        if self.ticking:
            self.loop.call_soon(self._tick)


class Recorder(asyncio.Protocol):
    """Logs its callbacks under a name; `react` maps a callback's name to what else it does."""

    def __init__(self, log, name, **react):
        self.log, self.name, self.react, self.transport = log, name, react, None

    def on(self, callback, *arguments):
        self.log(" ".join([self.name, callback, *arguments]))
        if callback in self.react:
            return self.react[callback](self)

    def connection_made(self, transport):
        self.transport = transport
        self.on("made")

    def data_received(self, data):
        self.on("data", data.decode() if len(data) < 20 else str(len(data)))

    def eof_received(self):
        return self.on("eof")

    def connection_lost(self, error):
        self.on("lost", *([type(error).__name__] if error else []))

    def pause_writing(self):
        self.on("pause")

    def resume_writing(self):
        self.on("resume")


def pair():
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    return near, far


async def adopt(log, near, recorder):
    await log.loop.connect_accepted_socket(lambda: recorder, near)


async def settle(seconds=0.02):
    await asyncio.sleep(seconds)


def run(log, main):
    log.loop.run_until_complete(main)


@scenario
def nested_soon_2(loop, log):
    def first():
        log("a")
        log.soon("a1")
        loop.call_soon(lambda: (log("a2"), log.soon("a3")))

    async def main():
        log.tick()
        loop.call_soon(first)
        log.soon("b")
        await settle()
    run(log, main())


@scenario
def soon_then_descriptors_then_timers_3(loop, log):
    near, far = pair()

    async def main():
        await adopt(log, near, Recorder(log, "S"))
        await settle()
        loop.call_later(-1, log, "timer")
        far.send(b"x")
        log.soon("soon")
        await settle()
        # Queued by each of the three, they keep that order in the next turn.
        loop.call_later(0, lambda: log.soon("from timer"))
        far.send(b"y")
        log.soon("soon")
        await settle()
    run(log, main())


@scenario
def later_zero_and_less_24(loop, log):
    async def main():
        log.tick()
        loop.call_later(0, log, "zero")
        loop.call_later(-5, log, "negative")
        log.soon("soon")
        await settle()
    run(log, main())


@scenario
def connect_48(loop, log):
    async def main():
        server = await loop.create_server(lambda: (log("S factory"), Recorder(log, "S"))[1], "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        made = {"made": lambda me: log.soon("soon from made")}
        log.tick()
        await loop.create_connection(lambda: (log("C factory"), Recorder(log, "C", **made))[1], "127.0.0.1", port)
        log("connected")
        await settle()
    run(log, main())


@scenario
def two_connects_53(loop, log):
    async def main():
        count = iter(range(9))

        def factory():
            name = f"S{next(count)}"
            log(f"{name} factory")
            return Recorder(log, name)
        server = await loop.create_server(factory, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        peers = [socket.create_connection(address) for _ in range(3)]
        log.tick()
        await settle()
        log.ticking = False
        for peer in peers:
            peer.close()
            await settle()
    run(log, main())


@scenario
def data_before_made_49(loop, log):
    async def main():
        made = {"made": lambda me: log.soon("soon from made")}
        server = await loop.create_server(lambda: (log("S factory"), Recorder(log, "S", **made))[1], "127.0.0.1", 0)
        peer = socket.create_connection(server.sockets[0].getsockname())
        peer.send(b"hello")
        log.tick()
        await settle()
        log.ticking = False
        peer.close()
        await settle()
    run(log, main())


@scenario
def adopt_63(loop, log):
    near, far = pair()
    far.send(b"x")

    async def main():
        log.tick()
        log.soon("before")
        made = {"made": lambda me: log.soon("soon from made")}
        await adopt(log, near, Recorder(log, "S", **made))
        log("adopted")
        await settle()
    run(log, main())


@scenario
def close_94(loop, log):
    near, far = pair()

    async def main():
        recorder = Recorder(log, "S")
        await adopt(log, near, recorder)
        log.tick()
        log.soon("before")
        recorder.transport.close()
        log.soon("after")
        log("closed")
        await settle()
    run(log, main())


@scenario
def close_in_made_94(loop, log):
    near, far = pair()
    far.send(b"x")

    async def main():
        def react(me):
            me.transport.close()
            log.soon("soon after close")
        log.tick()
        await adopt(log, near, Recorder(log, "S", made=react))
        log("adopted")
        await settle()
    run(log, main())


@scenario
def close_in_data_94(loop, log):
    near, far = pair()

    async def main():
        def react(me):
            log.soon("soon before close")
            me.transport.close()
            log.soon("soon after close")
        await adopt(log, near, Recorder(log, "S", data=react))
        log.tick()
        far.send(b"x")
        await settle()
    run(log, main())


@scenario
def close_flushes_94(loop, log):
    near, far = pair()

    async def main():
        recorder = Recorder(log, "S", lost=lambda me: log.soon("soon from lost"))
        await adopt(log, near, recorder)
        recorder.transport.set_write_buffer_limits(high=1 << 30)
        recorder.transport.write(bytes(1 << 20))
        recorder.transport.close()
        log("closed")
        await settle()
        total = 0
        while True:
            try:
                data = far.recv(1 << 20)
                if not data:
                    break
                total += len(data)
            except BlockingIOError:
                await asyncio.sleep(0)
        log(f"received {total}")
        await settle()
    run(log, main())


@scenario
def write_while_closing_83(loop, log):
    near, far = pair()

    async def main():
        recorder = Recorder(log, "S")
        await adopt(log, near, recorder)
        recorder.transport.set_write_buffer_limits(high=1 << 30)
        recorder.transport.write(bytes(1 << 20))
        recorder.transport.close()
        recorder.transport.write(bytes(1000))
        await settle()
        total = 0
        while True:
            try:
                data = far.recv(1 << 20)
                if not data:
                    break
                total += len(data)
            except BlockingIOError:
                await asyncio.sleep(0)
        log(f"received {total}")
        await settle()
    run(log, main())


@scenario
def abort_95(loop, log):
    near, far = pair()

    async def main():
        recorder = Recorder(log, "S")
        await adopt(log, near, recorder)
        recorder.transport.set_write_buffer_limits(high=1 << 30)
        recorder.transport.write(bytes(1 << 20))
        log.tick()
        log.soon("before")
        recorder.transport.abort()
        log(f"size {recorder.transport.get_write_buffer_size()}")
        log.soon("after")
        await settle()
    run(log, main())


@scenario
def eof_72(loop, log):
    near, far = pair()

    async def main():
        await adopt(log, near, Recorder(log, "S", eof=lambda me: log.soon("soon from eof")))
        log.tick()
        far.send(b"x")
        far.shutdown(socket.SHUT_WR)
        await settle()
    run(log, main())


@scenario
def throw_in_data_66(loop, log):
    near, far = pair()
    loop.set_exception_handler(lambda loop, context: log("handler " + context["message"].split(".")[0]))

    def react(me):
        log.soon("soon from data")
        raise ValueError("on purpose")

    async def main():
        await adopt(log, near, Recorder(log, "S", data=react))
        log.tick()
        far.send(b"x")
        await settle()
    run(log, main())


@scenario
def throw_in_made_64(loop, log):
    near, far = pair()
    loop.set_exception_handler(lambda loop, context: log("handler"))

    def react(me):
        raise ValueError("on purpose")

    async def main():
        log.tick()
        await adopt(log, near, Recorder(log, "S", made=react))
        log("adopted")
        far.send(b"x")
        await settle()
    run(log, main())


@scenario
def pause_in_write_87(loop, log):
    near, far = pair()

    async def main():
        def react(me):
            me.transport.write(bytes(1 << 20))
            log("written")
        recorder = Recorder(log, "S", data=react)
        await adopt(log, near, recorder)
        log.tick()
        far.send(b"x")
        await settle()
        log.ticking = False
        total = 0
        while total < 1 << 20:
            try:
                total += len(far.recv(1 << 20))
            except BlockingIOError:
                await asyncio.sleep(0)
        log(f"received {total}")
        await settle()
    run(log, main())


@scenario
def threadsafe_18(loop, log):
    async def main():
        log.tick()
        log.soon("a")
        loop.call_soon_threadsafe(log, "b")
        log.soon("c")
        loop.call_soon_threadsafe(log, "d")
        await settle()
    run(log, main())


@scenario
def threadsafe_from_a_thread_18(loop, log):
    async def main():
        log.tick()
        log.soon("a")
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(log, "b"))
        thread.start()
        thread.join()
        log.soon("c")
        await settle()
    run(log, main())


@scenario
def close_after_threadsafe_18(loop, log):
    near, far = pair()

    async def main():
        recorder = Recorder(log, "S")
        await adopt(log, near, recorder)
        log.tick()
        loop.call_soon_threadsafe(log, "posted")
        recorder.transport.close()
        log.soon("after")
        await settle()
    run(log, main())


@scenario
def stop_7(loop, log):
    def stop():
        log("stop")
        loop.stop()
        log.soon("queued while stopping")
    loop.call_soon(stop)
    log.soon("same turn")
    loop.run_forever()
    log("stopped")
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario
def stop_before_run_8(loop, log):
    loop.call_soon(lambda: (log("a"), log.soon("b")))
    loop.stop()
    loop.run_forever()
    log("stopped")
    loop.stop()
    loop.run_forever()


@scenario
def until_complete_generations_9(loop, log):
    def generation(number):
        log(f"generation {number}")
        if number < 4:
            loop.call_soon(generation, number + 1)

    async def main():
        log("main")
        loop.call_soon(generation, 1)
    log.soon("queued before")
    loop.run_until_complete(main())
    log("returned")
    loop.run_until_complete(asyncio.sleep(0))
    log("returned")


@scenario
def until_complete_stopped_10(loop, log):
    future = loop.create_future()
    loop.call_soon(loop.stop)
    try:
        loop.run_until_complete(future)
    except RuntimeError as error:
        log(str(error))


@scenario
def tasks_resume_behind_what_is_queued_28(loop, log):
    async def main():
        log.tick()
        await loop.getaddrinfo("127.0.0.1", 80) if False else asyncio.sleep(0)
        log.soon("a")
        await asyncio.sleep(0.001)
        log("slept")
        log.soon("b")
        await asyncio.sleep(0.001)
        log("slept again")
    run(log, main())


@scenario
def datagram_made_107(loop, log):
    class Datagram(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            log("D made")
            log.soon("soon from made")

    async def main():
        log.tick()
        await loop.create_datagram_endpoint(lambda: (log("D factory"), Datagram())[1], ("127.0.0.1", 0))
        log("opened")
        await settle()
    run(log, main())


@scenario
def one_datagram_a_turn_107(loop, log):
    class Datagram(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            log(f"D {data.decode()}")
            log.soon(f"soon from {data.decode()}")

    async def main():
        transport, _ = await loop.create_datagram_endpoint(Datagram, ("127.0.0.1", 0))
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for text in (b"a", b"b", b"c"):
            peer.sendto(text, transport.get_extra_info("sockname"))
        log.tick()
        await settle()
    run(log, main())


@scenario
def create_server_takes_a_turn_52(loop, log):
    async def main():
        log.tick()
        log.soon("before")
        await loop.create_server(lambda: Recorder(log, "S"), "127.0.0.1", 0)
        log("listening")
        await settle()
    run(log, main())


@scenario
def echo_exchange_3(loop, log):
    async def main():
        def echo(me):
            me.transport.write(b"pong")
            log.soon("soon from S")
        server = await loop.create_server(lambda: Recorder(log, "S", data=echo), "127.0.0.1", 0)
        _, client = await loop.create_connection(
            lambda: Recorder(log, "C", data=lambda me: (me.transport.close(), log.soon("soon from C"))[0]),
            "127.0.0.1", server.sockets[0].getsockname()[1])
        await settle()
        log("writing")
        log.tick()
        client.transport.write(b"ping")
        await settle()
    run(log, main())


def main():
    out = []
    for name, function in SCENARIOS.items():
        loop = asyncio.new_event_loop()
        log = Log(loop)
        function(loop, log)
        log.ticking = False
        events = log.events[:]
        while events and events[-1] == "|":
            events.pop()
        loop.close()
        out.append((name, events))
    print("// Written by Tests/Oracles/compat_order.py; do not edit.")
    print()
    print(f"/// The orders that CPython {platform.python_version()} kept.")
    print("enum CompatOracle {")
    print("    static let traces: [String: [String]] = [")
    for name, events in out:
        text = ", ".join('"' + event.replace('"', '\\"') + '"' for event in events)
        print(f'        "{name}": [{text}],')
    print("    ]")
    print("}")


main()
