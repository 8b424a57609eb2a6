"""The twin of Sources/ours/main.swift on asyncio's loop or uvloop: peer.py asyncio|uvloop soon|timers|fire NUMBER [COUNT]"""

import asyncio
import sys
import time


class Random:
    state = 88172645463325252

    def next(self):
        x = self.state
        x ^= x << 13 & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 7
        x ^= x << 17 & 0xFFFFFFFFFFFFFFFF
        self.state = x
        return x


def soon(loop, count):
    left = count

    def step():
        nonlocal left
        left -= 1
        if left > 0:
            loop.call_soon(step)
        elif left == 0:
            loop.stop()

    for _ in range(1000):
        loop.call_soon(step)
    begin = time.process_time()
    loop.run_forever()
    return count / (time.process_time() - begin)


def nothing():
    pass


def timers(loop, pending, count):
    random = Random()
    start = loop.time() + 3600
    for _ in range(pending):
        loop.call_at(start + random.next() % 1000000000 / 1e6, nothing)
    begin = time.process_time()
    for _ in range(count):
        loop.call_at(start + random.next() % 1000000000 / 1e6, nothing).cancel()
    return (time.process_time() - begin) / count * 1e9


def fire(loop, pending):
    random = Random()
    left = pending

    def due():
        nonlocal left
        left -= 1
        if left == 0:
            loop.stop()

    start = loop.time()
    begin = time.process_time()
    for _ in range(pending):
        loop.call_at(start + random.next() % 1000000 / 1e9, due)
    loop.run_forever()
    return (time.process_time() - begin) / pending * 1e9


def main():
    name, what, numbers = sys.argv[1], sys.argv[2], [int(number) for number in sys.argv[3:]]
    if name == "uvloop":
        import uvloop
        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.SelectorEventLoop()
    print({"soon": soon, "timers": timers, "fire": fire}[what](loop, *numbers))


main()
