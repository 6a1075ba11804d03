"""The owner's strategies in a run on this machine: what they print, and which of their files nobody runs.

What can go wrong: a strategy prints, and the JSON of the command that runs it cannot be read; a file has the name of a
strategy that ships, and its owner takes the other's decisions for its own. What this promises: what a strategy prints
goes to stderr under its name, the first lines of it; each such file is named before the run.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import TextIOBase
from types import FrameType

from infra.simulated_day.problems import UserError
from shared.errors import ConfigError
from shared.strategies import registry

MOST_LINES = 20
"""So many lines that strategies print are shown; a vote is asked for thousands of times."""
_OWN = f"{registry.OWN_ROOM}."


class _Printed(TextIOBase):
    """Stands for stdout while strategies run."""

    def __init__(self) -> None:
        self._shown, self._rest = 0, ""

    def write(self, text: str) -> int:
        """Pass whole lines on to stderr, each with the name of the strategy that prints it."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._show(line)
        return len(text)

    def end(self) -> None:
        """Pass on what ended without a new line."""
        if self._rest:
            self._show(self._rest)
            self._rest = ""

    def _show(self, line: str) -> None:
        self._shown += 1
        if self._shown <= MOST_LINES:
            sys.stderr.write(f"{_who()} printed: {line}\n")
        elif self._shown == MOST_LINES + 1:
            sys.stderr.write("What strategies print beyond that is not shown.\n")


@contextmanager
def aside() -> Iterator[None]:
    """Keep what strategies print out of stdout while they run."""
    printed = _Printed()
    with redirect_stdout(printed):
        yield
    printed.end()


def left_out(folder: str) -> tuple[str, ...]:
    """Name the files of the owner's folder that nobody runs, for their names ship; raises UserError."""
    try:
        return tuple(f"{one}." for one in registry.taken(folder).values())
    except ConfigError as wrong:
        raise UserError("; ".join(wrong.problems), remedy="correct that first") from None


def _who() -> str:
    """Give whose code is running: the innermost frame that is an owner's."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way to know who prints
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(_OWN):
            return f"Strategy {name.removeprefix(_OWN)}"
        frame = frame.f_back
    return "A strategy"
