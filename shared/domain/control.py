"""The trading state: one document, changed by compare-and-set only, checked by every commit that licenses a send."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class TradingState(StrEnum):
    """ACTIVE trades; REDUCE_ONLY takes no entries; HALTED also cancels them (house plan, Words)."""

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"


MOST_LATER = 10
_FIGURE = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The state in force, who set it first, when and why; `epoch` counts changes.

    `later` are the reasons that came while it was in force, each behind who gave it, the last `MOST_LATER` of them.
    `asked` are the last halts that were asked for by link: each of them halts once, however often its message comes.
    """

    state: TradingState
    exits_too: bool
    epoch: int
    reason: str
    by: str
    at: datetime
    later: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    schema_version: int = 1

    def once_more(self, *, by: str, reason: str, exits_too: bool = False) -> "Control":
        """Give the same state, which it stays since its first instant and for its first reason, with another one."""
        later = (*self.later, f"{by}: {reason}")[-MOST_LATER:]
        return replace(self, exits_too=self.exits_too or exits_too, epoch=self.epoch + 1, later=later)

    def knows(self, *, by: str, reason: str) -> bool:
        """Tell whether somebody gave this reason before, be it with other figures."""
        known = {_FIGURE.sub("", one) for one in (f"{self.by}: {self.reason}", *self.later)}
        return _FIGURE.sub("", f"{by}: {reason}") in known
