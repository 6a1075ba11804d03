"""What the broker said before a session: one document, written by the scan, read by whoever makes daily bars."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from shared.ports import Store
from shared.usecases.base.desk import Held, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """What the broker said before a session: the close of the session before by symbol, in USD, and what it misses.

    `spreads` are the last that were quoted, in basis points.
    `unquoted` are the watched symbols without a quote of which the owner heard.
    """

    session: date
    closes: dict[str, Decimal] = field(default_factory=dict)
    unquoted: tuple[str, ...] = ()
    spreads: dict[str, Decimal] = field(default_factory=dict)


def morning_of(store: Store, session: date) -> Held[Morning] | None:
    """Read what the broker said before a session."""
    return read(store, Morning, morning_path(session))


def morning_path(session: date) -> str:
    """Name the document of a session."""
    return f"mornings/{session:%Y%m%d}"
