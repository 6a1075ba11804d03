"""The daily bars with which a session is traded: one document a symbol, and one that says how the work stands.

`market_history` alone writes them; the scan, which trades on them, and the owner's status read.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from shared.domain.market.series import Series
from shared.frozen import frozen
from shared.usecases.base.desk import Desk, Held, read_sound


@frozen
class Warmth:
    """A symbol's daily bars from before `session`, for which they were gathered."""

    session: date
    series: Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """How the history of a session stands: `days` are each symbol's bars that lead up to it without a gap.

    `kept` is the last session whose own bars are kept, `told` whether the owner heard that every source fails, `rest`
    until when a source that refused is not asked, `skipped` are the sources of the setting that are not asked at all,
    each with why, `refused` those that do not take their key, each with the version of it, of which the owner heard.
    """

    session: date
    at: datetime
    days: dict[str, int]
    kept: date
    told: bool = False
    rest: dict[str, datetime] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def prepared(desk: Desk) -> Held[Prepared] | None:
    """Read how the work stands, None before the first."""
    return read_sound(desk, Prepared, "prepared/history")


def known_days(desk: Desk, symbol: str, session: date) -> Series | None:
    """Give the daily bars of a symbol for a session; those gathered for an earlier one where there are no others."""
    held = read_sound(desk, Warmth, f"history/{symbol}")
    return held.value.series if held is not None and held.value.session <= session else None
