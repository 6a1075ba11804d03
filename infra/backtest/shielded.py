"""A strategy's own KeyboardInterrupt, where no Ctrl-C can be one: a mistake of its, as all else that it raises."""

import signal
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import ParamSpec, TypeVar

from shared.strategies.form import Bound

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Interrupted(Exception):
    """A strategy raised KeyboardInterrupt itself."""


def shielded(one: Bound) -> Bound:
    """Give a strategy whose KeyboardInterrupt is a mistake of its own, in a process that takes no Ctrl-C; else itself.

    Whoever is at the keyboard interrupts the command, which ends the processes that play (`workers`).
    """
    if one.ships or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        return one
    return replace(one, vote=_kept(one.vote), leave=None if one.leave is None else _kept(one.leave))


def _kept(asked: Callable[_P, _R]) -> Callable[_P, _R]:
    @wraps(asked)
    def ask(*words: _P.args, **more: _P.kwargs) -> _R:
        try:
            return asked(*words, **more)
        except KeyboardInterrupt as raised:
            raise Interrupted(f"KeyboardInterrupt {raised}".strip()) from None

    return ask
