"""Steps of readers, writers and signals."""
import os
import signal
import socket
import time

from processes import PipeEnd


class Descriptors:
    def op_pair(self, step):
        """Two connected non-blocking stream sockets, both of them peers."""
        first, second = socket.socketpair()
        for name, one in zip(step["names"], (first, second)):
            one.setblocking(step.get("blocking", False))
            if "sndbuf" in step:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, step["sndbuf"])
            self.peers[name] = one

    def op_raw_pipe(self, step):
        """A pipe's two ends as peers: the one to read, the one to write."""
        for name, descriptor in zip(step["names"], os.pipe()):
            self.peers[name] = PipeEnd(descriptor)

    def op_peer_read(self, step):
        """recv() of the peer, now."""
        self.call(f"{step['peer']}.recv", lambda: self.peers[step["peer"]].recv(step.get("count", 1 << 16)))

    def watched(self, step):
        """The descriptor and its name: a peer's, a file's, or that of the transport `on`."""
        if "file" in step:
            return step["file"], self.files[step["file"]].fileno()
        if "on" in step:
            return step["on"], self.transports[step["on"]].get_extra_info("socket").fileno()
        return step["peer"], self.peers[step["peer"]].fileno()

    def watch(self, step, kind):
        """Calls back with `mark NAME` and `then`; the `times`-th call first takes the callback away."""
        label, descriptor = self.watched(step)
        callback = self.run_named(step)
        left = [step.get("times")]

        def run():
            if left[0] is not None:
                left[0] -= 1
                if left[0] == 0:
                    getattr(self.loop, f"remove_{kind}")(descriptor)
            callback()
        self.call(f"{label}.add_{kind}", lambda: getattr(self.loop, f"add_{kind}")(descriptor, run) and None)

    def op_add_reader(self, step):
        self.watch(step, "reader")

    def op_add_writer(self, step):
        self.watch(step, "writer")

    def op_remove_reader(self, step):
        label, descriptor = self.watched(step)
        self.call(f"{label}.remove_reader", lambda: self.loop.remove_reader(descriptor), True)

    def op_remove_writer(self, step):
        label, descriptor = self.watched(step)
        self.call(f"{label}.remove_writer", lambda: self.loop.remove_writer(descriptor), True)

    # -- signals

    def number(self, step):
        value = step["signal"]
        return value if isinstance(value, int) else getattr(signal, "SIG" + value)

    def op_add_signal_handler(self, step):
        self.call(f"loop.add_signal_handler {step['signal']}",
                  lambda: self.loop.add_signal_handler(self.number(step), self.run_named(step)))

    def op_remove_signal_handler(self, step):
        self.call(f"loop.remove_signal_handler {step['signal']}",
                  lambda: self.loop.remove_signal_handler(self.number(step)))

    def op_kill(self, step):
        """Sends the signal to the own process, at once or from a thread `after` so many seconds."""
        def run():
            time.sleep(step.get("after", 0))
            os.kill(os.getpid(), self.number(step))
        if "after" in step:
            self.thread(run, wait=False)
        else:
            run()
