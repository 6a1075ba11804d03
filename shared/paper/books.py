"""The paper account in the store: one document for what is alive, one for each order that has ended.

Time is let pass at every look, so an order that is shown as ended is ended in the store before anybody acts on it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from shared.codec import decode
from shared.paper.book import LIVE, PaperBook, PaperOrder
from shared.paper.match import aged
from shared.ports import Clock, Journal, Store, Where
from shared.usecases.base.desk import Held, create

BOOK = "paper/book"


class PaperBooks:
    """Reads and replaces the account; `mode_of` tells the real account's mode, asked once, when the book is opened."""

    def __init__(
        self, *, store: Store, clock: Clock, journal: Journal, mode_of: Callable[[str], str], capital_usd: Decimal
    ) -> None:
        self._store = store
        self._clock = clock
        self._journal = journal
        self._mode_of = mode_of
        self._capital_usd = capital_usd
        self._known: Held[PaperBook] | None = None

    def held(self) -> Held[PaperBook] | None:
        """Read the account anew, None before it is opened; typing it again is spared while its version is known."""
        document = self._store.get(BOOK)
        if document is None:
            return None
        known = self._known
        if known is None or known.version != document.version:
            book = decode(PaperBook, document.data)
            self._known = known = Held(path=BOOK, value=book, version=document.version)
        return known

    def open(self, account_key: str) -> tuple[Held[PaperBook], PaperBook, datetime]:
        """Give the account as it was read, what time has made of it, and the instant; the first who asks opens it.

        Raises Conflict when two opened it at once, and what asking for the account's mode raises.
        """
        held = self.held()
        if held is None:
            book = PaperBook(account_mode=self._mode_of(account_key), cash=self._capital_usd)
            version = self._store.commit([create(BOOK, book)])[0]
            held = Held(path=BOOK, value=book, version=version)
        now = self._clock.now()
        return held, aged(held.value, now), now

    def keep(self, held: Held[PaperBook], after: PaperBook) -> PaperBook:
        """Commit what became of the account, if anything did, and give it without the orders that have ended.

        Raises Conflict when somebody else wrote first.
        """
        if after is held.value:
            return after
        kept = replace(after, orders=tuple(order for order in after.orders if order.status in LIVE))
        ended = [order for order in after.orders if order.status not in LIVE]
        self._store.commit(
            [held.update(kept), *(create(_path(order.ticket.client_order_id), order) for order in ended)]
        )
        before = {order.order_id: len(order.fills) for order in held.value.orders}
        for order in after.orders:
            for fill in order.fills[before.get(order.order_id, 0) :]:
                self._journal.line(
                    "paper_fill", order_id=order.order_id, symbol=order.ticket.symbol, side=order.ticket.side.value,
                    quantity=fill.quantity, price=str(fill.price),
                )  # fmt: skip
        return kept

    def was_used(self, client_order_id: str) -> bool:
        """Tell whether an order of this name has ended."""
        return self._store.get(_path(client_order_id)) is not None

    def ended_as(self, order_id: int) -> PaperOrder | None:
        """Give the order of this number that has ended."""
        rows = self._store.query("paper", Where("order_id", "==", order_id))
        return decode(PaperOrder, rows[0].data) if rows else None

    def ended_since(self, day: date) -> list[PaperOrder]:
        """Give every ended order that was placed since a New York day."""
        rows = self._store.query("paper", Where("day", ">=", day.isoformat()))
        return [decode(PaperOrder, row.data) for row in rows]


def _path(client_order_id: str) -> str:
    return f"paper/order-{client_order_id}"
