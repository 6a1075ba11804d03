"""What is shown again and again: drawn in place on a terminal, lines in a pipe, until Ctrl-C or the reader is gone.

What can go wrong: a round takes longer than its pause; the reader of a pipe is gone and the asking goes on. What this
promises: nothing is asked again before the answer before was shown and a pause has passed.
"""

import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.live import Live

from infra.cli.outlet import unread
from shared.codec import dumps, encode

T = TypeVar("T")
Wait = Callable[[float], bool]
"""Waits so many seconds, and tells whether it was told to end meanwhile."""


def watch(
    ask: Callable[[], T], wait: Wait, console: Console, *, every_s: float, json: bool,
    drawn: Callable[[T, Console], RenderableType], plain: Callable[[T], Iterable[str]],
) -> None:  # fmt: skip
    """Ask and show until told to end; `wait` is given how long after the last answer to ask again.

    On a terminal what is `drawn` covers what was there before, elsewhere a round is its `plain` lines, or one of JSON.
    """
    live = Live(console=console, auto_refresh=False) if console.is_terminal and not json else None
    with live or nullcontext():
        while True:
            found = ask()
            if live is not None:
                live.update(drawn(found, console), refresh=True)
            else:
                lines = [dumps(encode(found)).decode()] if json else plain(found)
                sys.stdout.writelines(f"{line}\n" for line in lines)
                sys.stdout.flush()
            if unread() or wait(every_s):
                return
