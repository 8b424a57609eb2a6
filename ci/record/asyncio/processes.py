"""Steps of pipes and subprocesses."""
import asyncio
import os
import pty
import signal
import socket
import subprocess
import tempfile

from scenario import data_text, error_text


class PipeEnd:
    """A pipe's end with a socket's names, so that it can be a peer."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        os.set_blocking(descriptor, False)

    def sendall(self, data):
        while data:
            data = data[os.write(self.descriptor, data):]

    def send(self, data):
        return os.write(self.descriptor, data)

    def recv(self, count):
        return os.read(self.descriptor, count)

    def close(self):
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1

    def fileno(self):
        return self.descriptor

    def getsockname(self):
        return None


class Processes:
    # -- pipes

    def ends(self, step):
        """A file object for the loop and the peer at its other end."""
        kind, reading = step.get("kind", "pipe"), step["op"] == "connect_read_pipe"
        if kind == "pipe":
            source, sink = os.pipe()
            ours, other = (source, sink) if reading else (sink, source)
            return open(ours, "rb" if reading else "wb", 0), PipeEnd(other)
        if kind == "socket":
            near, far = socket.socketpair()
            far.setblocking(False)
            return near, far
        if kind == "terminal":
            main, side = pty.openpty()
            return open(side, "rb" if reading else "wb", 0), PipeEnd(main)
        return tempfile.TemporaryFile(buffering=0), None

    async def connect_pipe(self, step):
        ours, other = self.ends(step)
        if other is not None:
            self.peers[step["peer"]] = other
        factory = self.factory(step["as"], "stream")
        await self.result(step, step["op"], self.pair(getattr(self.loop, step["op"])(factory, ours)))

    async def op_connect_read_pipe(self, step):
        """The loop reads one end of a `kind` = pipe, socket, terminal or (refused) file; the peer has the other."""
        await self.connect_pipe(step)

    async def op_connect_write_pipe(self, step):
        await self.connect_pipe(step)

    # -- subprocesses

    def subprocess_protocol(self, actor, step):
        recorder, silent = self, step.get("silent", [])

        class Subprocess(asyncio.SubprocessProtocol):
            def connection_made(self, transport):
                recorder.transports[actor] = transport
                self.tell("connection_made")

            def connection_lost(self, error):
                self.tell("connection_lost", recorder.error_or_none(error))

            def pipe_data_received(self, number, data):
                recorder.seen.setdefault(actor, []).append("pipe_data_received")
                if "pipe_data_received" not in silent:
                    recorder.bytes_line(actor, f"pipe_data_received {number}", data)
                recorder.react(actor, "pipe_data_received")

            def pipe_connection_lost(self, number, error):
                self.tell("pipe_connection_lost", str(number) + (f" {error_text(error)}" if error else ""))

            def process_exited(self):
                self.tell("process_exited")

            def pause_writing(self):
                self.tell("pause_writing")

            def resume_writing(self):
                self.tell("resume_writing")

            def tell(self, name, text=None):
                recorder.seen.setdefault(actor, []).append(name + (f" {text}" if text else ""))
                if name in silent:
                    recorder.react(actor, name)
                else:
                    recorder.callback(actor, name, text)
        return Subprocess()

    @property
    def seen(self):
        return self.__dict__.setdefault("_seen", {})

    async def op_subprocess(self, step):
        """subprocess_exec of `args`, or subprocess_shell of `command`. `stdin`, `stdout`, `stderr`: pipe, null, or
        stdout; callbacks in `silent` write no line."""
        actor = step["as"]
        values = {"pipe": subprocess.PIPE, "null": subprocess.DEVNULL, "stdout": subprocess.STDOUT}
        keywords = {key: values[step.get(key, "null")] for key in ("stdin", "stdout", "stderr")}
        if "cwd" in step:
            keywords["cwd"] = step["cwd"]
        if "env" in step:
            keywords["env"] = step["env"]

        def factory():
            self.protocols[actor] = self.subprocess_protocol(actor, step)
            return self.protocols[actor]
        if "command" in step:
            starting = self.loop.subprocess_shell(factory, step["command"], **keywords)
        else:
            starting = self.loop.subprocess_exec(factory, *step["args"], **keywords)
        await self.result(step, "subprocess", self.pair(starting))

    def op_seen(self, step):
        """The callbacks that the subprocess's protocol had so far, sorted, each once."""
        self.line(f"{step['on']} seen [{', '.join(sorted(set(self.seen.get(step['on'], []))))}]")

    def op_get_returncode(self, step):
        self.on(step, "get_returncode", getter=True)

    def op_has_pid(self, step):
        """Whether the process can be asked for: its number is above 0."""
        transport = self.transports[step["on"]]
        self.call(f"{step['on']}.has_pid", lambda: transport.get_pid() > 0)

    def op_send_signal(self, step):
        self.on(step, "send_signal", getattr(signal, "SIG" + step["signal"]))

    def op_terminate(self, step):
        self.on(step, "terminate")

    def op_kill_process(self, step):
        self.on(step, "kill")

    def op_has_pipe(self, step):
        transport = self.transports[step["on"]]
        self.call(f"{step['on']}.has_pipe {step['number']}",
                  lambda: transport.get_pipe_transport(step["number"]) is not None)

    def op_pipe(self, step):
        """The transport of the process's pipe `number` becomes that of the actor `as`, for `write`, `close` …"""
        self.transports[step["as"]] = self.transports[step["on"]].get_pipe_transport(step["number"])
