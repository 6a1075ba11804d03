"""What the owner is told when something is not traded by a rule or a fact that only a person can change.

`event` is the part of the event's name that tells one from another of its kind.
"""

from datetime import date, datetime

from shared.domain.base.ids import digest
from shared.domain.broker.skew import Off
from shared.frozen import frozen

LEDGER_UNREADABLE = "LEDGER_UNREADABLE"
CONFIGURATION_UNREAD = "CONFIGURATION_UNREAD"
"""Of a session's ledger that cannot be read: no size and no drawdown is known without its profit."""


@frozen
class EntriesBarred:
    """A rule of the account itself, or a document that cannot be read, denies entries.

    `code` is the rule's, `why` what it found.
    """

    code: str
    why: str
    session: date
    at: datetime

    @property
    def event(self) -> str:
        """Name the session and the rule: told once for both."""
        return f"{self.session.isoformat()}:{self.code}"


@frozen
class ClockOff:
    """A function's clock is off from the broker's by `why`, and what follows from that is `off` (`skew`)."""

    function: str
    off: Off
    why: str
    session: date
    at: datetime

    @property
    def event(self) -> str:
        """Name the session and what follows: told once for both, whichever functions find it."""
        return f"{self.session.isoformat()}:{self.off}"


@frozen
class SymbolsUnknown:
    """The broker gives no quote for watched symbols, before the session: nothing is traded in them."""

    symbols: tuple[str, ...]
    session: date
    at: datetime

    @property
    def event(self) -> str:
        """Name the session and the symbols."""
        return f"{self.session.isoformat()}:{digest(*self.symbols)[:16]}"


@frozen
class HistoryMissing:
    """No source of daily bars outside our own store answers; `why` is what each said.

    `known` of the `asked` symbols have bars all the same, of our own or of an earlier day.
    """

    why: str
    known: int
    asked: int
    session: date
    at: datetime

    @property
    def event(self) -> str:
        """Name the session: told once for it."""
        return self.session.isoformat()


@frozen
class SourceKeyBad:
    """A source of daily bars does not take the owner's key; `version` is the key's in the vault."""

    source: str
    version: str
    at: datetime

    @property
    def event(self) -> str:
        """Name the source and the key: told once for both."""
        return f"{self.source}:{self.version}"


Barred = EntriesBarred | ClockOff | SymbolsUnknown | HistoryMissing | SourceKeyBad
