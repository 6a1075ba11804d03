"""The order state machine: every legal arrow in one table.

What can go wrong: a message comes twice, a process dies between two lines, the broker answers nothing or something
that is not true. What this promises: an order moves only along ARROWS; a terminal state is never left, with one
exception: an order that was given up as NOT_PLACED and that the broker has after all is ours, and what it fills has to
be booked; each move counts `rev` up by one and makes exactly one audit event; a PLACING record is the only licence to
send, and its nonce names the one invocation that holds it. Source: order-safety.md 1.3, 1.5.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from shared.domain.base import audit
from shared.domain.base.ids import digest
from shared.domain.base.values import PriceType, Side, Term, Venue
from shared.domain.broker.brokerage import Ticket
from shared.errors import InvariantBroken
from shared.frozen import frozen

PREVIEW_USABLE = timedelta(seconds=120)
PLACING_LIFE, LONGEST_LIFE = timedelta(seconds=5), timedelta(seconds=45)
"""How long a licence to send lives: an entry's always the one, a sell's with a slow store up to the other."""


class State(StrEnum):
    """Where an order stands. MANUAL waits for a person; UNKNOWN was sent and nobody knows."""

    NEW = "NEW"
    RESERVED = "RESERVED"
    PREVIEWED = "PREVIEWED"
    PLACING = "PLACING"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    CANCEL_REQ = "CANCEL_REQ"
    MANUAL = "MANUAL"
    DENIED = "DENIED"
    VOIDED = "VOIDED"
    REJECTED = "REJECTED"
    NOT_PLACED = "NOT_PLACED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


ENDED = frozenset({State.FILLED, State.CANCELLED, State.EXPIRED, State.REJECTED})
TERMINAL = ENDED | {State.DENIED, State.VOIDED, State.NOT_PLACED}
UNSENT = frozenset({State.NEW, State.RESERVED, State.PREVIEWED})
AT_BROKER = frozenset({State.WORKING, State.CANCEL_REQ})
IN_DOUBT = frozenset({State.PLACING, State.UNKNOWN, State.MANUAL})

ARROWS: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.DENIED, State.RESERVED, State.VOIDED}),
    State.RESERVED: frozenset({State.PREVIEWED, State.REJECTED, State.DENIED, State.VOIDED}),
    State.PREVIEWED: frozenset({State.PREVIEWED, State.PLACING, State.DENIED, State.REJECTED, State.VOIDED}),
    State.PLACING: frozenset({State.VOIDED, State.WORKING, State.REJECTED, State.UNKNOWN}),
    State.UNKNOWN: ENDED | {State.UNKNOWN, State.WORKING, State.NOT_PLACED, State.MANUAL},
    State.WORKING: ENDED | {State.WORKING, State.CANCEL_REQ},
    State.CANCEL_REQ: ENDED | {State.CANCEL_REQ, State.WORKING},
    State.MANUAL: frozenset({State.MANUAL, State.WORKING, State.NOT_PLACED}),
    **{state: frozenset[State]() for state in TERMINAL},
    # No list proves for ever that an order was not placed: one that turns up is worked again, or is a person's case.
    State.NOT_PLACED: frozenset({State.WORKING, State.MANUAL}),
    # The list may show shares of an ended order, or their price, only later: they are booked, and it stays ended.
    State.FILLED: frozenset({State.FILLED}),
    State.CANCELLED: frozenset({State.CANCELLED}),
    State.EXPIRED: frozenset({State.EXPIRED}),
}


class Kind(StrEnum):
    """Why an order exists."""

    ENTRY = "entry"
    PROTECT = "protect"
    MOVE = "move"
    EXIT = "exit"


STOPS = frozenset({Kind.PROTECT, Kind.MOVE})


@frozen
class PreviewRecord:
    """What the broker said it would do, and the hash of exactly what it was asked."""

    preview_ids: tuple[int, ...]
    at: datetime
    request_hash: str
    estimated_total: Decimal
    attempt: int


@frozen
class Licence:
    """The write-ahead licence to send once: who holds it, until when, and which broker orders existed before."""

    nonce: str
    signed_at: datetime
    deadline: datetime
    baseline: tuple[int, ...]
    epoch: int


@frozen
class Candidate:
    """A broker order that could be one of ours, as a list last showed it."""

    order_id: int
    status: str
    filled: int
    placed_at: datetime | None


@frozen
class Order:
    """One intent from its first commit to its end; its id is the clientOrderId. Prices and `reserved` in USD.

    `venue` is what it was made for, and the only place that it is sent to; `absences` are the instants of complete
    lists that showed no trace of it while it was UNKNOWN; `state_since` is when it came into its state, whatever it did
    in it since then. With `provisional` some of `average_price` is our own guess, because the broker has not said it
    yet; `unread` names the fields of its row in the list that could not be used. `candidates` are what made it a case
    for a person, `not_ours` the broker orders of which the owner has said that they are not it.
    `possible_wash_sale` marks an entry soon after a loss in its symbol, `sized` says what limited its size.
    """

    intent_id: str
    kind: Kind
    position_id: str
    signal_id: str | None
    strategy: str
    reason: str
    symbol: str
    side: Side
    venue: Venue
    quantity: int
    price_type: PriceType
    term: Term
    limit_price: Decimal | None
    stop_price: Decimal | None
    stop_distance: Decimal
    spread: Decimal
    session: date
    decided_at: datetime
    created_at: datetime
    updated_at: datetime
    payload_hash: str
    state: State = State.NEW
    live: bool = True
    rev: int = 0
    codes: tuple[str, ...] = ()
    note: str = ""
    reserved: Decimal = Decimal(0)
    preview: PreviewRecord | None = None
    licence: Licence | None = None
    broker_order_id: int | None = None
    placed_at: datetime | None = None
    filled: int = 0
    average_price: Decimal | None = None
    provisional: bool = False
    unread: tuple[str, ...] = ()
    replaces: str | None = None
    absences: tuple[datetime, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    not_ours: tuple[int, ...] = ()
    state_since: datetime | None = None
    possible_wash_sale: bool = False
    sized: str = ""
    audit_head: str = audit.GENESIS
    config_number: int = 0
    schema_version: int = 1

    @property
    def ticket(self) -> Ticket:
        """The order as the broker is asked for it."""
        return Ticket(
            client_order_id=self.intent_id, symbol=self.symbol, side=self.side, quantity=self.quantity,
            price_type=self.price_type, term=self.term, limit_price=self.limit_price, stop_price=self.stop_price,
        )  # fmt: skip

    @property
    def joined(self) -> bool:
        """Whether it is an entry whose shares join the position of another one, which has the lock of the symbol."""
        return self.kind is Kind.ENTRY and self.position_id != self.intent_id

    @property
    def request_hash(self) -> str:
        """The hash of what the broker is asked, equal for preview and place."""
        return digest(*(str(part) for part in (
            self.intent_id, self.symbol, self.side, self.quantity, self.price_type, self.term, self.limit_price,
            self.stop_price,
        )))  # fmt: skip


def born(order: Order, *, actor: str, cause: str) -> tuple[Order, audit.AuditEvent]:
    """Give a new order with its first audit event (seq 0)."""
    event = audit.seal(
        chain=order.intent_id, seq=0, at=order.created_at, actor=actor, before="-", after=State.NEW, cause=cause,
        detail=_facts(order), prev_hash=audit.GENESIS,
    )  # fmt: skip
    return replace(order, audit_head=event.hash), event


def advance(
    order: Order, to: State, *, at: datetime, actor: str, cause: str, **changes: Any
) -> tuple[Order, audit.AuditEvent]:
    """Move an order along one arrow, with the audit event of it; raises InvariantBroken as `moved` does."""
    after = moved(order, to, at=at, cause=cause, **changes)
    event = audit.seal(
        chain=order.intent_id, seq=after.rev, at=at, actor=actor, before=order.state, after=to, cause=cause,
        detail=_facts(after), prev_hash=order.audit_head,
    )  # fmt: skip
    return replace(after, audit_head=event.hash), event


def moved(order: Order, to: State, *, at: datetime, cause: str, **changes: Any) -> Order:
    """Move an order along one arrow; raises InvariantBroken for an arrow that the table does not have.

    Filled shares never fall and never exceed the quantity. For whoever keeps no audit trail, as a back-test.
    """
    if to not in ARROWS[order.state]:
        raise InvariantBroken(f"order {order.intent_id}: no arrow from {order.state} to {to} ({cause})")
    since = order.state_since if to is order.state else at
    after = replace(
        order, state=to, live=to not in TERMINAL, rev=order.rev + 1, updated_at=at, state_since=since, **changes
    )
    ended = order.state in TERMINAL and not after.live
    if ended and (after.filled, after.provisional) == (order.filled, order.provisional):
        raise InvariantBroken(f"order {order.intent_id} has ended as {order.state} ({cause})")
    if not order.filled <= after.filled <= order.quantity:
        raise InvariantBroken(
            f"order {order.intent_id}: filled went from {order.filled} to {after.filled} of {order.quantity}"
        )
    return after


def _facts(order: Order) -> dict[str, str]:
    facts: dict[str, object | None] = {
        "kind": order.kind, "symbol": order.symbol, "side": order.side, "venue": order.venue,
        "quantity": order.quantity, "price_type": order.price_type, "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "reserved": order.reserved or None, "filled": order.filled or None, "average_price": order.average_price,
        "provisional": order.provisional or None, "unread": ",".join(order.unread) or None,
        "broker_order_id": order.broker_order_id, "codes": ",".join(order.codes) or None, "note": order.note or None,
        "preview_ids": ",".join(map(str, order.preview.preview_ids)) if order.preview else None,
        "nonce": order.licence.nonce if order.licence else None, "replaces": order.replaces,
        "absences": len(order.absences) or None, "possible_wash_sale": order.possible_wash_sale or None,
        "candidates": ",".join(f"{one.order_id}:{one.status}:{one.filled}" for one in order.candidates) or None,
        "not_ours": ",".join(map(str, order.not_ours)) or None,
        "sized": order.sized or None,
        "signal_id": order.signal_id, "position_id": order.position_id, "reason": order.reason,
    }  # fmt: skip
    return {name: str(fact) for name, fact in facts.items() if fact is not None}
