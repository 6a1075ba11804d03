"""A recording that is kept in memory, for tests of what is kept and of what a replay makes of it."""

from datetime import date
from typing import Any

from shared.codec import loads
from shared.errors import NotKept


class ListedLooks:
    """Keeps the lines of a recording; `full` makes it refuse, `wanted` says whether one is wanted at all."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.wanted, self.full, self.turns = True, False, 0
        self._run = 0
        self._kept = False

    @property
    def lines(self) -> list[list[Any]]:
        """The lines so far."""
        return [loads(line) for line in self.raw]

    def open(self, _day: date) -> int:
        """Give the number of the run of lines."""
        if not self.wanted or self.full:
            self._kept = False
        if self.full:
            raise NotKept("the disk takes no more")
        if self.wanted and not self._kept:
            self._run, self._kept = self._run + 1, True
        return self._run if self._kept else 0

    def keep(self, line: bytes) -> None:
        """Keep a line."""
        if self.full:
            self._kept = False
            raise NotKept("the disk takes no more")
        self.raw.append(line)

    def turn(self) -> None:
        """Count a minute."""
        self.turns += 1
