"""The SideBySide port on the kernel: greenlets that have the name of their caller, and die with it."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from typing import TypeVar

from infra.one_machine.kernel import Crashed, Kernel
from shared.gcp.threads import outcome

T = TypeVar("T")


class Greenlets:
    """Does pieces of work as forks of the invocation that asks; equal seeds give equal orders."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def ask(self, works: Sequence[Callable[[], T]], *, apart: timedelta) -> list[T | Exception]:
        """Start each `apart` after the one before it, wait for all, and give what each gave or raised, in order."""
        if not works:
            return []
        outcomes: dict[int, T | Exception] = {}

        def do(number: int) -> None:
            outcomes[number] = outcome(works[number])

        began = self._kernel.now()
        # A copy of the context for each, made here: a greenlet begins with an empty one.
        forks = [
            self._kernel.fork(partial(copy_context().run, do, number), at=began + number * apart)
            for number in range(1, len(works))
        ]
        try:
            do(0)
            self._kernel.join(forks)
        except BaseException:
            self._kernel.kill(forks)
            raise
        if len(outcomes) < len(works):  # somebody killed one of them alone
            raise Crashed("a piece of work")
        return [outcomes[number] for number in range(len(works))]
