"""How a command ends: a sentence and a remedy on stderr, an exit code, no traceback for a user's mistake."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from infra.day.problems import UserError

BROKEN, BAD_INPUT, CRASHED, INTERRUPTED = 1, 2, 3, 130


@contextmanager
def explained() -> Iterator[None]:
    """Turn a user's mistake into its sentence and exit code 2."""
    try:
        yield
    except UserError as problem:
        say(f"Error: {problem.what}.", f"Remedy: {problem.remedy}.")
        raise typer.Exit(BAD_INPUT) from None


def say(*lines: str) -> None:
    """Write lines to stderr."""
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def told_to_end() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C, SIGTERM or a closed terminal sets, from before the address is printed."""
    told = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
