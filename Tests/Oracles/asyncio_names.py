"""Prints the public names of asyncio, one a line, as `Tests/Oracles/asyncio-names.txt` has them.

Run it on the CPython that the list is for: `python3.13 Tests/Oracles/asyncio_names.py > Tests/Oracles/asyncio-names.txt`.
A member is listed at the class that brings it, not at every class that inherits it.
"""

import asyncio
import asyncio.subprocess
import asyncio.trsock
import inspect
import platform
import socket
import subprocess
import sys


def attributes():
    """What only an instance has: {class: names}."""
    left, right = socket.socketpair()

    async def process():
        """A finished process."""
        child = await asyncio.create_subprocess_exec("true", stdout=subprocess.PIPE)
        await child.wait()
        return child

    instances = [
        asyncio.SelectorEventLoop(), asyncio.IncompleteReadError(b"", 1), asyncio.LimitOverrunError("", 0),
        asyncio.Queue(), asyncio.Barrier(1), asyncio.trsock.TransportSocket(left), asyncio.run(process()),
    ]
    found = {type(each): {name for name in getattr(each, "__dict__", {}) if not name.startswith("_")} for each in instances}
    instances[0].close()
    right.close()
    return found


def names():
    """Every public name: modules' functions, classes, constants, and the classes' members."""
    things = {name: getattr(asyncio, name) for name in asyncio.__all__ if not name.startswith("_")}
    things["subprocess.Process"] = asyncio.subprocess.Process
    for name in ("PIPE", "STDOUT", "DEVNULL"):
        things[f"subprocess.{name}"] = getattr(asyncio.subprocess, name)
    things["TransportSocket"] = asyncio.trsock.TransportSocket
    extra = attributes()
    # By identity: some names are the same class (EventLoop is SelectorEventLoop here).
    classes = {thing: name for name, thing in sorted(things.items(), reverse=True) if inspect.isclass(thing)}
    found = set(things)
    for thing, name in classes.items():
        if thing is TimeoutError:
            continue
        bases = [base for base in thing.__mro__[1:] if base not in (object, Exception, BaseException)]
        inherited = {each for base in bases for each in dir(base)} if bases else set()
        inherited |= set(dir(Exception)) if issubclass(thing, BaseException) else set()
        own = {each for each in dir(thing) if not each.startswith("_")} | extra.get(thing, set())
        # The concrete classes say again what the abstract ones promise.
        own -= {each for other, _ in classes.items() if other in thing.__mro__[1:] for each in dir(other)}
        own -= inherited
        if issubclass(thing, asyncio.AbstractEventLoop) and thing is not asyncio.AbstractEventLoop:
            own -= set(dir(asyncio.AbstractEventLoop))
        found |= {f"{name}.{each}" for each in own}
    return found


if __name__ == "__main__":
    assert sys.platform == "linux", "the list is that of Linux"
    print(f"# asyncio's public names, CPython {platform.python_version()}, made by Tests/Oracles/asyncio_names.py")
    print("\n".join(sorted(names())))
