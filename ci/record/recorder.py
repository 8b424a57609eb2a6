"""`anyloop record` between a client and a server."""

import glob
import os
import re
import signal
import subprocess

import transcript


class Recorder:
    """`anyloop record` between a client and one server, for one scenario."""

    def __init__(self, command, listen, upstream, folder):
        self.pattern = os.path.join(folder, "recording*.wire")
        for old in glob.glob(self.pattern):
            os.unlink(old)
        self.errors = open(os.path.join(folder, "recorder.err"), "w+")
        self.process = subprocess.Popen(
            [
                *command,
                "--listen",
                listen,
                "--upstream",
                upstream,
                "--output",
                os.path.join(folder, "recording.wire"),
            ],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        line = self.process.stdout.readline()
        if "listening" not in line:
            self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(f"the recorder did not start: {line} {self.errors.read()}")

    def stop(self):
        """Ends the recorder and returns the steps of each connection, in the order of their acceptance."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.errors.close()
        number = lambda path: int((re.search(r"-(\d+)\.wire$", path) or [0, "1"])[1])
        return [transcript.read_steps(path) for path in sorted(glob.glob(self.pattern), key=number)]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
