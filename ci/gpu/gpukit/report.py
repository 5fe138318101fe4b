"""The report: complete after each part, whatever happens in the next."""

import os
import time

MARKS = {"passed": "passed", "failed": "**failed**", "not run": "not run"}


class Clock:
    """The time that is left of all."""

    def __init__(self, minutes):
        self.started = time.monotonic()
        self.seconds = minutes * 60

    def left(self):
        return self.seconds - self.spent()

    def spent(self):
        return time.monotonic() - self.started


class Report:
    def __init__(self, path, title, clock, planned):
        self.path = path
        self.title = title
        self.clock = clock
        self.head = []
        # Everything that is planned is in the report from the start.
        self.parts = {name: ("not run", "", 0.0) for name in planned}
        self.write()

    def put(self, name, status, text, seconds):
        self.parts[name] = (status, text, seconds)
        self.write()

    @property
    def failed(self):
        return [name for name, (status, _, _) in self.parts.items() if status == "failed"]

    def text(self):
        lines = [
            f"# {self.title}",
            "",
            *self.head,
            "",
            "| part | result | time |",
            "|---|---|---:|",
        ]
        for name, (status, _, seconds) in self.parts.items():
            spent = f"{seconds:.0f} s" if seconds else ""
            lines.append(f"| {name} | {MARKS[status]} | {spent} |")
        lines.append(f"\nAll together took {self.clock.spent():.0f} s.")
        for name, (_, text, _) in self.parts.items():
            lines += ["", f"## {name}", "", text or "The run ended before this part."]
        return "\n".join(lines) + "\n"

    def write(self):
        """Whole or not at all: who reads it meanwhile sees no half."""
        part = self.path.with_suffix(".part")
        part.write_text(self.text())
        os.replace(part, self.path)


def table(header, rows):
    """A Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def fenced(text):
    return "```\n" + text.strip().replace("```", "'''") + "\n```"
