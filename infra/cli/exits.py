"""How a command ends: a sentence and a remedy on stderr, an exit code, no traceback for a user's mistake."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
