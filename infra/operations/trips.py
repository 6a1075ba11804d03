"""Every round trip of a system, and that their sum is what its ledgers say.

What can go wrong: a position is left out, because its symbol was bought again and the book keeps one position for each
symbol; a row cannot be read. What this promises: round trips are made by the same code as every report's
(infra.results.trades); each session's sum is compared with its ledger, and a difference is told, never hidden.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Self

from infra.operations.look import typed
from infra.results.facts import Trade
from infra.results.trades import trades
from infra.simulated_day.book import Documents
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill, Ledger, standing
from shared.domain.orders.taken import Taken
from shared.frozen import frozen
from shared.ports import Document

_TRIES = 5


@frozen
class SessionSum:
    """What the round trips brought in one session in USD, and what the session's ledger says, None without one."""

    session: date
    realized: Decimal
    ledger: Decimal | None

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.realized == (self.ledger or Decimal(0))


@frozen
class Trips:
    """Round trips by the time of their first fill; `realized` in USD, after fees that are known, and `unpriced` shares
    are theirs alone.

    `sessions` are of all of them, also of those that were not asked for; `unread` are documents that are in none.
    """

    trades: tuple[Trade, ...]
    realized: Decimal
    unpriced: int
    sessions: tuple[SessionSum, ...]
    unread: tuple[str, ...]

    @classmethod
    def of(cls, found: Sequence[Trade], *, sessions: tuple[SessionSum, ...], unread: Sequence[str]) -> Self:
        """Sum round trips up."""
        return cls(
            trades=tuple(found), realized=sum((one.net for one in found), Decimal(0)),
            unpriced=sum(one.unpriced for one in found), sessions=sessions, unread=tuple(unread),
        )  # fmt: skip

    def only(self, *, symbol: str | None, last: int | None) -> "Trips":
        """Give those of one symbol, and of them the last ones, with their own sum."""
        found = [one for one in self.trades if symbol is None or one.symbol == symbol.upper()]
        kept = found if last is None else found[-last:]
        return Trips.of(kept, sessions=self.sessions, unread=self.unread)


@frozen
class Money:
    """All that moved a system's money, read at one instant; `fills` are those that count, `unread` what is in none."""

    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    taken: tuple[Taken, ...]
    ledgers: tuple[Ledger, ...]
    sessions: tuple[SessionSum, ...]
    unread: tuple[str, ...]


def trips(store: Documents) -> Trips:
    """Give every round trip of a store, those that are still open too; raises StoreDown."""
    money = moved(store)
    found = trades(orders=money.orders, fills=money.fills, taken=money.taken)
    return Trips.of(found, sessions=money.sessions, unread=money.unread)


def moved(store: Documents) -> Money:
    """Read what moved a system's money; raises StoreDown.

    Each fill changes a ledger: where one changed while the rest was read, all is read again.
    """
    before = store.query("ledger")
    found = _read(store, before)
    for _ in range(_TRIES):
        after = store.query("ledger")
        if after == before:
            break
        found, before = _read(store, after), after
    return found


def _read(store: Documents, ledgers: Sequence[Document]) -> Money:
    unread: list[str] = []
    orders = typed(Order, store.query("orders"), unread)
    fills = typed(Fill, store.query("fills"), unread)
    taken = typed(Taken, store.query("taken"), unread)
    said = typed(Ledger, ledgers, unread)
    return Money(
        orders=tuple(orders), fills=tuple(_as_learned(fills)), taken=tuple(taken), ledgers=tuple(said),
        sessions=_sessions(orders, fills, taken, said), unread=tuple(unread),
    )  # fmt: skip


def _as_learned(fills: Sequence[Fill]) -> list[Fill]:
    """Give the fills that count, each at the instant when it was first booked, also where its price came later."""
    first: dict[tuple[int, int], datetime] = {}
    for fill in fills:
        name = (fill.broker_order_id, fill.cumulative)
        first[name] = min(first.get(name, fill.at), fill.at)
    found = [replace(fill, at=first[fill.broker_order_id, fill.cumulative]) for fill in standing(fills)]
    return sorted(found, key=lambda fill: (fill.at, fill.broker_order_id, fill.cumulative))


def _sessions(
    orders: Sequence[Order], fills: Sequence[Fill], taken: Sequence[Taken], ledgers: Sequence[Ledger]
) -> tuple[SessionSum, ...]:
    """Sum profits up by session: that of a fill is its order's."""
    of = {order.intent_id: order.session for order in orders}
    said = {one.session: one.realized for one in ledgers}
    sums = defaultdict[date, Decimal](Decimal, dict.fromkeys(said, Decimal(0)))
    for fill in fills:
        if (session := of.get(fill.intent_id)) is not None:
            sums[session] += fill.realized
    for one in taken:
        sums[one.session] += one.realized
    return tuple(
        SessionSum(session=session, realized=sums[session], ledger=said.get(session)) for session in sorted(sums)
    )
