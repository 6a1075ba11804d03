"""Notices of rows of the broker's lists that are not as a row of ours is, or that cannot be read (see `notices`)."""

from datetime import date, datetime

from shared.domain.base.ids import digest
from shared.frozen import frozen


@frozen
class OddRow:
    """A row of the account's order list or portfolio is none of ours, or could not be read: `fields` are why.

    `symbols` are what it is about, none where that could not be read; with `more` it sums up rows in so many symbols.
    """

    where: str
    symbols: tuple[str, ...]
    fields: tuple[str, ...]
    session: date
    at: datetime
    more: int = 0

    @property
    def what(self) -> str:
        """One a session, place and symbol; a symbol that is not ours may be no document's name."""
        name = "many" if self.more else digest(*self.symbols)[:16]
        return f"{self.session.isoformat()}:{self.where.replace(' ', '_')}:{name}"


@frozen
class OwnRowOdd:
    """The broker's row of an order of ours cannot be used in full: `fields` are those that cannot."""

    intent_id: str
    symbol: str
    side: str
    quantity: int
    fields: tuple[str, ...]
    session: date
    at: datetime

    @property
    def what(self) -> str:
        """One a session, order and set of fields: that less of it can be used than before is news."""
        return f"{self.session.isoformat()}:{self.intent_id}:{digest(*self.fields)[:16]}"
