"""What the public page refused: counted in memory, written down in batches, told to the owner.

What can go wrong: anybody can send forged links, cookies and callbacks, thousands a minute, many at once. What this
promises: a refusal touches no document; one of an instance's refusals in five minutes writes down how many there were,
so that nobody can make this cost money; none is lost in a crowd, for what a failed write counted is counted again by
the next. What an instance has counted and not written when it ends is gone with it: five minutes of strangers, never of
the owner. The journal has the first of each minute, with how many were left out since the line before.
"""

import threading
from datetime import datetime, timedelta

from shared.errors import DeskError
from shared.ports import Severity
from shared.usecases.base.desk import Desk
from shared.usecases.sign_in import refusals
from shared.usecases.telling.notices import post

WRITE_EVERY = timedelta(minutes=5)
MOST_LINES_A_MINUTE = 20
_MINUTE = timedelta(minutes=1)


class RefusalCount:
    """One instance's count of what it refused."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._pending = 0
        self._written_at: datetime | None = None
        self._minute: datetime | None = None
        self._lines = 0
        self._unsaid = 0

    def add(self, why: str) -> None:
        """Count one refusal; the first writes the count down, then one in five minutes does."""
        now = self._desk.clock.now()
        with self._lock:
            self._pending += 1
            due = self._written_at is None or now - self._written_at >= WRITE_EVERY
            if due:
                self._written_at = now
            unsaid = self._to_say(now)
        if unsaid is not None:
            self._desk.journal.line("sign_in_refused", Severity.WARNING, why=why, unsaid=unsaid)
        if due:
            self.write()

    def write(self) -> None:
        """Write down what was counted since the last time, and tell the owner of the first, then once an hour.

        A store that fails must not turn a refusal into anything else: then the next write counts these, too.
        """
        with self._lock:
            taken, self._pending = self._pending, 0
        if not taken:
            return
        try:
            telling = refusals.write(self._desk, taken)
        except DeskError as problem:
            with self._lock:
                self._pending += taken
            kind = type(problem).__name__
            self._desk.journal.line("refusals_not_written", Severity.WARNING, kind=kind, count=taken)
            return
        if telling:
            post(self._desk)

    def _to_say(self, now: datetime) -> int | None:
        """Tell how many lines were left out before this one, or None where this one is left out, too."""
        if self._minute is None or now - self._minute >= _MINUTE:
            self._minute, self._lines = now, 0
        if self._lines >= MOST_LINES_A_MINUTE:
            self._unsaid += 1
            return None
        self._lines += 1
        unsaid, self._unsaid = self._unsaid, 0
        return unsaid
