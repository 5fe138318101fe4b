"""A kernel driven as Jupyter drives it, and what it sends."""

import errno
import json
import os
import re
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty

import psutil
import zmq
from jupyter_client import KernelManager

# Whatever the person's: tests that want another language say so.
os.environ["BLITZ_LANGUAGE"] = "en"
# A test of cells compiles them. What runs whole notebooks takes what other kernels have compiled.
os.environ["BLITZ_KEPT_CELLS"] = "off"
WITH_KEPT_CELLS = {name: it for name, it in os.environ.items() if name != "BLITZ_KEPT_CELLS"}

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "notebooks"
PROGRAM = ROOT / ".blitz/bin/blitz-kernel"
BUILD_DIRS = ROOT / ".blitz/kernels"

DEPENDENCIES = ':dep tch = "=0.24.0"\n:dep blitz = { path = "../crates/blitz" }'
IMPORTS = "use blitz::prelude::*;"

# The longest wait, in seconds, for anything. No test asserts a time: a kernel that hangs fails its
# test instead of the whole run, and one on a slow or busy machine has all the time it needs.
LIMIT = 600
STARTS = 3
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def without_colours(text):
    return COLOURS.sub("", text)


@dataclass
class Message:
    """A message as it arrived."""

    kind: str
    content: dict
    parent: dict
    metadata: dict


@dataclass
class Execution:
    """A request and everything that it caused."""

    id: str
    header: dict
    messages: list = field(default_factory=list)
    reply: dict = None

    def of(self, *kinds):
        return [message for message in self.messages if message.kind in kinds]

    @property
    def idle(self):
        """Whether the request's `idle` has arrived."""
        return any(m.content["execution_state"] == "idle" for m in self.of("status"))

    @property
    def status(self):
        return self.reply["status"]

    def text(self, name):
        return "".join(m.content["text"] for m in self.of("stream") if m.content["name"] == name)

    @property
    def stdout(self):
        return self.text("stdout")

    @property
    def stderr(self):
        return self.text("stderr")

    @property
    def result(self):
        """The MIME bundle of the last expression; None where there is none."""
        results = self.of("execute_result")
        assert len(results) <= 1, "a cell has one result"
        return results[0].content["data"] if results else None

    @property
    def error(self):
        """The one error that was reported, after checking that message and reply agree."""
        errors = self.of("error")
        assert len(errors) == 1, f"expected one error message, got {self.summary()}"
        content = errors[0].content
        assert self.reply["status"] == "error", self.reply
        for key in ["ename", "evalue", "traceback"]:
            assert self.reply[key] == content[key], f"{key} differs in reply and message"
        return content

    @property
    def traceback(self):
        return without_colours("\n".join(self.error["traceback"]))

    def ok(self):
        """Itself, after checking that it went well."""
        assert self.reply["status"] == "ok" and not self.of("error"), self.summary()
        return self

    def summary(self):
        shown = [(m.kind, str(m.content)[:300]) for m in self.messages if m.kind != "status"]
        return f"{shown}, reply {str(self.reply)[:600]}"


class Kernel:
    """A running kernel with one client."""

    def __init__(self, name="rust", env=None, cwd=NOTEBOOKS):
        self.folder = Path(tempfile.mkdtemp(prefix="blitz-test-"))
        self.log = self.folder / "kernel.log"
        self.requests = {}
        for start in range(1, STARTS + 1):
            try:
                self._start(name, env, cwd)
                return
            except RuntimeError as error:
                # Ports are free when Jupyter chooses them; another process may take one since.
                self.manager.shutdown_kernel(now=True)
                if start == STARTS or "died" not in str(error):
                    raise RuntimeError(f"{error}\n{self.log.read_text()}") from error

    def _start(self, name, env, cwd):
        self.manager = KernelManager(kernel_name=name)
        arguments = {} if env is None else {"env": env}
        # Stays open: Jupyter uses it again where it restarts the kernel.
        self.log_file = self.log.open("a")
        output = {"stdout": self.log_file, "stderr": self.log_file}
        self.manager.start_kernel(cwd=str(cwd), **output, **arguments)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LIMIT)
        self.channels = {
            channel.socket: channel
            for channel in [
                self.client.iopub_channel,
                self.client.shell_channel,
                self.client.control_channel,
                self.client.stdin_channel,
            ]
        }
        self.poller = zmq.Poller()
        for socket in self.channels:
            self.poller.register(socket, zmq.POLLIN)

    @property
    def process(self):
        return psutil.Process(self.manager.provisioner.pid)

    def build_dir(self):
        """Where this kernel builds cells."""
        dirs = list(BUILD_DIRS.glob(f"{self.process.pid}-*"))
        assert len(dirs) == 1, f"one build directory of its own, found {dirs}"
        return dirs[0]

    def send(self, kind, content, channel="shell", metadata=None):
        """Sends a request and returns what will become of it."""
        channel = getattr(self.client, f"{channel}_channel")
        message = self.client.session.msg(kind, content, metadata=metadata)
        request = Execution(message["header"]["msg_id"], message["header"])
        self.requests[request.id] = request
        channel.send(message)
        return request

    def submit(self, code, cell=None, **options):
        """Sends a cell, without waiting. `cell` is what the front end calls it, if it says so."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        metadata = {} if cell is None else {"cellId": cell}
        return self.send("execute_request", content | options, metadata=metadata)

    def execute(self, code, cell=None, **options):
        """Runs a cell to its end."""
        return self.finish(self.submit(code, cell, **options))

    def ask(self, kind, content=None, channel="shell"):
        """Sends a request and waits for its end."""
        return self.finish(self.send(f"{kind}_request", content or {}, channel))

    def interrupt(self):
        return self.ask("interrupt", channel="control")

    def pump(self, seconds):
        """Takes in what arrives; returns as soon as something did."""
        for socket, _ in self.poller.poll(seconds * 1000):
            channel = self.channels[socket]
            while True:
                try:
                    message = channel.get_msg(timeout=0)
                except Empty:
                    break
                self._take(message, channel)

    def _take(self, message, channel):
        request = self.requests.get(message["parent_header"].get("msg_id"))
        if request is None:
            return
        if channel is self.client.iopub_channel or channel is self.client.stdin_channel:
            content, parent = message["content"], message["parent_header"]
            taken = Message(message["msg_type"], content, parent, message["metadata"])
            request.messages.append(taken)
        else:
            assert request.reply is None, f"two replies: {request.reply}, {message['content']}"
            request.reply = message["content"]

    def wait(self, condition, what):
        """Waits until `condition()` is true, and fails where the kernel died or takes too long."""
        deadline = time.time() + LIMIT
        while not condition():
            self.pump(0.2)
            if condition():
                return
            assert self.manager.is_alive(), f"the kernel died: {self.log.read_text()[-2000:]}"
            assert time.time() < deadline, f"{what} did not come within {LIMIT} s"

    def finish(self, request):
        what = f"the end of {request.header['msg_type']}"
        self.wait(lambda: request.reply and request.idle, what)
        return request

    def wait_for_text(self, request, text):
        self.wait(lambda: text in request.stdout, f"the text {text!r}")

    def is_usable(self):
        """Whether the kernel lives and nothing is pending, so that another test can have it."""
        pending = [r for r in self.requests.values() if not (r.reply and r.idle)]
        return not pending and self.manager.is_alive()

    def forget(self):
        """Forgets finished requests."""
        self.requests.clear()

    def stop(self, now=False):
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=now)
        self.log_file.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class SharedKernel:
    """A kernel for the tests of a module: one that a test left unusable is replaced."""

    def __init__(self, cells):
        self.cells = cells
        self.kernel = None

    def get(self):
        if self.kernel is not None and not self.kernel.is_usable():
            self.kernel.stop(now=True)
            self.kernel = None
        if self.kernel is None:
            kernel = Kernel()
            try:
                for cell in self.cells:
                    kernel.execute(cell).ok()
            except BaseException:
                kernel.stop(now=True)
                raise
            self.kernel = kernel
        self.kernel.forget()
        return self.kernel

    def stop(self):
        if self.kernel is not None:
            self.kernel.stop()


def display_command(command):
    """Rust that asks the kernel to display, as crates/blitz does: one line behind a 0x1e."""
    import json

    return f'print!("\\u{{1e}}blitz {{}}\\n", r####"{json.dumps(command)}"####);'


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition, what):
    deadline = time.time() + LIMIT
    while not condition():
        assert time.time() < deadline, f"{what}: not within {LIMIT} s"
        time.sleep(0.05)


class Gates:
    """Places where a cell waits until the test lets it go on: so what the test sees before that was
    sent while the cell ran, however fast or slow anything is."""

    # To be executed first.
    RUST = """
fn wait_at(gate: &str) {
    while !std::path::Path::new(gate).exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
"""

    def __init__(self, folder):
        self.folder = Path(folder)

    def wait_at(self, name):
        """The statement that waits at the gate."""
        return f'wait_at("{self.folder}/{name}");'

    def wait_at_each(self, names):
        """A statement that waits at one gate after the other, by the value of `i`."""
        return f'wait_at(&format!("{self.folder}/{names}-{{i}}"));'

    def open(self, name):
        (self.folder / name).touch()


class HeldCompilation:
    """A cell that rustc compiles until the test lets it end: the cell includes a pipe."""

    def __init__(self, folder):
        self.path = Path(folder) / "pipe"
        os.mkfifo(self.path)
        self.pipe = None
        self.expression = f'include_str!("{self.path}")'

    def has_begun(self):
        """Whether rustc has come to the pipe, where it now waits."""
        if self.pipe is None:
            try:
                self.pipe = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                assert error.errno == errno.ENXIO, error
        return self.pipe is not None

    def release(self, text="text"):
        """Lets rustc go on, with `text` as what the pipe holds."""
        os.write(self.pipe, text.encode())
        self.abandon()

    def abandon(self):
        """Lets go of the pipe, where rustc is gone."""
        if self.pipe is not None:
            os.close(self.pipe)
            self.pipe = None


# Each says who was called and becomes the real tool.
WRAPPER = '#!/bin/sh\necho {tool} >> "{log}"\nexec "{real}" "$@"\n'


@contextmanager
def called_tools(kernel, directory):
    """A function that returns which tools the kernel has called since the last time, in their
    order. Files for it go into the directory."""
    file, log = kernel.build_dir() / "toolchain.json", directory / "calls"
    original = file.read_text()
    session = json.loads(original)
    for tool in ["cargo", "rustc"]:
        wrapper = directory / tool
        real = session["toolchain"][tool]["path"]
        wrapper.write_text(WRAPPER.format(tool=tool, log=log, real=real))
        wrapper.chmod(0o755)
        session["toolchain"][tool]["path"] = str(wrapper)

    def since_last():
        called = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return called

    file.write_text(json.dumps(session))
    try:
        yield since_last
    finally:
        file.write_text(original)
