"""An order as the broker sees it: what was asked, what became of it, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Action(StrEnum):
    """What an order does; only long positions are simulated."""

    BUY = "BUY"
    SELL = "SELL"


class PriceType(StrEnum):
    """How an order is priced (fact sheet, section 4.2)."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"


class Term(StrEnum):
    """How long an order lives (fact sheet, section 4.1)."""

    GOOD_FOR_DAY = "GOOD_FOR_DAY"
    GOOD_UNTIL_CANCEL = "GOOD_UNTIL_CANCEL"
    IMMEDIATE_OR_CANCEL = "IMMEDIATE_OR_CANCEL"
    FILL_OR_KILL = "FILL_OR_KILL"


class Status(StrEnum):
    """Where an order is in its life (fact sheet, section 4.12); a partly filled working order stays OPEN."""

    OPEN = "OPEN"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    EXECUTED = "EXECUTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


LIVE = frozenset({Status.OPEN, Status.CANCEL_REQUESTED})
AT_ONCE = frozenset({Term.IMMEDIATE_OR_CANCEL, Term.FILL_OR_KILL})
"""What fills as it arrives, or ends."""


class EventKind(StrEnum):
    """What can happen to an order, as the ledger names it."""

    PLACED = "placed"
    WORKING = "working"
    FILL = "fill"
    CANCEL_REQUESTED = "cancel_requested"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What the owner asked for; two requests mean the same order exactly when their tickets are equal."""

    client_order_id: str
    symbol: str
    action: Action
    quantity: int
    price_type: PriceType
    term: Term
    limit_price: Decimal | None
    stop_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to an order; quantity in shares and price in dollars only for a fill."""

    at: datetime
    kind: EventKind
    quantity: int | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Shares that changed hands for one order at one instant and one price."""

    at: datetime
    order_id: int
    ticket: Ticket
    quantity: int
    price: Decimal


@dataclass(slots=True, kw_only=True)
class Order:
    """One placed order; changed only by the exchange. `replaces` and `replaced_by` are the orders around a change."""

    order_id: int
    account_key: str
    ticket: Ticket
    placed_at: datetime
    works_from: datetime
    reserve_price: Decimal
    status: Status = Status.OPEN
    filled: int = 0
    paid: Decimal = Decimal(0)
    triggered: bool = False
    events: list[Event] = field(default_factory=list)
    replaces: int | None = None
    replaced_by: int | None = None

    @property
    def remaining(self) -> int:
        """Shares still to be filled."""
        return self.ticket.quantity - self.filled

    @property
    def live(self) -> bool:
        """Whether it may still fill."""
        return self.status in LIVE

    @property
    def average_price(self) -> Decimal | None:
        """Mean price of what filled, or None while nothing has."""
        return self.paid / self.filled if self.filled else None

    @property
    def executed_at(self) -> datetime | None:
        """The instant of the last fill of a wholly executed order."""
        return self.events[-1].at if self.status is Status.EXECUTED else None

    def take(self, fill: Fill) -> None:
        """Count a fill of it, which may be its last."""
        self.filled += fill.quantity
        self.paid += fill.price * fill.quantity
        self.events.append(Event(at=fill.at, kind=EventKind.FILL, quantity=fill.quantity, price=fill.price))
        if not self.remaining:
            self.status = Status.EXECUTED

    def end(self, at: datetime, status: Status, kind: EventKind) -> None:
        """End it otherwise than by its last fill."""
        self.status = status
        self.events.append(Event(at=at, kind=kind))
