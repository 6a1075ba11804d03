"""What the scan saw in one minute, and since when it sees nothing: of all its symbols, or of one that is held.

A quote is usable when it has no fault (`quality`). A minute in which no quote was even asked for says nothing, and
neither does one that ended for want of a token: the owner is told of that by other means.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

BLIND_AFTER = 3
"""So many scanned minutes, one after the other, without one usable quote of any symbol are told."""
UNSEEN_AFTER = 5
"""So many without one of a symbol that is held, while others have some: its trading may be paused for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One whole minute of the scan: of `symbols` so many had a usable quote, at least once.

    `faults` are the codes of the others, what most of them had first; `unseen` gives those of each held symbol that had
    no usable quote.
    """

    begins: datetime
    symbols: int
    usable: int
    faults: tuple[str, ...]
    unseen: dict[str, tuple[str, ...]]

    @property
    def blind(self) -> bool:
        """Whether quotes were asked for and none was usable."""
        return bool(self.faults) and not self.usable


def lasts_since(sights: Sequence[Sight], holds: Callable[[Sight], bool], *, minutes: int) -> datetime | None:
    """Say since when it holds for every minute up to the last, None when it is not so many minutes yet.

    `sights` are in their order.
    """
    begun = [sight.begins for sight in sights]
    lasting = next((count for count, sight in enumerate(reversed(sights)) if not holds(sight)), len(begun))
    return begun[-lasting] if lasting >= minutes else None
