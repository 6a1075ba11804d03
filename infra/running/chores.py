"""What a desk does for itself again and again: keep its time, watch its processes, write its status down.

What can go wrong: the disk is full, the system starts no process. What this promises: what refuses a chore ends
nothing; it is in the journal once, with what it said, and once more when it is over; meanwhile `refused` says it.
"""

from collections.abc import Callable
from datetime import timedelta

from infra.one_machine.kernel import Kernel
from infra.simulated_day.problems import UserError
from shared.ports import Journal, Severity


class Chores:
    """Runs each chore as an invocation of its own, with a pause of the kernel's time after it."""

    def __init__(self, *, kernel: Kernel, journal: Journal) -> None:
        self._kernel = kernel
        self._journal = journal
        self._refused: dict[str, str] = {}

    @property
    def refused(self) -> str | None:
        """What was refused and is not yet accepted again; any thread may ask."""
        return "; ".join(self._refused.values()) or None

    def start(self, name: str, chore: Callable[[], object], *, pause: timedelta) -> None:
        """Do a chore from now on; one that raises UserError or OSError is tried again after the pause."""

        def run() -> None:
            while True:
                self._note(name, _refusal(chore))
                self._kernel.sleep_until(self._kernel.now() + pause)

        self._kernel.spawn(run, name=name)

    def _note(self, name: str, detail: str | None) -> None:
        if detail == self._refused.get(name):
            return
        if detail is None:
            del self._refused[name]
            self._journal.line("accepted_again", Severity.WARNING, what=name)
        else:
            self._refused[name] = detail
            self._journal.line("refused", Severity.ERROR, what=name, detail=detail)


def _refusal(chore: Callable[[], object]) -> str | None:
    try:
        chore()
    except UserError as problem:
        return problem.what
    except OSError as problem:
        return str(problem)
    return None
