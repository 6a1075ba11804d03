"""How a command ends: a sentence and a remedy on stderr, an exit code, no traceback for a user's mistake."""

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from infra.cli.outlet import acted, outlet_of
from infra.simulated_day.problems import UserError
from shared.domain.telling.wording import count

BROKEN, BAD_INPUT, CRASHED, UNSHOWN, NOT_RUNNING, INTERRUPTED = 1, 2, 3, 4, 5, 130


@contextmanager
def explained(*, acts: bool = False) -> Iterator[None]:
    """Turn a user's mistake into its sentence and exit code 2; `acts` says that a command does more than look."""
    try:
        yield
    except UserError as problem:
        ends = ":" if problem.commands else "."
        say(f"Error: {problem.what}.", f"Remedy: {problem.remedy}{ends}")
        say(*(f"  {command}" for command in problem.commands))
        raise typer.Exit(BAD_INPUT) from None
    except typer.Exit:
        if acts:
            acted()
        raise
    if acts:
        acted()


@contextmanager
def shown() -> Iterator[None]:
    """Let no word that cannot be written fail a command: it is told at the end, with an exit code if all else is well.

    A pipe that its reader closed is no failure: the command ends as it would have.
    """
    before = sys.stdout, sys.stderr
    outlet, sys.stdout = outlet_of(sys.__stdout__)
    _, sys.stderr = outlet_of(sys.__stderr__)
    try:
        yield
    except SystemExit as end:
        sys.stdout.flush()
        if outlet.lost is None:
            raise
        what = "This was done, but could not" if outlet.acted else "Nothing was changed, and nothing could"
        say(f"{what} be shown: {outlet.lost.strerror}.")
        raise SystemExit(end.code or UNSHOWN) from None
    finally:
        sys.stdout, sys.stderr = before


def say(*lines: str) -> None:
    """Write lines to stderr."""
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def say_unread(paths: Iterable[str], there: str) -> None:
    """Name documents that are not listed in one line, each once, with how many they are and what to do."""
    found = list(dict.fromkeys(paths))
    if found:
        many = count(len(found), "document")
        say(f"Not listed, because {many} cannot be read: {', '.join(found)}; {there}.")


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
