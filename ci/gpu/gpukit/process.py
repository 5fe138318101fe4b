"""Programs with a time limit, whose output is kept whole in a log and cut in the report."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass


@dataclass
class Outcome:
    """How a program ended. `code` is None where it ran into its limit."""

    code: int | None
    stdout: str
    stderr: str
    seconds: float
    limit: float

    @property
    def ok(self):
        return self.code == 0

    @property
    def ended(self):
        """How it ended, in words."""
        if self.code is None:
            return f"stopped after {self.limit:.0f} s"
        if self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}"
        return f"exit code {self.code}"

    def tail(self, lines=25):
        """The end of what it printed."""
        return cut((self.stdout + self.stderr).strip(), lines)


def cut(text, lines=25, columns=300):
    """The last lines of a text, long ones shortened, with a line that says how many are missing."""
    rows = [row if len(row) <= columns else row[:columns] + " …" for row in text.splitlines()]
    if len(rows) <= lines:
        return "\n".join(rows)
    return "\n".join([f"… ({len(rows) - lines} lines before)", *rows[-lines:]])


def run(command, limit, env=None, cwd=None, log=None):
    """Runs `command` for at most `limit` seconds; ends all that it started when it is over."""
    limit = max(limit, 1.0)
    started = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            return Outcome(127, "", f"cannot start {command[0]}: {error}", 0.0, limit)
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end_group(child)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    outcome = Outcome(code, *texts, time.monotonic() - started, limit)
    if log is not None:
        log.note(command, outcome)
    return outcome


def end_group(child):
    """Ends the child, where it still runs, and what it left behind."""
    # Where nothing is left of it there is no such group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


class Log:
    """Whole outputs, up to a size that can travel."""

    MOST = 8 << 20

    def __init__(self, path):
        self.path = path
        self.written = 0
        path.write_text("")

    def note(self, command, outcome):
        text = (
            f"$ {' '.join(str(word) for word in command)}\n"
            f"{outcome.stdout}{outcome.stderr}[{outcome.ended}, {outcome.seconds:.1f} s]\n\n"
        )
        room = self.MOST - self.written
        if room > 0:
            with self.path.open("a") as file:
                file.write(text[:room])
        self.written += len(text)
