"""The trading state: one document, changed by compare-and-set only, checked by every commit that licenses a send."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TradingState(StrEnum):
    """ACTIVE trades; REDUCE_ONLY takes no entries; HALTED also cancels them (house plan, Words)."""

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The state in force, who set it and why; `epoch` counts changes."""

    state: TradingState
    exits_too: bool
    epoch: int
    reason: str
    by: str
    at: datetime
    schema_version: int = 1
