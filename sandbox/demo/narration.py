"""The demo's output: acts, progress of steps as they change, and checks that decide its exit status."""

import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

_MARKS = {"running": "…", "done": "✓", "skipped": "–", "failed": "✗"}
_BOLD, _DIM, _RED, _GREEN, _END = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[0m"


class Narrator:
    """Prints a story line by line, and records failed checks. Colours only on a terminal."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out, self._began = out, time.monotonic()
        self._colour = out.isatty()
        self._describe: dict[str, str] = {}
        self.broken: list[str] = []
        self.laps: dict[str, float] = {}

    def lap(self, what: str) -> None:
        """Note the seconds since the previous lap."""
        self.laps[what] = time.monotonic() - self._began - sum(self.laps.values())

    def act(self, title: str) -> None:
        """Open a new act."""
        self._line("")
        self._line(self._in(_BOLD, f"── {title} "))

    def say(self, text: str = "") -> None:
        """Print one line, with the seconds since the start."""
        for line in text.splitlines() or [""]:
            self._line(f"{self._in(_DIM, f'{time.monotonic() - self._began:5.1f}s')}  {line}")

    def command(self, text: str) -> None:
        """Print the command that a person would type now."""
        self.say(self._in(_BOLD, f"$ {text}"))

    def progress(self, lab: Mapping[str, Any]) -> None:
        """Print each step of a lab once when it starts and once when it ends."""
        for step in lab.get("steps", []):
            key = f"{step['workflow']}/{step.get('run')}/{step['name']}"
            if self._describe.get(key) != step["status"]:
                self._describe[key] = step["status"]
                detail = f" — {step['detail']}" if step.get("detail") and step["status"] != "running" else ""
                self.say(f"  {_MARKS[step['status']]} {step['title']}{detail}")

    def check(self, holds: bool, what: str) -> None:
        """Print whether a promise holds; a broken one makes the exit status non-zero."""
        if holds:
            self.say(f"{self._in(_GREEN, '✓')} {what}")
        else:
            self.broken.append(what)
            self.say(self._in(_RED, f"✗ {what}"))

    def _in(self, style: str, text: str) -> str:
        return f"{style}{text}{_END}" if self._colour else text

    def _line(self, text: str) -> None:
        print(text, file=self._out, flush=True)
