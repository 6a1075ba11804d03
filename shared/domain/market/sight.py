"""What the scan saw in one minute, and since when it sees nothing: of all its symbols, or of one that is held.

A quote is usable when it has no fault (`quality`). A minute in which no quote was even asked for says nothing, and
neither does one that ended for want of a token: the owner is told of that by other means.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from shared.frozen import frozen

SECONDS = 60
LOOKED, BLIND = "+", "-"
_MINUTE, _SECOND = timedelta(minutes=1), timedelta(seconds=1)
BLIND_AFTER = 3
"""So many scanned minutes, one after the other, without one usable quote of any symbol are told."""
UNSEEN_AFTER = 5
"""So many without one of a symbol that is held, while others have some: its trading may be paused for so long."""


@frozen
class Sight:
    """One whole minute of the scan: of `symbols` so many had a usable quote, at least once.

    `faults` are the codes of the others, what most of them had first; `unseen` gives those of each held symbol that had
    no usable quote. `seconds` has a sign for each second, LOOKED where every symbol that was due was asked and
    answered; `holds` says whether anything was held.
    """

    begins: datetime
    symbols: int
    usable: int
    faults: tuple[str, ...]
    unseen: dict[str, tuple[str, ...]]
    seconds: str = ""
    holds: bool = False

    @property
    def blind(self) -> bool:
        """Whether quotes were asked for and none was usable."""
        return bool(self.faults) and not self.usable


@frozen
class Looks:
    """How many of so many `seconds` of a session the scan looked at.

    `unseen_s` are the most seconds from one look to the next while something was held, 0 where nothing was.
    `unquoted` are the seconds of those minutes in which quotes were asked for and no symbol had a usable one.
    """

    seconds: int
    looked: int
    unseen_s: int
    unquoted: int = 0

    @property
    def blind(self) -> int:
        """The seconds at which it did not."""
        return self.seconds - self.looked


def looks(sights: Iterable[Sight], begins: datetime, ends: datetime) -> Looks:
    """Count the seconds of the whole minutes from `begins` to `ends`; a minute that left no sight was not looked at."""
    looked, gap, longest, unquoted, holds = 0, 0, 0, 0, False
    minutes = _minutes(sights, begins, ends)
    for _, sight in minutes:
        holds = holds if sight is None else sight.holds
        unquoted += SECONDS if sight is not None and sight.blind else 0
        for sign in _signs(sight):
            gap = gap + 1 if holds else 0
            longest = max(longest, gap)
            if sign == LOOKED:
                looked, gap = looked + 1, 0
    return Looks(seconds=len(minutes) * SECONDS, looked=looked, unseen_s=longest, unquoted=unquoted)


def unwatched(sights: Iterable[Sight], begins: datetime, ends: datetime) -> list[tuple[datetime, datetime]]:
    """Give from when to when the scan did not look, oldest first, in the minutes whose seconds `looks` counts."""
    found = list[tuple[datetime, datetime]]()
    for begun, sight in _minutes(sights, begins, ends):
        for second, sign in enumerate(_signs(sight)):
            at = begun + timedelta(seconds=second)
            if sign != LOOKED and found and found[-1][1] == at:
                found[-1] = (found[-1][0], at + _SECOND)
            elif sign != LOOKED:
                found.append((at, at + _SECOND))
    return found


def _minutes(
    sights: Iterable[Sight], begins: datetime, ends: datetime
) -> list[tuple[datetime, Sight | None]]:  # fmt: skip
    """Give each whole minute from `begins` to `ends` with its sight, None where it left none."""
    known = {sight.begins: sight for sight in sights}
    begins += -timedelta(seconds=begins.second, microseconds=begins.microsecond) % _MINUTE
    begun = (begins + one * _MINUTE for one in range(max(0, (ends - begins) // _MINUTE)))
    return [(one, known.get(one)) for one in begun]


def _signs(sight: Sight | None) -> str:
    return ("" if sight is None else sight.seconds).ljust(SECONDS, BLIND)


def lasts_since(sights: Sequence[Sight], holds: Callable[[Sight], bool], *, minutes: int) -> datetime | None:
    """Say since when it holds for every minute up to the last, None when it is not so many minutes yet.

    `sights` are in their order.
    """
    begun = [sight.begins for sight in sights]
    lasting = next((count for count, sight in enumerate(reversed(sights)) if not holds(sight)), len(begun))
    return begun[-lasting] if lasting >= minutes else None
