"""What a symbol's signals of a day became: what is held of it, how often it was bought, and why the last one was not.

What can go wrong: a symbol that was bought is told with a reason why it was not; a signal came to nothing, and nobody
finds which order says why. What this promises: a purchase and a signal that became none are told from the orders, with
the time, the reason and the order's id as `strategy explain` takes it.
"""

from collections.abc import Sequence
from datetime import date, datetime

from infra.operations import look
from infra.results.ends import skipped
from infra.results.receipts import Decision, decisions
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Position
from shared.domain.orders.signals import Signal
from shared.frozen import frozen
from shared.ports import Store, Where


@frozen
class Wanted:
    """One signal to buy, decided at `at`: so many `shares` were bought, or with 0 of them `sentence` says why none.

    `order` is the id of its order, as short as tells it apart; None where the signal got none.
    """

    at: datetime
    shares: int
    sentence: str
    order: str | None


@frozen
class Bought:
    """A symbol's purchases of a day: `held` shares now, since `held_since`, `times` bought, `last` its last signal.

    `held` is 0 and `held_since` None where nothing is held; `last` is None where no signal was given.
    """

    symbol: str
    held: int
    held_since: datetime | None
    times: int
    last: Wanted | None

    @property
    def in_vain(self) -> Wanted | None:
        """The last signal where it bought nothing, and nothing is held."""
        return self.last if self.last is not None and not self.last.shares and not self.held else None


def purchases(store: Store, day: date, unread: list[str], *, until: datetime | None = None) -> dict[str, Bought]:
    """Give the purchases of a New York day by symbol, of each that is held or had a signal; raises StoreDown.

    With `until` only the signals by then count, and nothing is said of what is held now. What cannot be read is added
    to `unread`.
    """
    held = {} if until is not None else {one.symbol: one for one in look.positions(store, unread=unread)}
    rows = look.typed(Signal, store.query("signals", Where("session", "==", day.isoformat())), unread)
    signals = [one for one in rows if until is None or one.decided_at <= until]
    orders = look.orders(store, every=True, unread=unread)
    length = look.shortest([one.intent_id for one in orders])
    by_symbol: dict[str, list[Decision]] = {}
    for one in decisions(signals, orders=orders, events=(), fills=()):
        by_symbol.setdefault(one.signal.symbol, []).append(one)
    return {
        symbol: _bought(symbol, held.get(symbol), by_symbol.get(symbol, ()), length)
        for symbol in sorted({*held, *by_symbol})
    }


def _bought(symbol: str, held: Position | None, found: Sequence[Decision], length: int) -> Bought:
    return Bought(
        symbol=symbol, held=0 if held is None else held.quantity, held_since=None if held is None else held.opened_at,
        times=sum(one.shares > 0 for one in found), last=_wanted(found[-1], length) if found else None,
    )  # fmt: skip


def _wanted(decision: Decision, length: int) -> Wanted:
    entry: Order | None = decision.entry
    return Wanted(
        at=decision.at, shares=decision.shares, sentence="".join(one.sentence for one in skipped([decision])),
        order=None if entry is None else entry.intent_id[:length],
    )  # fmt: skip
