"""What the functions tell each other; commands imperative, events past. No message carries authority over money.

A tick carries no time of its own: Cloud Scheduler sends a fixed body, so its time is the message's publish time.
"""

import re
from dataclasses import fields, is_dataclass
from datetime import date, datetime

from shared.domain.orders.signals import Signal
from shared.domain.telling.notices import NOTICES, Notice
from shared.frozen import frozen


@frozen
class ScanTick:
    """Scan this minute of the market."""


@frozen
class PrepareTick:
    """Prepare the session; `reason` is "schedule" or "signed-in"."""

    reason: str


@frozen
class SettleTick:
    """Bring the book in line with the broker."""


@frozen
class CloseTick:
    """The session is over: settle what is left and seal the audit heads."""


@frozen
class RefreshTick:
    """Look after the access token."""


@frozen
class EnterPosition:
    """Consider entering on this signal; the copy in the store is the one that counts."""

    signal: Signal


@frozen
class ExitPosition:
    """Sell the position as its document says; the ids only name the decision."""

    symbol: str
    position_id: str
    exit_id: str
    session: date


@frozen
class OrderPlaced:
    """An order has reached the broker, or may have: settlement looks."""

    intent_id: str
    symbol: str


@frozen
class HaltAsked:
    """The owner confirmed a halt on the page of a signed link, which `link` names, at an instant.

    A link may halt again later, and a message may come twice: link and instant together are one ask.
    """

    link: str
    at: datetime

    @property
    def name(self) -> str:
        """The name of this ask, the same each time that it comes."""
        return f"{self.link}:{self.at.isoformat()}"


@frozen
class RenewAsked:
    """A reading that began at `asked_at` was refused for the access token: its keeper judges whether to renew it."""

    asked_at: datetime


@frozen
class HistoryAsked:
    """A session needs daily bars of these symbols, or the broker has said more of the day before it."""

    session: date
    symbols: tuple[str, ...]


@frozen
class FallbackAsked:
    """The broker has quoted none of these symbols `since` an instant: a price from elsewhere is to be shown.

    At most `MOST_FALLBACKS` of them are looked at.
    """

    symbols: tuple[str, ...]
    since: datetime


Message = (
    ScanTick
    | PrepareTick
    | SettleTick
    | CloseTick
    | RefreshTick
    | EnterPosition
    | ExitPosition
    | OrderPlaced
    | HaltAsked
    | RenewAsked
    | HistoryAsked
    | FallbackAsked
    | Notice
)
KINDS: dict[str, type[Message]] = {
    "scan_tick": ScanTick,
    "prepare_tick": PrepareTick,
    "settle_tick": SettleTick,
    "close_tick": CloseTick,
    "refresh_tick": RefreshTick,
    "enter_position": EnterPosition,
    "exit_position": ExitPosition,
    "order_placed": OrderPlaced,
    "halt_asked": HaltAsked,
    "renew_asked": RenewAsked,
    "history_asked": HistoryAsked,
    "fallback_asked": FallbackAsked,
    **NOTICES,
}
NAMES: dict[type[Message], str] = {kind: name for name, kind in KINDS.items()}
SCHEMA_VERSION = 1
MAX_BYTES = 32_768
MOST_FALLBACKS = 10

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:^-]{0,127}")
_NAMING = frozenset({"symbol", "strategy", "signal_id", "position_id", "exit_id", "intent_id"})


def misnamed(value: object) -> str | None:
    """Name the first field of a message that names something and could not be a document's name; None when all can.

    A use case makes paths of them: what cannot be one is the sender's mistake, and never a broken invariant of ours.
    """
    if not is_dataclass(value):
        return None
    for field in fields(value):
        held = getattr(value, field.name)
        if field.name in _NAMING and not (isinstance(held, str) and _NAME.fullmatch(held)):
            return field.name
        if (inner := misnamed(held)) is not None:
            return f"{field.name}.{inner}"
    return None
