"""Shares that left the account by the owner's hand: which of the owner's sells they were, and what that leaves.

What can go wrong: nobody tells us what a share brought that was transferred, or sold in an order that cannot be read.
What this promises: a price is the average of the owner's own sells in the broker's list, each of their shares counted
once; where there is none the shares are unpriced, which stays written down, and no profit is made up for them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from shared.domain.base import audit
from shared.domain.base.calendar import new_york_day
from shared.domain.base.values import Side, cents
from shared.domain.broker.brokerage import BrokerOrder
from shared.domain.orders import book
from shared.domain.orders.positions import Ledger, Position
from shared.frozen import frozen

_MONEY = Decimal("0.000001")
_AVERAGE = Decimal("0.000000000001")


@frozen
class OwnersSell:
    """Shares of one order of the owner's that were shares of ours, and what they brought in USD."""

    broker_order_id: int
    quantity: int
    proceeds: Decimal


@frozen
class Taken:
    """Shares that a position lost without an order of ours: since when they were missed, and when they were booked.

    `sells` are the owner's that explain them; `unpriced` is how many no sell explains. `realized` in USD is of the
    priced ones alone.
    """

    taken_id: str
    position_id: str
    symbol: str
    session: date
    quantity: int
    unpriced: int
    sells: tuple[OwnersSell, ...]
    realized: Decimal
    since: datetime
    at: datetime
    audit_head: str = audit.GENESIS
    schema_version: int = 1

    @property
    def price(self) -> Decimal | None:
        """The average in USD that the priced shares brought, None where there are none."""
        return _price(self.sells)


def owners_sells(
    listing: Iterable[BrokerOrder], symbol: str, *, since: date, ours: Iterable[int], earlier: Iterable[Taken]
) -> tuple[OwnersSell, ...]:
    """Give what the owner's own sells of a symbol have filled beyond what `earlier` takings counted, oldest first.

    `ours` are the numbers of the broker orders that an intent of ours owns. A sell that was placed on a day before
    `since`, when the shares were bought, was of other shares: a list may go back further than a position.
    """
    counted = [sell for taken in earlier for sell in taken.sells]
    mine = set(ours)
    rows = [seen for seen in listing if seen.symbol == symbol and seen.order_id not in mine]
    found = [_beyond(row, counted) for row in rows if row.placed_at is None or new_york_day(row.placed_at) >= since]
    return tuple(sorted((one for one in found if one is not None), key=lambda sell: sell.broker_order_id))


def allot(quantity: int, sells: Sequence[OwnersSell]) -> tuple[OwnersSell, ...]:
    """Give the parts of the sells, oldest first, that make up to so many shares."""
    parts: list[OwnersSell] = []
    for sell in sells:
        wanted = min(sell.quantity, quantity - sum(part.quantity for part in parts))
        if wanted <= 0:
            break
        proceeds = (sell.proceeds * wanted / sell.quantity).quantize(_MONEY)
        parts.append(replace(sell, quantity=wanted, proceeds=proceeds))
    return tuple(parts)


def take_out(
    position: Position, *, quantity: int, sells: Sequence[OwnersSell], since: datetime, at: datetime, session: date
) -> tuple[Position, Taken]:
    """Take shares out of a position: sold at what the owner's sells brought, the rest at a price nobody knows."""
    parts = allot(quantity, sells)
    priced, price, profit = sum(part.quantity for part in parts), _price(parts), Decimal(0)
    after = position
    if price is not None:
        after, profit = book.sold(after, quantity=priced, price=price, at=at)
    after = book.lost(after, quantity=quantity - priced, at=at)
    taken = Taken(
        taken_id=f"{position.position_id}:taken:{position.taken_out}", position_id=position.position_id,
        symbol=position.symbol, session=session, quantity=quantity, unpriced=quantity - priced, sells=parts,
        realized=profit, since=since, at=at,
    )  # fmt: skip
    return replace(after, taken_out=position.taken_out + quantity), taken


def sealed(taken: Taken, *, actor: str) -> tuple[Taken, audit.AuditEvent]:
    """Give a taking with its audit event, a chain of its own."""
    event = audit.seal(
        chain=taken.taken_id, seq=0, at=taken.at, actor=actor, before="-", after="TAKEN_OUT",
        cause="two complete portfolios did not hold these shares, and no order of ours explains it",
        detail=_facts(taken), prev_hash=audit.GENESIS,
    )  # fmt: skip
    return replace(taken, audit_head=event.hash), event


def counted(ledger: Ledger, taken: Taken) -> Ledger:
    """Write a taking into the session's ledger; it neither lengthens nor ends a row of losses."""
    return replace(ledger, realized=ledger.realized + taken.realized, unpriced=ledger.unpriced + taken.unpriced)


def _beyond(seen: BrokerOrder, counted: Sequence[OwnersSell]) -> OwnersSell | None:
    """Give what a listed order has sold beyond what was counted of it; None where it does not tell, or is no sell."""
    if seen.side is not Side.SELL or seen.order_id is None or seen.filled is None or seen.average_price is None:
        return None
    same = [sell for sell in counted if sell.broker_order_id == seen.order_id]
    quantity = seen.filled - sum(sell.quantity for sell in same)
    proceeds = (seen.average_price * seen.filled).quantize(_MONEY) - sum((sell.proceeds for sell in same), Decimal(0))
    if quantity <= 0 or proceeds <= 0:
        return None
    return OwnersSell(broker_order_id=seen.order_id, quantity=quantity, proceeds=proceeds)


def _price(sells: Sequence[OwnersSell]) -> Decimal | None:
    quantity = sum(sell.quantity for sell in sells)
    if not quantity:
        return None
    price = (sum((sell.proceeds for sell in sells), Decimal(0)) / quantity).quantize(_AVERAGE)
    return cents(price) if cents(price) == price else price


def _facts(taken: Taken) -> dict[str, str]:
    facts: dict[str, object | None] = {
        "position_id": taken.position_id, "symbol": taken.symbol, "quantity": taken.quantity,
        "unpriced": taken.unpriced or None, "price": taken.price, "realized": taken.realized if taken.sells else None,
        "since": f"{taken.since:%Y-%m-%d %H:%M:%S} UTC",
        "sells": ",".join(f"{sell.broker_order_id}:{sell.quantity}:{sell.proceeds}" for sell in taken.sells) or None,
    }  # fmt: skip
    return {name: str(fact) for name, fact in facts.items() if fact is not None}
